"""Texts out of local files; the error for a damaged file says where it is damaged.

`corpora` reads documents with it, others JSON. Nothing imports torch.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, with ``\\n`` at the ends of lines.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not UTF-8. The message names the byte and the line.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise FileNotFoundError(f"the file {path} {what}; give the path of a file")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path} is not UTF-8 at byte {error.start}, in line {line} "
            f"({data[error.start]:#04x}); save it as UTF-8, or get it again"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: Path) -> dict[str, object]:
    """Return the object that a JSON file holds.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or holds something else. The message says where.
    """
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is damaged in line {error.lineno}, column {error.colno}: "
            f"{error.msg}; get the file again"
        ) from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold an object {{...}}, got {content!r:.40}")
    return content


def read_documents(path: Path, column: str = "text") -> list[str]:
    """Return the documents of a .txt, .csv, .jsonl or .parquet file.

    Parameters
    ----------
    path : Path
        In a .txt file, empty lines separate the documents.
    column : str
        Where the texts are in the other kinds: the column of a table, the key in
        each line's object.

    Returns
    -------
    list of str
        The documents in order, without those that are empty.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of another kind, has no such column, is damaged or empty.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "poem.txt")
    ...     _ = path.write_text("One line,\\nanother.\\n\\nA new stanza.\\n")
    ...     read_documents(path)
    ['One line,\\nanother.', 'A new stanza.']
    """
    if path.suffix.lower() not in READERS:
        raise ValueError(
            f"{path} must end in one of {', '.join(READERS)}, got {path.suffix!r}"
        )
    texts = READERS[path.suffix.lower()](path, column)
    documents = [text for text in texts if text.strip()]
    if not documents:
        raise ValueError(f"{path} holds no text; was it cut short, or never written?")
    return documents


def _read_paragraphs(path: Path, column: str) -> list[str]:
    return [
        text.strip("\n") for text in re.split(r"\n(?:[^\S\n]*\n)+", read_text(path))
    ]


def _read_csv(path: Path, column: str) -> Iterator[str]:
    """A table whose first row names the columns; quotes as spreadsheets write them."""
    lines = read_text(path).split("\n")
    before = csv.field_size_limit(2**31 - 1)  # else a long document is an error
    start = 1
    try:
        rows = csv.reader((line + "\n" for line in lines), strict=True)
        header = next(rows, [])
        index = _find_column(path, column, header)
        start = rows.line_num + 1
        for row in rows:
            if row and len(row) != len(header):
                raise ValueError(
                    f"{path} is damaged in line {start}: {len(row)} fields, but the "
                    f"first line names {len(header)} columns"
                )
            if row:
                yield row[index]
            start = rows.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path} is damaged in the row that begins in line {start}: {error}; is a "
            "quote open, or the file cut short?"
        ) from None
    finally:
        csv.field_size_limit(before)


def _find_column(path: Path, column: str, columns: list[str]) -> int:
    if column not in columns:
        raise ValueError(
            f"{path} has no column {column!r}; pass column= one of: "
            f"{', '.join(map(repr, columns))}"
        )
    return columns.index(column)


def _read_json_lines(path: Path, column: str) -> Iterator[str]:
    """One JSON object a line."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{path} is damaged in line {number}, column {error.colno}: "
                f"{error.msg}; each line must be one JSON object"
            ) from None
        if not isinstance(record, dict) or not isinstance(record.get(column), str):
            keys = sorted(record) if isinstance(record, dict) else record
            raise ValueError(
                f"{path}, line {number}: no text under {column!r}, got {keys!r:.60}; "
                "pass column= the key of the text"
            )
        yield record[column]


def _read_parquet(path: Path, column: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise FileNotFoundError(f"the file {path} is not there; give a file's path")
    size = path.stat().st_size
    with path.open("rb") as file:
        for offset in (0, max(size - 4, 0)):  # a parquet file begins and ends so
            file.seek(offset)
            if file.read(4) != b"PAR1":
                raise ValueError(
                    f"{path} is damaged at byte {offset} of {size}: 'PAR1' must stand "
                    "there; was the file cut short? Get it again"
                )
    try:
        table = pq.ParquetFile(path)
        _find_column(path, column, table.schema_arrow.names)
        values = table.read(columns=[column]).column(column)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}; get the file again") from None
    return as_texts(str(path), column, values.to_pylist())


def as_texts(where: str, column: str, values: list[object]) -> list[str]:
    """Return the values of a column as texts; what is missing is an empty one.

    Raises
    ------
    ValueError
        If a value is no string. The message names its row, from 0.
    """
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise ValueError(
                f"{where}, row {row}: column {column!r} must hold text, got "
                f"{value!r:.40}; pass column= another one"
            )
    return [value or "" for value in values]


READERS: dict[str, Callable[[Path, str], list[str] | Iterator[str]]] = {
    ".txt": _read_paragraphs,
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".parquet": _read_parquet,
}
