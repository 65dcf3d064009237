"""Compare a notebook's outputs with its stored ones, as exactly as processors allow.

Two processors add the same numbers in another order, so that the last digit of a
result may differ. Words and integers have to be the same; a printed decimal may differ
by one unit of its last digit. A number of a figure's or an explorer's data, stored with
four significant digits (`llmbook_utils.plots.rounding`), may differ by one unit of the
fourth, or of the last decimal place that its list has.
"""

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from llmbook_utils.plots.rounding import DIGITS

# Not stored, or compared by nobody: ids of live widgets, pictures of a renderer.
SKIPPED = {"application/vnd.jupyter.widget-view+json", "image/png", "image/jpeg"}
# With the blanks before it: in a column, 9.99 is one wider than 10.00 in blanks.
NUMBER = re.compile(
    r"( *(?<![\d.])[-+\u2212]?(?:\d+(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\.\d+|\d+)"
    r"(?:[eE][-+]?\d+)?(?!\.?\d))"
)
BASE64 = re.compile(r"(?<=;base64,)[A-Za-z0-9+/]+={0,2}")
SHOWN = 160  # characters of each side in a message


@dataclass
class Comparison:
    """What was found: differences, and numbers that differ in their last digit.

    Attributes
    ----------
    differences : list of str
        Empty if the outputs are the same, as far as processors allow.
    last_digits : int
        Numbers that are one unit away from the stored ones.
    """

    differences: list[str] = field(default_factory=list)
    last_digits: int = 0

    def differ(self, where: str, stored: object, fresh: object) -> None:
        """Note a difference."""
        self.differences.append(
            f"{where}\n  stored: {str(stored)[:SHOWN]}\n  now:    {str(fresh)[:SHOWN]}"
        )

    def close(self, stored: Decimal, fresh: Decimal, unit: Decimal) -> bool:
        """Tell whether two numbers are at most one unit apart."""
        is_close = abs(stored - fresh) <= unit
        self.last_digits += is_close and stored != fresh
        return is_close

    def outputs(self, stored: Sequence[Mapping], fresh: Sequence[Mapping]) -> None:
        """Compare the outputs of a cell, in their order."""
        if len(stored) != len(fresh):
            kinds = [
                [f"{o['output_type']} {sorted(o.get('data', ()))}" for o in outputs]
                for outputs in (stored, fresh)
            ]
            self.differ(f"{len(stored)} outputs, now {len(fresh)}", *kinds)
            return
        for number, (one, other) in enumerate(zip(stored, fresh, strict=True)):
            self.output(f"output {number}", one, other)

    def output(self, where: str, stored: Mapping, fresh: Mapping) -> None:
        """Compare two outputs: a stream, or data by MIME type."""
        for key in ("output_type", "name", "ename", "evalue"):
            if stored.get(key) != fresh.get(key):
                self.differ(f"{where}, {key}", stored.get(key), fresh.get(key))
                return
        if "text" in stored:
            self.text(where, _joined(stored["text"]), _joined(fresh["text"]))
        one, other = (
            {k: v for k, v in output.get("data", {}).items() if k not in SKIPPED}
            for output in (stored, fresh)
        )
        if set(one) != set(other):
            self.differ(f"{where}, MIME types", sorted(one), sorted(other))
            return
        other = _with_id(other, one)
        for mime in one:
            if mime.endswith("json"):
                self.value(f"{where}, {mime}", one[mime], other[mime])
            else:
                texts = _joined(one[mime]), _joined(other[mime])
                self.text(f"{where}, {mime}", *texts)

    def text(self, where: str, stored: str, fresh: str) -> None:
        """Compare two texts line by line; what base64 hides is compared, too."""
        if stored == fresh:
            return
        one, other = (
            BASE64.sub(_decoded, text).splitlines() for text in (stored, fresh)
        )
        if len(one) != len(other):
            self.differ(f"{where}: {len(one)} lines, now {len(other)}", stored, fresh)
            return
        for number, lines in enumerate(zip(one, other, strict=True), start=1):
            self._line(f"{where}, line {number}", *lines)

    def _line(self, where: str, stored: str, fresh: str) -> None:
        """Compare two lines, number by number."""
        one, other = NUMBER.split(stored), NUMBER.split(fresh)
        if len(one) != len(other) or one[::2] != other[::2]:
            place = next(
                (
                    i
                    for i, (a, b) in enumerate(zip(stored, fresh, strict=False))
                    if a != b
                ),
                min(len(stored), len(fresh)),
            )
            start = max(0, place - SHOWN // 4)
            self.differ(where, stored[start:], fresh[start:])
            return
        for a, b in zip(one[1::2], other[1::2], strict=True):
            bare = a.strip(), b.strip()
            is_in_place = len(a) == len(b) or a[: -len(bare[0])] == b[: -len(bare[1])]
            if a != b and not (is_in_place and self._printed(*bare)):
                self.differ(where, *bare)

    def _printed(self, stored: str, fresh: str) -> bool:
        """Tell whether two printed numbers differ by one unit of the last digit."""
        unit = max(_unit(stored), _unit(fresh))
        return self.close(_decimal(stored), _decimal(fresh), unit)

    def value(self, where: str, stored: Any, fresh: Any, unit: int = -9) -> None:
        """Compare two JSON values; 10^unit is that of their list's decimals."""
        if isinstance(stored, Mapping) and isinstance(fresh, Mapping):
            if set(stored) != set(fresh):
                self.differ(f"{where}, keys", sorted(stored), sorted(fresh))
                return
            keys = list(stored)
            stored, fresh = ([side[key] for key in keys] for side in (stored, fresh))
            self._values([f"{where}.{key}" for key in keys], stored, fresh)
        elif isinstance(stored, list) and isinstance(fresh, list):
            if len(stored) != len(fresh):
                self.differ(f"{where}: lengths", len(stored), len(fresh))
                return
            places = [f"{where}[{number}]" for number in range(len(stored))]
            self._values(places, stored, fresh)
        elif isinstance(stored, str) and isinstance(fresh, str):
            self.text(where, stored, fresh)
        elif type(stored) is type(fresh) is float:
            if stored != fresh and not self._stored(stored, fresh, unit):
                self.differ(where, stored, fresh)
        elif type(stored) is not type(fresh) or stored != fresh:
            self.differ(where, repr(stored), repr(fresh))

    def _values(self, places: list[str], stored: list, fresh: list) -> None:
        """Compare the values of a list or of a dictionary."""
        decimals = [v for v in (*stored, *fresh) if isinstance(v, float)]
        unit = min((_exponent(repr(v)) for v in decimals), default=0)
        for items in zip(places, stored, fresh, strict=True):
            self.value(*items, unit)

    def _stored(self, stored: float, fresh: float, unit: int) -> bool:
        """Tell whether two numbers differ by one unit of the fourth digit."""
        largest = max(abs(stored), abs(fresh))
        if not math.isfinite(largest):
            return False
        fourth = math.floor(math.log10(largest)) - DIGITS + 1
        numbers = Decimal(repr(stored)), Decimal(repr(fresh))
        return self.close(*numbers, Decimal(1).scaleb(max(fourth, unit)))


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _decoded(match: re.Match[str]) -> str:
    """Decode base64 that holds text, such as an SVG; leave what holds none."""
    try:
        return base64.b64decode(match[0]).decode()
    except ValueError:
        return match[0]


def _decimal(text: str) -> Decimal:
    return Decimal(text.strip().replace(",", "").replace("\u2212", "-"))


def _exponent(text: str) -> int:
    """Give the place of a printed number's last digit, as a power of ten."""
    return int(_decimal(text).as_tuple().exponent)


def _unit(text: str) -> Decimal:
    """Give the unit of a printed number's last digit; 0 for an integer."""
    if "." not in text and "e" not in text.lower():
        return Decimal(0)
    return Decimal(1).scaleb(_exponent(text))


def _with_id(fresh: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """Put the stored id of an explorer in the place of its own: a hash of its data."""
    for mime, data in fresh.items():
        old = stored.get(mime)
        if all(isinstance(side, Mapping) and "id" in side for side in (data, old)):
            return json.loads(json.dumps(fresh).replace(data["id"], old["id"]))
    return fresh


def compare(stored: Sequence[Mapping], fresh: Sequence[Mapping]) -> Comparison:
    """Compare the outputs of a cell with the stored ones.

    Parameters
    ----------
    stored, fresh : sequence of mapping
        Outputs in nbformat's form.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> def printed(text):
    ...     return [{"output_type": "stream", "name": "stdout", "text": text}]
    >>> compare(printed("loss 0.9996\\n"), printed("loss 1.000\\n")).differences
    []
    >>> compare(printed("3 words\\n"), printed("4 words\\n")).differences
    ['output 0, line 1\\n  stored: 3\\n  now:    4']
    """
    found = Comparison()
    found.outputs(stored, fresh)
    return found
