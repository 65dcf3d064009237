"""How every long measurement is stored: in steps while it runs, in one file at its end.

What a step found is kept in the folder of the run, so that the command goes on where it
was stopped. The file in the package has five significant digits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Steps:
    """The steps of a run that are done, by name, in ``done.json`` of its folder.

    Parameters
    ----------
    folder : Path
        Of the run; made at the first step.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "done.json"

    @property
    def done(self) -> dict[str, Any]:
        """What was found so far."""
        if not self.file.exists():
            return {}
        return json.loads(self.file.read_text("utf-8"))

    def once(self, name: str, find: Callable[[], Any]) -> Any:
        """Return what is kept under a name; find and keep it if it is not there."""
        if name not in self.done:
            found = find()
            self.folder.mkdir(parents=True, exist_ok=True)
            write(self.file, self.done | {name: found}, digits=17)
            shown = json.dumps(rounded(found, 4))
            print(f"{time.strftime('%H:%M:%S')} {name}: {shown:.200}", flush=True)
        return self.done[name]


def write(path: Path, found: Any, digits: int = 5) -> None:
    """Write a result as JSON, in place of the old file in a single step."""
    text = json.dumps(rounded(found, digits), indent=1, ensure_ascii=False)
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(f"{text}\n", "utf-8")
    draft.replace(path)


def rounded(value: Any, digits: int) -> Any:
    """Round all floats of a JSON value to significant digits.

    Examples
    --------
    >>> rounded({"bits": [0.123456, 2]}, digits=3)
    {'bits': [0.123, 2]}
    """
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, digits) for item in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value
