"""The way to the hub and back: what each fault gives, and that it leaves no trace.

A server on 127.0.0.1 stands for the hub. A reader's Python asks it through
``HF_ENDPOINT``, with a cache of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, Reader, write_model, write_parquet

from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.text.hub import explain

DOCUMENTS = [f"document {i}: the lamp is in the shed" for i in range(400)]


@pytest.fixture(scope="module")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def dataset_files() -> dict[str, bytes]:
    """Two splits, and a column with an empty text."""
    return {
        "README.md": b"---\nlicense: mit\n---\nStories.\n",
        "data/train-00000-of-00001.parquet": write_parquet([*DOCUMENTS, " "]),
        "data/test-00000-of-00001.parquet": write_parquet(DOCUMENTS[:3]),
    }


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def reader(hub: Hub, home: Path) -> Iterator[Reader]:
    reader = Reader(hub.url, home)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def offline_reader(hub: Hub, home: Path) -> Iterator[Reader]:
    """Another process with the same cache."""
    reader = Reader(hub.url, home, HF_HUB_OFFLINE="1")
    yield reader
    reader.close()


FAULTS = [
    ("cut", "ConnectionError", "stopped sending in the middle of a file"),
    ("short", "ConnectionError", "arrived damaged"),
    ("flipped", "ConnectionError", "arrived damaged"),
    ("missing", "ValueError", "check the spelling"),
    ("limit", "ConnectionError", "429, too many requests: wait"),
    ("limit files", "ConnectionError", "429, too many requests: wait"),
    ("broken", "ConnectionError", "answers with error 500; try again later"),
    ("login", "ConnectionError", "does the network want a log-in"),
]


@pytest.fixture(scope="module")
def good(
    reader: Reader, tmp_path_factory: pytest.TempPathFactory, model_files: dict
) -> dict:
    """What the files give when they are loaded from a folder."""
    folder = tmp_path_factory.mktemp("good")
    for name, data in model_files.items():
        (folder / name).write_bytes(data)
    answer = reader.ask("model", str(folder))
    ids = BytePairTokenizer.load(folder).encode("the lamp<|endoftext|>")
    assert answer["ids"] == ids
    assert answer["types"] == ["GPT2LMHeadModel", "GPT2Tokenizer"]
    return answer


@pytest.mark.parametrize(("fault", "kind", "message"), FAULTS)
def test_a_fault_is_explained_and_a_later_attempt_works(
    fault: str,
    kind: str,
    message: str,
    hub: Hub,
    reader: Reader,
    good: dict,
    model_files: dict,
    dataset_files: dict,
) -> None:
    name = f"village/{fault.replace(' ', '-')}"
    for what, files in (("models", model_files), ("datasets", dataset_files)):
        hub.add(name, files, what)
        hub.repositories[what, name].fault = fault
    for request in (("model", name), ("corpus", f"hub:{name}")):
        answer = reader.ask(*request)
        assert kind in answer["kinds"], answer
        assert message in answer["error"] and name in answer["error"]
    for what in ("models", "datasets"):
        hub.repositories[what, name].fault = ""
    assert reader.ask("model", name) == good
    assert reader.ask("corpus", f"hub:{name}")["documents"] == DOCUMENTS


def test_explain_takes_the_nearest_cause_it_knows() -> None:
    """What was handled on the way to a ValueError is not its reason."""
    from huggingface_hub.errors import GatedRepoError

    lost = type("ConnectTimeout", (Exception,), {"__module__": "httpx"})("timed out")
    error = OSError("no such file")
    assert explain(error, "model", "a/b") is error
    error.__context__ = lost
    explained = explain(error, "model", "a/b")
    assert type(explained) is ConnectionError and "(timed out)" in str(explained)
    error = ValueError("Unknown split")
    error.__context__ = lost
    assert explain(error, "dataset", "a/b") is error
    gated = GatedRepoError.__new__(GatedRepoError)
    explained = explain(gated, "model", "a/b")
    assert type(explained) is PermissionError and "`hf auth login`" in str(explained)


@pytest.fixture
def away(hub: Hub) -> Iterator[None]:
    """Take the server off the network for one test."""
    hub.stop()
    yield
    hub.start()


@pytest.fixture(scope="module")
def fetched(
    hub: Hub, reader: Reader, good: dict, model_files: dict, dataset_files: dict
) -> str:
    """A model and a dataset that have been read once, so that the cache is full."""
    hub.add("village/fetched", model_files)
    hub.add("village/fetched", dataset_files, "datasets")
    assert reader.ask("model", "village/fetched") == good
    answer = reader.ask("corpus", "hub:village/fetched", split="test")
    assert answer["documents"] == DOCUMENTS[:3]
    return "village/fetched"


@pytest.fixture(scope="module")
def half_fetched(hub: Hub, reader: Reader, model_files: dict, dataset_files: dict):
    """A model and a dataset whose small files came, and whose large ones broke off."""
    hub.add("village/half", model_files)
    hub.add("village/half", dataset_files, "datasets")
    for what, name in (("model", "village/half"), ("corpus", "hub:village/half")):
        hub.repositories[
            what.replace("corpus", "dataset") + "s", "village/half"
        ].fault = "cut"
        assert "error" in reader.ask(what, name)
    return "village/half"


def check_cache_is_enough(reader: Reader, name: str, good: dict) -> None:
    assert reader.ask("model", name) == good
    for split, documents in (("train", DOCUMENTS), ("test", DOCUMENTS[:3])):
        answer = reader.ask("corpus", f"hub:{name}", split=split)
        assert answer["documents"] == documents
    answer = reader.ask("corpus", f"hub:{name}", split="nosuch")
    assert "ValueError" in answer["kinds"] and "'train', 'test'" in answer["error"]


def check_cache_is_missed(reader: Reader, name: str, message: str) -> None:
    for request in (("model", name), ("corpus", f"hub:{name}")):
        answer = reader.ask(*request)
        assert "ConnectionError" in answer["kinds"], answer
        assert message in answer["error"]


def test_without_a_server_the_cache_is_enough(
    reader: Reader, fetched: str, good: dict, away: None
) -> None:
    check_cache_is_enough(reader, fetched, good)


@pytest.mark.parametrize("name", ["village/never", "village/half"])
def test_without_a_server_what_is_not_cached_is_explained(
    name: str, reader: Reader, half_fetched: str, away: None
) -> None:
    check_cache_is_missed(reader, name, "cannot be reached")


def test_offline_the_cache_is_enough(
    offline_reader: Reader, fetched: str, good: dict
) -> None:
    check_cache_is_enough(offline_reader, fetched, good)


@pytest.mark.parametrize("name", ["village/never", "village/half"])
def test_offline_what_is_not_cached_is_explained(
    name: str, offline_reader: Reader, half_fetched: str
) -> None:
    check_cache_is_missed(offline_reader, name, "unset it once, with network")


def test_with_a_full_cache_a_limit_is_no_obstacle(
    hub: Hub, reader: Reader, fetched: str, good: dict
) -> None:
    repositories = [hub.repositories[what, fetched] for what in ("models", "datasets")]
    for repository in repositories:
        repository.fault = "limit"
        repository.requests.clear()
    check_cache_is_enough(reader, fetched, good)
    for repository in repositories:
        repository.fault = ""
    # the hub is asked once each time, not again and again
    assert [len(repository.requests) for repository in repositories] == [1, 3]


def test_nothing_is_fetched_twice(hub: Hub, reader: Reader, fetched: str) -> None:
    for what, name in (("models", fetched), ("datasets", f"hub:{fetched}")):
        requests = hub.repositories[what, fetched].requests
        requests.clear()
        reader.ask("model" if what == "models" else "corpus", name)
        assert requests and not [r for r in requests if r.startswith("GET /cdn")]


def test_a_cache_that_was_damaged_on_the_disk_is_mended(
    hub: Hub, reader: Reader, home: Path, good: dict, model_files: dict
) -> None:
    """A disk that was full, for example: the file is there, and short."""
    hub.add("village/disk", model_files)
    assert reader.ask("model", "village/disk") == good
    (weights,) = (home / "hub" / "models--village--disk").glob("**/model.safetensors")
    data = weights.read_bytes()
    weights.resolve().write_bytes(data[:-100])
    assert "model.safetensors" in reader.ask("model", "village/disk")["error"]
    assert reader.ask("model", "village/disk") == good


def test_revisions(hub: Hub, reader: Reader, fetched: str, good: dict) -> None:
    for what, name in (("models", fetched), ("datasets", f"hub:{fetched}")):
        ask = "model" if what == "models" else "corpus"
        commit = hub.repositories[what, fetched].commit
        assert "error" not in reader.ask(ask, name, revision=commit)
        answer = reader.ask(ask, name, revision="v7")
        assert "ValueError" in answer["kinds"]
        assert "has no revision 'v7'" in answer["error"]


def test_offline_another_commit_is_not_taken_for_the_one_asked_for(
    hub: Hub, offline_reader: Reader, fetched: str
) -> None:
    commit = hub.repositories["datasets", fetched].commit
    name = f"hub:{fetched}"
    assert "documents" in offline_reader.ask("corpus", name, revision=commit)
    other = offline_reader.ask("corpus", name, revision="0" * 40)
    assert "ConnectionError" in other["kinds"]


def test_pickled_weights_are_refused(
    hub: Hub, reader: Reader, model_files: dict
) -> None:
    files = {k: v for k, v in model_files.items() if k != "model.safetensors"}
    hub.add("village/pickle", {**files, "pytorch_model.bin": b"\x80\x02."})
    answer = reader.ask("model", "village/pickle")
    assert "ValueError" in answer["kinds"]
    assert "pytorch_model.bin alone, a pickle" in answer["error"]
    requests = hub.repositories["models", "village/pickle"].requests
    assert not [request for request in requests if "pytorch_model" in request]


def test_a_model_without_a_tokenizer_is_refused(
    hub: Hub, reader: Reader, model_files: dict
) -> None:
    files = {k: v for k, v in model_files.items() if k != "merges.txt"}
    hub.add("village/mute", files)
    answer = reader.ask("model", "village/mute")
    assert "has no vocab.json and merges.txt" in answer["error"]


def test_what_a_dataset_does_not_have_is_named(
    hub: Hub, reader: Reader, fetched: str
) -> None:
    for options, message in (
        ({"column": "story"}, "one of: 'text', 'number'"),
        ({"column": "number"}, "must hold text, got 0"),
        ({"split": "dev"}, "'train', 'test'"),
    ):
        answer = reader.ask("corpus", f"hub:{fetched}", **options)
        assert "ValueError" in answer["kinds"] and message in answer["error"]
    answer = reader.ask("corpus", f"hub:{fetched}/large")
    assert "'large' not found" in answer["error"]
    hub.add("village/script", {"script.py": b"import os"}, "datasets")
    answer = reader.ask("corpus", "hub:village/script")
    assert 'try revision="refs/convert/parquet"' in answer["error"]
    for name in ("hub:", "hub:one", "hub:a/b/c/d", "hub:a//b"):
        assert "'hub:owner/name'" in reader.ask("corpus", name)["error"]


def test_a_dataset_that_is_damaged_on_the_hub_itself(
    hub: Hub, reader: Reader, dataset_files: dict
) -> None:
    """The bytes are as they should be, but no parquet."""
    name = "data/train-00000-of-00001.parquet"
    files = {**dataset_files, name: dataset_files[name][:-1000]}
    hub.add("village/bad", files, "datasets")
    answer = reader.ask("corpus", "hub:village/bad")
    assert "ValueError" in answer["kinds"] and "cannot be read" in answer["error"]
