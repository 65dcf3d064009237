"""Curves in the files that TensorBoard reads, and back again (chapter 05)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence


def write_curves(
    folder: str | os.PathLike[str], curves: Mapping[str, Sequence[float]]
) -> None:
    """Write curves as TensorBoard event files.

    Parameters
    ----------
    folder : path
        One run; TensorBoard shows the folders below its ``--logdir`` side by side.
    curves : mapping of str to sequence of float
        For each name a value at step 0, 1, 2, ... Names with the same part before a
        slash share a panel: ``loss/seen`` and ``loss/fresh``.

    Notes
    -----
    Built in chapter 05.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_curves(folder, {"loss/seen": [2.0, 1.0, 0.5]})
    ...     read_curves(folder)
    {'loss/seen': [(0, 2.0), (1, 1.0), (2, 0.5)]}
    """
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(os.fspath(folder)) as writer:
        for name, values in curves.items():
            for step, value in enumerate(values):
                writer.add_scalar(name, float(value), step)


def read_curves(folder: str | os.PathLike[str]) -> dict[str, list[tuple[int, float]]]:
    """Read all curves of one run from its event files.

    Parameters
    ----------
    folder : path
        The folder of a run, made by `write_curves` or by ``fit(..., log_dir=folder)``.

    Returns
    -------
    dict of str to list of (int, float)
        Steps and values, which the files keep in float32.

    Raises
    ------
    FileNotFoundError
        If there is no event file in the folder.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not any("tfevents" in name for name in os.listdir(folder)):
        raise FileNotFoundError(f"{os.fspath(folder)} holds no event file of a run")
    # 0 keeps every point; the default thins long curves out
    events = EventAccumulator(os.fspath(folder), size_guidance={"scalars": 0}).Reload()
    names = events.Tags()["scalars"]
    return {n: [(e.step, e.value) for e in events.Scalars(n)] for n in names}
