"""Numbers as the outputs of a notebook store them: four significant digits."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

DIGITS = 4  # significant digits of stored numbers


def plain(value: Any) -> Any:
    """Turn arrays into lists, and round every float to four significant digits.

    Examples
    --------
    >>> plain({"y": (0.123456, float("nan"), 3)})
    {'y': [0.1235, None, 3]}
    """
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        value = value.tolist()
    if isinstance(value, Mapping):
        if "bdata" in value:
            return plain(_decoded(value))
        return {str(key): plain(item) for key, item in value.items() if key != "uid"}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None  # JSON has no NaN; plotly draws a gap
        return float(f"{value:.{DIGITS}g}")
    return value


def _decoded(packed: Mapping[str, Any]) -> np.ndarray:
    """Unpack an array that plotly 6 and later keep in base64."""
    array = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    shape = str(packed.get("shape", array.size)).split(",")
    return array.reshape([int(size) for size in shape])
