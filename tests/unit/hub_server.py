"""A small hub on 127.0.0.1, and a reader in a process of its own that asks it.

The server speaks what `huggingface_hub`, `transformers` and `datasets` ask of
https://huggingface.co: repositories, trees, files with etags, ranges, redirects of
large files. Each repository can be given a fault.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = (".safetensors", ".parquet", ".bin")  # kept by git-lfs on the hub


@dataclass
class Repository:
    """Files of a model or a dataset, and what is wrong with it at present.

    Faults: "cut" (the connection ends in the middle of a large file), "short" (half a
    large file is sent as if it were all), "flipped" (one byte of a large file is
    wrong), "missing" (the hub knows no such repository), "limit" (429), "limit files"
    (429 for files alone), "broken" (500), "login" (a page of the network's own).
    """

    name: str
    files: dict[str, bytes]
    kind: str = "models"
    fault: str = ""
    requests: list[str] = field(default_factory=list)

    @functools.cached_property
    def commit(self) -> str:
        digest = hashlib.sha1(self.name.encode())
        for path, data in sorted(self.files.items()):
            digest.update(path.encode() + data)
        return digest.hexdigest()


class Hub:
    """The server. `stop` and `start` take it off the network and back."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, name: str, files: dict[str, bytes], kind: str = "models") -> None:
        self.repositories[kind, name] = Repository(name, files, kind)

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Handler(BaseHTTPRequestHandler):
    """Answers one request; `hub` is set by `Hub.start`."""

    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for (kind, name), repository in self.hub.repositories.items():
            api = f"/api/{kind}/{name}"
            files = f"/{name}" if kind == "models" else f"/{kind}/{name}"
            if path == api or path.startswith(api + "/"):
                return self._check(repository, path[len(api) :], body)
            if path.startswith((files + "/resolve/", files + "/cdn/")):
                return self._check(repository, path[len(files) :], body)
        self._refuse(401, "RepoNotFound")

    def _check(self, repository: Repository, path: str, body: bytes) -> None:
        repository.requests.append(f"{self.command} {path}")
        is_file = path.startswith(("/resolve/", "/cdn/"))
        if repository.fault == "missing":
            self._refuse(401, "RepoNotFound")
        elif repository.fault == "limit" or (
            repository.fault == "limit files" and is_file
        ):
            self._refuse(429)
        elif repository.fault == "broken":
            self._refuse(500)
        elif repository.fault == "login":
            self._send(b"<html>Please log in.</html>", "text/html")
        elif is_file:
            self._send_file(repository, path)
        else:
            self._send_api(repository, path, body)

    def _refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, content: object) -> None:
        self._send(json.dumps(content).encode(), "application/json")

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_api(self, repository: Repository, path: str, body: bytes) -> None:
        """Information, a tree, or some paths of a tree."""
        _, _, action_and_rest = path.partition("/")
        action, _, rest = action_and_rest.partition("/")
        revision, _, folder = rest.partition("/")
        if rest and revision not in ("main", repository.commit):
            return self._refuse(404, "RevisionNotFound")
        if action == "tree":
            is_recursive = "recursive=true" in self.path.lower()
            self._send_json(_list_tree(repository.files, folder, is_recursive))
        elif action == "paths-info":
            wanted = parse_qs(body.decode()).get("paths", [])
            entries = [_describe(repository.files, name) for name in wanted]
            self._send_json([entry for entry in entries if entry])
        else:
            names = [{"rfilename": name} for name in repository.files]
            info = {"id": repository.name, "sha": repository.commit, "siblings": names}
            self._send_json({**info, "tags": [], "private": False, "gated": False})

    def _send_file(self, repository: Repository, path: str) -> None:
        _, where, revision, name = path.split("/", 3)
        if revision not in ("main", repository.commit):
            return self._refuse(404, "RevisionNotFound")
        if name not in repository.files:
            return self._refuse(404, "EntryNotFound")
        data = repository.files[name]
        is_large = name.endswith(LARGE)
        if is_large and where == "resolve":
            return self._redirect(repository, name, data)
        if is_large and repository.fault == "short":
            data = data[: len(data) // 2]
        if is_large and repository.fault == "flipped":
            middle = len(data) // 2
            wrong = bytes([data[middle] ^ 1])
            data = data[:middle] + wrong + data[middle + 1 :]
        start = self._start_of_range()
        self.send_response(206 if start else 200)
        self._send_identity(repository, name)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            all_of_it = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.send_header("Content-Range", all_of_it)
        self.end_headers()
        if self.command != "HEAD":
            is_cut = is_large and repository.fault == "cut"
            self.wfile.write(data[start : len(data) // 2] if is_cut else data[start:])
            self.close_connection = True

    def _start_of_range(self) -> int:
        header = self.headers.get("Range", "")
        return int(header.removeprefix("bytes=").split("-")[0]) if header else 0

    def _send_identity(self, repository: Repository, name: str) -> None:
        self.send_header("ETag", f'"{_hash(repository.files[name], name)}"')
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("Accept-Ranges", "bytes")

    def _redirect(self, repository: Repository, name: str, data: bytes) -> None:
        """Large files lie elsewhere; this answer says what they must be."""
        size = len(data) // (2 if repository.fault == "short" else 1)
        prefix = "" if repository.kind == "models" else f"/{repository.kind}"
        place = f"{prefix}/{repository.name}/cdn/{repository.commit}/{name}"
        self.send_response(302)
        self._send_identity(repository, name)
        self.send_header("X-Linked-ETag", f'"{_hash(data, name)}"')
        self.send_header("X-Linked-Size", str(size))
        self.send_header("Location", self.hub.url + place)
        self.send_header("Content-Length", "0")
        self.end_headers()


@functools.cache
def _hash(data: bytes, name: str) -> str:
    """What the hub gives as etag: git's hash, or sha256 for large files."""
    if name.endswith(LARGE):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _describe(files: dict[str, bytes], name: str) -> dict[str, object] | None:
    if name in files:
        data = files[name]
        git_hash = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry = {"type": "file", "path": name, "size": len(data), "oid": git_hash}
        if name.endswith(LARGE):
            large = {"oid": _hash(data, name), "size": len(data), "pointerSize": 130}
            entry["lfs"] = large
        return entry
    if any(path.startswith(name + "/") for path in files):
        return {"type": "directory", "path": name, "size": 0, "oid": "0" * 40}
    return None


def _list_tree(
    files: dict[str, bytes], folder: str, is_recursive: bool
) -> list[dict[str, object] | None]:
    prefix = folder + "/" if folder else ""
    below = [name.removeprefix(prefix) for name in files if name.startswith(prefix)]
    if not is_recursive:
        below = list(dict.fromkeys(name.split("/")[0] for name in below))
    return [_describe(files, prefix + name) for name in below]


def write_model(folder: Path, seed: int = 0) -> dict[str, bytes]:
    """A tiny random GPT-2 with its tokenizer, as files."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from llmbook_utils.text.bpe import BytePairTokenizer

    tokenizer = BytePairTokenizer.train(["the lamp is in the shed"], 260)
    tokenizer.save(folder)
    size = {"n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2}
    config = GPT2Config(vocab_size=260, bos_token_id=0, eos_token_id=0, **size)
    torch.manual_seed(seed)
    GPT2LMHeadModel(config).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_parquet(documents: list[str]) -> bytes:
    """As plain bytes: a wrong one gives a wrong letter, and no error."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    table = pa.table({"text": documents, "number": list(range(len(documents)))})
    pq.write_table(table, file, compression="none", use_dictionary=False)
    return file.getvalue()


class Reader:
    """A reader's Python with ``HF_ENDPOINT`` and ``HF_HOME`` set before it starts."""

    def __init__(self, url: str, home: Path, **environment: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        root = Path(__file__).parents[2]
        path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
        environment |= {"HF_ENDPOINT": url, "HF_HOME": str(home), "PYTHONPATH": path}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**kept, **environment},
        )

    def ask(self, what: str, *arguments: object, **options: object) -> dict:
        """Load a "model" or a "corpus", and tell what came of it."""
        self._process.stdin.write(json.dumps([what, arguments, options]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)


def _serve_reader() -> None:
    """What runs in the reader's process: a request a line, an answer a line."""
    answers, sys.stdout = sys.stdout, sys.stderr
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.001))  # retries wait for seconds
    for line in sys.stdin:
        what, arguments, options = json.loads(line)
        try:
            answer = {"model": _read_model, "corpus": _read_corpus}[what](
                *arguments, **options
            )
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            answer = {"error": str(error), "kinds": kinds}
        print(json.dumps(answer), file=answers, flush=True)


def _read_model(*arguments: object, **options: object) -> dict[str, object]:
    """The types, the sum of all weights, and the ids of a text."""
    from llmbook_utils import pretrained

    model, tokenizer = pretrained.load(*arguments, **options)
    weights = sum(p.double().sum().item() for p in model.parameters())
    types = [type(model).__name__, type(tokenizer).__name__]
    ids = tokenizer("the lamp<|endoftext|>")["input_ids"]
    return {"types": types, "weights": weights, "ids": ids}


def _read_corpus(*arguments: object, **options: object) -> dict[str, object]:
    from llmbook_utils.text.corpora import load_corpus

    return {"documents": load_corpus(*arguments, **options)}


if __name__ == "__main__":
    _serve_reader()
