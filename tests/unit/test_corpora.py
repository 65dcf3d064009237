"""The corpus of docstrings: complete, repeatable, and clear when it cannot be made."""

import ast
import hashlib
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from llmbook_utils import corpora
from llmbook_utils.corpora import load_corpus


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
        "import hashlib; from llmbook_utils.corpora import load_corpus;"
        "print(hashlib.sha256('\\0'.join(load_corpus('pydocs'))"
        ".encode('utf-8', 'surrogatepass')).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(corpora.__file__).parents[1],
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
        "import sys, llmbook_utils.corpora, llmbook_utils.tokenizers;"
        "assert 'torch' not in sys.modules and 'pydoc_data.topics' not in sys.modules"
    )
    root = Path(corpora.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
