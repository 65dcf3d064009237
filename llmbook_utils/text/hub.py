"""Files from the Hugging Face hub: whole and checked, or an error that says what to do.

`huggingface_hub` and `datasets` do the work and keep their caches. Added here: the hub
is asked once before all else, so that without network the cache is used at once; what
has arrived is compared with its hash; and an error is a ValueError (no such thing) or
an OSError (not to be had now) that says what to do. Nothing here imports torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from datasets import Dataset

TIMEOUT = 10  # seconds for the hub's first answer


def fetch_model(name: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """Return the folder with a model's files, from the hub or from its cache.

    Parameters
    ----------
    name : str
        ``owner/name``, or ``name`` alone for the oldest ones such as ``gpt2``.
    revision : str, optional
        A branch, tag or commit.
    patterns : sequence of str
        Which files; ``*`` stands for any characters.

    Raises
    ------
    ValueError
        If the hub has no such model or revision.
    OSError
        If the files are neither to be had now nor in the cache.
    """
    from huggingface_hub import snapshot_download

    unreachable = _ask("model", name, revision)
    try:
        folder = snapshot_download(
            name,
            revision=revision,
            allow_patterns=list(patterns),
            local_files_only=unreachable is not None,
        )
    except Exception as error:
        _refuse_damaged("model", name)
        if unreachable is not None:
            raise unreachable from error
        _raise_explained(error, "model", name, revision)
    _refuse_damaged("model", name)
    return Path(folder)


def list_files(name: str, revision: str | None) -> list[str]:
    """Return the names of all files of a model on the hub.

    Raises
    ------
    ValueError, OSError
        As `fetch_model`.
    """
    from huggingface_hub import HfApi

    try:
        return HfApi().list_repo_files(name, revision=revision)
    except Exception as error:
        _raise_explained(error, "model", name, revision)


def load_dataset(
    name: str, config: str | None, split: str, revision: str | None
) -> Dataset:
    """Return one split of a dataset, from the hub or from the cache of `datasets`.

    Parameters
    ----------
    name : str
        ``owner/name``.
    config : str, optional
        Which configuration, if the dataset has several.
    split : str
        For example ``"train"``.
    revision : str, optional
        A branch, tag or commit.

    Raises
    ------
    ValueError
        If the hub has no such dataset, revision, configuration or split.
    OSError
        If the data are neither to be had now nor in the cache.
    """
    import datasets

    unreachable = _ask("dataset", name, revision)
    was_offline = datasets.config.HF_HUB_OFFLINE
    # else `datasets` asks dozens of times in vain before it looks into its cache
    datasets.config.HF_HUB_OFFLINE = was_offline or unreachable is not None
    try:
        dataset = datasets.load_dataset(name, config, split=split, revision=revision)
    except Exception as error:
        _refuse_damaged("dataset", name)
        if unreachable is not None and "Unknown split" not in str(error):
            raise unreachable from error
        _raise_explained(error, "dataset", name, revision)
    finally:
        datasets.config.HF_HUB_OFFLINE = was_offline
    files = dataset.cache_files  # none if the split is empty
    prepared = Path(files[0]["filename"]).parent if files else None
    _refuse_damaged("dataset", name, prepared)
    # out of its cache `datasets` takes the latest version, whatever was asked for
    is_latest = prepared is not None and prepared.name == revision
    if unreachable is not None and _is_commit(revision) and not is_latest:
        raise unreachable
    return dataset


def _ask(kind: str, name: str, revision: str | None) -> OSError | None:
    """Ask the hub for the thing, once. Return why it cannot be asked, if so."""
    from huggingface_hub import HfApi

    try:
        HfApi().repo_info(name, repo_type=kind, revision=revision, timeout=TIMEOUT)
    except json.JSONDecodeError:
        return ConnectionError(
            f"the {kind} {name!r} is not in the cache, and what answers in the hub's "
            "place is no hub; does the network want a log-in, is HF_ENDPOINT right?"
        )
    except Exception as error:
        explained = explain(error, kind, name, revision)
        if isinstance(explained, ConnectionError):
            return explained
        _raise_explained(error, kind, name, revision)
    return None


def _raise_explained(
    error: Exception, kind: str, name: str, revision: str | None
) -> NoReturn:
    explained = explain(error, kind, name, revision)
    raise explained from (None if explained is error else error)


def _is_commit(revision: str | None) -> bool:
    return revision is not None and len(revision) == 40 and revision.isalnum()


def explain(
    error: Exception, kind: str, name: str, revision: str | None = None
) -> Exception:
    """Return an error that says what to do, in the place of one of the libraries.

    Parameters
    ----------
    error : Exception
        What `huggingface_hub` or `datasets` raised.
    kind : str
        ``"model"`` or ``"dataset"``.
    name, revision : str
        What was asked for.

    Returns
    -------
    Exception
        A ValueError, ConnectionError or PermissionError; `error` itself if it is of
        no kind that is known.
    """
    if type(error) is ValueError:  # says by itself what is wrong: a split, a column
        return error
    for link in _chain(error):
        explained = _explain_one(link, kind, name, revision)
        if explained is not None:
            return explained
    if type(error).__name__ in ("DatasetGenerationError", "ArrowInvalid"):
        return ValueError(
            f"the {kind} {name!r} has a file that cannot be read: "
            f"{error.__cause__ or error}"
        )
    return error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _explain_one(
    error: BaseException, kind: str, name: str, revision: str | None
) -> Exception | None:
    """What one link of the chain means, if it is known."""
    from huggingface_hub import constants

    thing, hub = f"the {kind} {name!r}", constants.ENDPOINT
    status = getattr(getattr(error, "response", None), "status_code", 0)
    match type(error).__name__:
        case "HFValidationError":
            return ValueError(f"{name!r} is no name on a hub; write owner/name")
        case "RevisionNotFoundError":
            return ValueError(
                f"{thing} has no revision {revision!r}; see {hub}/{name}/tree/main"
            )
        case "GatedRepoError":
            return PermissionError(
                f"{thing} is given to those alone who accepted its terms: do so at "
                f"{hub}/{name}, then log in with `hf auth login`"
            )
        case "RepositoryNotFoundError":
            return ValueError(
                f"{hub} has no {kind} {name!r}, or it is private; check the spelling, "
                "and log in with `hf auth login` if it is yours"
            )
        case "OfflineModeIsEnabled":
            return ConnectionError(
                f"{thing} is not wholly in the cache ({constants.HF_HUB_CACHE}), and "
                "HF_HUB_OFFLINE=1 forbids to fetch it; unset it once, with network"
            )
        case _ if "Dataset scripts are no longer supported" in str(error):
            return ValueError(
                f"{thing} is made by a script, which `datasets` runs no more; try "
                'revision="refs/convert/parquet"'
            )
    return _explain_network(error, status, f"{thing} is not in the cache, and {hub}")


def _explain_network(
    error: BaseException, status: int, beginning: str
) -> ConnectionError | None:
    """What an HTTP status or a broken connection means."""
    if status == 429:
        return ConnectionError(
            f"{beginning} answers 429, too many requests: wait some minutes, or log in "
            "with `hf auth login` (or set HF_TOKEN), which allows more of them"
        )
    if status in (401, 403, 408) or status >= 500:  # 404: asked for in passing
        return ConnectionError(
            f"{beginning} answers with error {status}; try again later"
        )
    is_cut = type(error).__name__ in ("RemoteProtocolError", "ReadError")
    if is_cut or "Consistency check failed" in str(error):
        return ConnectionError(
            f"{beginning} stopped sending in the middle of a file; nothing of the file "
            "is kept, try again"
        )
    if type(error).__module__.split(".")[0] in ("httpx", "httpx2", "requests"):
        return ConnectionError(
            f"{beginning} cannot be reached ({error}); check the network, the proxy "
            "and HF_ENDPOINT, or use what needs no network: the model 'tiny', the "
            "corpora 'tinyworld' and 'pydocs'"
        )
    return None


def _refuse_damaged(kind: str, name: str, prepared: Path | None = None) -> None:
    """Delete what is damaged in the cache, with what was made of it, and say so."""
    damaged = _remove_damaged(kind, name)
    if damaged:
        if prepared is not None:
            shutil.rmtree(prepared, ignore_errors=True)
        raise ConnectionError(
            f"{', '.join(damaged)} of the {kind} {name!r} arrived damaged: the bytes "
            "do not give the hub's checksum; they were deleted, try again"
        )


def _remove_damaged(kind: str, name: str) -> list[str]:
    """Delete files of one repository whose bytes belie their hash; return the names.

    The cache keeps each file under its hash in ``blobs``, and links to it from
    ``snapshots``. Where a system has no links there is nothing to compare with.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(
        repo_id=name, repo_type=kind
    )
    damaged = [
        blob
        for blob in folder.glob("blobs/*")
        if blob.is_file() and not _has_its_hash(blob)
    ]
    stores = {blob.resolve() for blob in damaged}  # a blob may itself be a link
    links = [
        link
        for link in folder.glob("snapshots/**/*")
        if link.is_symlink() and link.resolve() in stores
    ]
    for path in {*links, *damaged, *stores}:
        path.unlink(missing_ok=True)
    return sorted({link.name for link in links})


def _has_its_hash(blob: Path) -> bool:
    """Whether a file has the hash after which it is called.

    Large files are called after their sha256, others as git does or (by some mirrors)
    after their sha1.
    """
    if len(blob.name) == 64:
        with blob.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == blob.name
    if len(blob.name) == 40:
        data = blob.read_bytes()
        header = b"blob %d\0" % len(data)
        return blob.name in (
            hashlib.sha1(header + data, usedforsecurity=False).hexdigest(),
            hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        )
    return True
