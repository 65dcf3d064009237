"""Curves read back from the files that TensorBoard shows (chapter 05)."""

from __future__ import annotations

import os


def read_curves(folder: str | os.PathLike[str]) -> dict[str, list[tuple[int, float]]]:
    """Read all curves of one run from its event files.

    Parameters
    ----------
    folder : path
        The folder of a run, made by torch's ``SummaryWriter`` or by
        ``fit(..., log_dir=folder)``.

    Returns
    -------
    dict of str to list of (int, float)
        Steps and values, which the files keep in float32.

    Raises
    ------
    FileNotFoundError
        If there is no event file in the folder.

    Notes
    -----
    Chapter 05 reads its own curves back.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from torch.utils.tensorboard import SummaryWriter
    >>> with TemporaryDirectory() as folder:
    ...     with SummaryWriter(folder) as writer:
    ...         writer.add_scalar("loss/seen", 2.0, 0)
    ...     read_curves(folder)
    {'loss/seen': [(0, 2.0)]}
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not any("tfevents" in name for name in os.listdir(folder)):
        raise FileNotFoundError(f"{os.fspath(folder)} holds no event file of a run")
    # 0 keeps every point; the default thins long curves out
    events = EventAccumulator(os.fspath(folder), size_guidance={"scalars": 0}).Reload()
    names = events.Tags()["scalars"]
    return {n: [(e.step, e.value) for e in events.Scalars(n)] for n in names}
