"""The corpus of docstrings: complete, repeatable, and clear when it cannot be made."""

import ast
import csv
import hashlib
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmbook_utils.text import corpora
from llmbook_utils.text.corpora import load_corpus


@pytest.fixture(scope="module")
def pydocs() -> list[str]:
    return load_corpus("pydocs")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_pydocs_has_topics_and_docstrings(pydocs: list[str]) -> None:
    """Two megabytes: the language reference first, then the library."""
    assert 1.5e6 < sum(map(len, pydocs)) < 4e6
    assert len(pydocs) > 5000
    joined = "\n".join(pydocs[:50])
    assert "assert" in joined and "statement" in joined  # the first topics
    assert any("JavaScript Object Notation" in text for text in pydocs)  # json
    assert any("lock" in text for text in pydocs)


def test_pydocs_holds_no_document_twice_and_none_empty(pydocs: list[str]) -> None:
    assert len(set(pydocs)) == len(pydocs)
    assert all(text.strip() for text in pydocs)


def test_pydocs_is_the_same_in_another_process(pydocs: list[str]) -> None:
    """No hash order and no folder order gets into the corpus."""
    code = (
        "import hashlib; from llmbook_utils.text.corpora import load_corpus;"
        "print(hashlib.sha256('\\0'.join(load_corpus('pydocs'))"
        ".encode('utf-8', 'surrogatepass')).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(corpora.__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "1"},
    ).stdout.strip()
    joined = "\0".join(pydocs).encode("utf-8", "surrogatepass")
    assert there == hashlib.sha256(joined).hexdigest()


def test_docstrings_agree_with_a_walk_over_every_node() -> None:
    """Oracle: `ast.walk`, which looks everywhere, finds the same ones."""
    folder = Path(ast.__file__).parent
    for name in ("argparse.py", "tarfile.py", "typing.py", "socket.py"):
        tree = corpora._parse(folder / name)
        everywhere = [
            docstring
            for node in ast.walk(tree)
            if isinstance(node, corpora._HAS_DOCSTRING)
            and (docstring := ast.get_docstring(node, clean=False))
        ]
        found = list(corpora._iter_docstrings(tree))
        assert sorted(found) == sorted(everywhere)
        assert len(found) > 10


def test_docstrings_come_in_the_order_of_the_source() -> None:
    source = '''
"""module"""
if True:
    class A:
        """class"""
        async def f(self):
            """method"""
            def g(x):
                """inner"""
else:
    def h():
        """other branch"""
try:
    pass
except ValueError:
    def i():
        """handler"""
def no_docstring():
    return 1
text = """only a string"""
'''
    found = list(corpora._iter_docstrings(ast.parse(source)))
    expected = ["module", "class", "method", "inner", "other branch", "handler"]
    assert found == expected


def test_sources_leave_out_tests_and_other_packages(tmp_path: Path) -> None:
    kept = ["a.py", "email/message.py", "json/__init__.py"]
    left_out = [
        "test/test_a.py",
        "unittest/test/test_b.py",
        "site-packages/numpy/core.py",
        "dist-packages/x.py",
        "idlelib/editor.py",
        "pydoc_data/topics.py",
        "config-3.11-x86_64/python-config.py",
        "_sysconfigdata__linux.py",
    ]
    for name in [*reversed(kept), *left_out]:
        write(tmp_path / name, '"""text"""')
    found = [
        p.relative_to(tmp_path).as_posix() for p in corpora._find_sources(tmp_path)
    ]
    assert found == kept


def test_a_library_below_a_folder_called_test_is_read(tmp_path: Path) -> None:
    """Only folders inside the library are left out, not those that it lies in."""
    write(tmp_path / "test" / "lib" / "a.py", '"""text"""')
    assert corpora._read_docstrings(tmp_path / "test" / "lib") == ["text"]


def test_sources_are_read_in_their_own_encoding(tmp_path: Path) -> None:
    source = '# -*- coding: latin-1 -*-\n"""caf\xe9"""\n'
    (tmp_path / "a.py").write_bytes(source.encode("latin-1"))
    assert corpora._read_docstrings(tmp_path) == ["caf\xe9"]


def test_docstrings_are_dedented(tmp_path: Path) -> None:
    write(tmp_path / "a.py", 'def f():\n    """One.\n\n    Two.\n    """\n')
    assert corpora._read_docstrings(tmp_path) == ["One.\n\nTwo."]


def test_unknown_name_lists_the_corpora() -> None:
    with pytest.raises(ValueError, match=r"'pydoc'.*choose one of: .*pydocs"):
        load_corpus("pydoc")


