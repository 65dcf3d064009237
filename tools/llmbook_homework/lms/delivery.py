"""The files of a folder or an archive, read as what strangers sent: with care."""

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_BYTES = 25_000_000  # of one file; a notebook of this book is under 1 MB
MAX_FILES = 20_000
SKIPPED = ("__MACOSX", ".ipynb_checkpoints", ".DS_Store", "timestamp.txt")


@dataclass(frozen=True)
class Item:
    """A file of a delivery.

    Attributes
    ----------
    path : str
        Where it lay, with ``/``, below the delivery's top.
    data : bytes
        Its content; empty if it was not read.
    problem : str
        Why it was not read; empty if it was.
    owner : str
        Whose file it is on this computer; empty if that says nothing.
    """

    path: str
    data: bytes
    problem: str = ""
    owner: str = ""


def is_archive(name: str) -> bool:
    """Tell by a file's name whether it is a zip archive."""
    return name.lower().endswith(".zip")


def _is_skipped(path: PurePosixPath) -> bool:
    return any(part in SKIPPED or part.startswith("._") for part in path.parts)


def _read_file(path: Path) -> tuple[bytes, str]:
    """Read a regular file, never through a link: an exchange is open to all."""
    try:
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK
        )
    except OSError as error:
        return b"", f"it could not be opened ({error.strerror})"
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return b"", "it is no ordinary file"
        if status.st_size > MAX_BYTES:
            return b"", _too_large(status.st_size)
        return file.read(MAX_BYTES), ""


def _too_large(size: int) -> str:
    return f"it has {size / 1e6:.0f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB"


def _from_folder(top: Path) -> Iterator[Item]:
    for folder, folders, names in os.walk(top, followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            inside = PurePosixPath(path.relative_to(top).as_posix())
            if not _is_skipped(inside):
                yield Item(str(inside), *_read_file(path), _owner(path))


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError, NotImplementedError):
        return ""


def _name(info: zipfile.ZipInfo) -> str:
    """Mend names that were packed as UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf8")
    except UnicodeError:
        return info.filename


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[bytes, str]:
    if stat.S_ISLNK(info.external_attr >> 16):
        return b"", "it is a link"
    if info.flag_bits & 0x1:
        return b"", "it is locked with a password"
    try:
        with archive.open(info) as file:
            data = file.read(MAX_BYTES + 1)  # the declared size may lie
    except (
        OSError,
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
    ) as e:
        return b"", f"it is damaged ({e})"
    except Exception as error:  # zlib and lzma each have an error of their own
        return b"", f"it is damaged ({error})"
    return (data, "") if len(data) <= MAX_BYTES else (b"", _too_large(info.file_size))


def unpack(data: bytes | Path) -> Iterator[Item]:
    """Read the files of a zip archive.

    Parameters
    ----------
    data : bytes or Path
        The archive, or where it is.

    Yields
    ------
    Item

    Raises
    ------
    ValueError
        If it is no archive, or holds too many files.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"not a readable zip archive ({error})") from None
    with archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > MAX_FILES:
            raise ValueError(f"{len(infos)} files in an archive; at most {MAX_FILES}")
        for info in infos:
            # A name is kept as text only: nothing is ever written where it points.
            parts = PurePosixPath(_name(info).replace("\\", "/")).parts
            path = PurePosixPath(*[p for p in parts if p not in ("/", "..", ".")])
            if path.parts and not _is_skipped(path):
                yield Item(str(path), *_member(archive, info))


def read(place: Path) -> Iterator[Item]:
    """Read what a folder or a zip archive holds.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if place.is_dir():
        return _from_folder(place)
    if place.is_file() and is_archive(place.name):
        return unpack(place)
    came = "a file" if place.exists() else "nothing there"
    raise ValueError(
        f"{place}: {came}, not a folder or a .zip; give what the platform let you "
        "download, unpacked or not, or the `inbound` folder of the exchange"
    )