def test_name_that_is_no_string_is_named() -> None:
    with pytest.raises(TypeError, match=r"must be a string .* got NoneType"):
        load_corpus(None)


def test_options_that_a_corpus_does_not_take_are_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"'seed'; the options of this corpus: none"):
        load_corpus("pydocs", seed=1)
    with pytest.raises(TypeError, match=r"'split'; .*: column$"):
        load_corpus(tmp_path / "a.csv", split="train")
    with pytest.raises(TypeError, match=r"'seed'; .*: column, split, revision$"):
        load_corpus("hub:a/b", seed=1)


def test_a_corpus_may_take_options(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(n: int = 2) -> list[str]:
        return ["a"] * n

    monkeypatch.setitem(corpora._LOADERS, "count", count)
    assert load_corpus("count") == ["a", "a"]
    assert load_corpus("count", n=3) == ["a", "a", "a"]


def test_python_without_source_is_explained(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="comes with its source"):
        corpora._read_docstrings(tmp_path)


def test_python_without_topics_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(FileNotFoundError, match=r"pydoc_data\.topics"):
        load_corpus("pydocs")


def test_topics_come_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("pydoc_data.topics")
    module.topics = {"b": "2\n", "a": "\n1"}
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", module)
    assert corpora._read_topics() == ["1", "2"]


def test_import_reads_nothing_and_leaves_torch_alone() -> None:
    code = (
        "import sys, llmbook_utils.text.corpora, llmbook_utils.text.words;"
        "assert 'torch' not in sys.modules and 'pydoc_data.topics' not in sys.modules"
    )
    root = Path(corpora.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


TEXTS = ["The lamp\nis here.", 'He said: "yes, now"', "灯在棚子里 🙂", "  indented"]


def write_file(path: Path, texts: list[str], column: str = "text") -> Path:
    """The texts as another program would write them."""
    import pandas

    table = pandas.DataFrame({"n": range(len(texts)), column: texts})
    if path.suffix == ".txt":
        path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    elif path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", [".txt", ".csv", ".jsonl", ".parquet", ".CSV"])
def test_files_give_back_what_another_program_wrote(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: pandas writes, `load_corpus` reads. Line breaks, quotes, Chinese."""
    written = write_file(tmp_path / f"stories{kind.lower()}", TEXTS)
    path = written.rename(tmp_path / f"stories{kind}")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_corpus(path) == load_corpus(f"~/{path.name}") == TEXTS


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_the_column_can_be_named(kind: str, tmp_path: Path) -> None:
    path = write_file(tmp_path / f"stories{kind}", TEXTS, column="Geschichte")
    assert load_corpus(path, column="Geschichte") == TEXTS
    with pytest.raises(ValueError, match=r"'text'.*'Geschichte'.*column=|column= one"):
        load_corpus(path)


def test_empty_lines_separate_the_documents_of_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf\r\nOne\r\ntwo.\r\n \t\r\n\r\nThree.\n\n\n\n  Four.")
    assert load_corpus(path) == ["One\ntwo.", "Three.", "  Four."]


def test_empty_lines_of_jsonl_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n\n \t\n{"text": "two"}\n\n')
    assert load_corpus(path) == ["one", "two"]


def test_empty_documents_are_left_out(tmp_path: Path) -> None:
    for kind in (".csv", ".jsonl", ".parquet"):
        missing = [] if kind == ".jsonl" else [None]
        path = write_file(tmp_path / f"a{kind}", ["one", "", " \n", *missing, "two"])
        assert load_corpus(path) == ["one", "two"]
    path.with_suffix(".csv").write_text("text\n\n \n")
    with pytest.raises(ValueError, match="holds no text"):
        load_corpus(path.with_suffix(".csv"))


def test_a_long_document_in_a_table_is_read(tmp_path: Path) -> None:
    """Python's csv stops at 131,072 characters unless it is told otherwise."""
    csv.field_size_limit(131_072)
    path = write_file(tmp_path / "a.csv", ["word " * 50_000])
    assert load_corpus(path) == ["word " * 50_000]
    assert csv.field_size_limit() == 131_072  # as others may count on


DAMAGED = [
    ("a.txt", b"abc\n\nd\xe9f", r"a\.txt is not UTF-8 at byte 6, in line 3 \(0xe9\)"),
    ("a.csv", b"text,n\none,1\nt\xff", r"not UTF-8 at byte 14, in line 3"),
    ("a.csv", b'text,n\n"o\nne",1\ntwo\nthree,3\n', r"in line 4: 1 fields, .* 2"),
    ("a.csv", b"text,n\none,1,1\n", r"in line 2: 3 fields, .* names 2 columns"),
    (
        "a.csv",
        b'text,n\none,1\n"two,2\nthree,3',
        r"row that begins in line 3: .* quote",
    ),
    ("a.csv", b'text,n\n"one"x,1\n', r"row that begins in line 2"),
    ("a.csv", b"", r"no column 'text'"),
    ("a.jsonl", b'{"text": "a"}\n\n{"text": "b\n', r"in line 3, column 10: "),
    (
        "a.jsonl",
        b'{"text": "a"}\n["b"]\n',
        r"line 2: no text under 'text', got \['b'\]",
    ),
    ("a.jsonl", b'{"text": "a"}\n{"text": 7}\n', r"line 2: no text under 'text'"),
    ("a.jsonl", b'{"text": "a"}\n{"n": 7}\n', r"line 2: no text .*, got \['n'\]"),
    ("a.parquet", b"", r"at byte 0 of 0"),
    ("a.parquet", b"PAR1 and then nothing", r"at byte 17 of 21: .* cut short"),
    ("a.parquet", b"PAR1 but no tablePAR1", r"a\.parquet is damaged: "),
]


@pytest.mark.parametrize(("name", "data", "message"), DAMAGED)
def test_damaged_files_say_where(
    name: str, data: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        load_corpus(tmp_path / name)


@given(cut=st.integers(1, 3000))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_cut_anywhere_gives_an_error_or_whole_documents(
    cut: int, tmp_path: Path
) -> None:
    """But for the last row of a .csv file, in which a cut may look like an end."""
    documents = [f'{i}: "the lamp", she said' for i in range(40)]
    for kind in (".csv", ".jsonl", ".parquet"):
        path = write_file(tmp_path / f"whole{kind}", documents)
        part = tmp_path / f"part{kind}"
        part.write_bytes(path.read_bytes()[:-cut])
        try:
            found = load_corpus(part)
        except ValueError:
            continue
        assert kind != ".parquet"
        whole = len(found) - (kind == ".csv")
        assert found[:whole] == documents[:whole]


def test_numbers_are_no_text(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.parquet", TEXTS)
    with pytest.raises(ValueError, match=r"row 0: column 'n' must hold text, got 0"):
        load_corpus(path, column="n")


def test_a_file_that_is_not_there_or_of_another_kind_is_named(tmp_path: Path) -> None:
    for kind in (".txt", ".csv", ".jsonl", ".parquet"):
        with pytest.raises(FileNotFoundError, match=rf"nowhere\{kind} is not there"):
            load_corpus(f"nowhere{kind}")
    with pytest.raises(FileNotFoundError, match=r"folder.txt is a folder"):
        (tmp_path / "folder.txt").mkdir()
        load_corpus(tmp_path / "folder.txt")
    with pytest.raises(ValueError, match=r"end in one of \.txt, .*, got '\.docx'"):
        load_corpus(Path("essay.docx"))
    with pytest.raises(ValueError, match=r"no corpus 'essay.docx'.* a file \(\.txt"):
        load_corpus("essay.docx")


def test_files_are_read_without_the_heavy_libraries(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.csv", TEXTS)
    code = (
        "import sys; from llmbook_utils.text.corpora import load_corpus;"
        f"assert len(load_corpus({str(path)!r})) == 4;"
        "assert not {'torch', 'datasets', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    root = Path(corpora.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


# -- tinyworld -------------------------------------------------------------------------


def test_tinyworld_gives_stories_of_a_split_village_and_language():
    from llmbook_utils.tinyworld.reading import parse
    from llmbook_utils.tinyworld.sampling import split_of

    found = load_corpus("tinyworld", n=20, seed=1, split="test", village="away")
    assert len(set(found)) == 20
    assert found == load_corpus("tinyworld", n=20, seed=1, split="test", village="away")
    assert all(parse(text, "away") and split_of(text) == "test" for text in found)
    chinese = load_corpus("tinyworld", n=3, language="zh")
    assert all("\u4e00" <= story[0] <= "\u9fff" for story in chinese)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"language": "de"}, "language must be 'en' or 'zh'"),
        ({"n": -1}, "n must be from 0"),
        ({"split": "dev"}, "split must be None or one of"),
        ({"village": "rome"}, "village must be one of"),
    ],
)
def test_tinyworld_names_the_option_that_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        load_corpus("tinyworld", **options)
