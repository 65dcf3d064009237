"""The plan of the house: rooms on floors, no circle, imports from where things are."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import llmbook_utils

ROOT = Path(__file__).parents[2]
TOOLS = ("llmbook_press", "llmbook_homework", "llmbook_recipes")
PACKAGES = {"llmbook_utils": ROOT, **dict.fromkeys(TOOLS, ROOT / "tools")}
MOST_MODULES = 15
# The floors of the house, the lowest first, as the package's own text has them.
FLOORS = [
    re.findall(r"``(\w+)``", line)
    for line in re.findall(r"^\d\. (.+)$", llmbook_utils.__doc__ or "", re.M)
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


class Import(NamedTuple):
    """A name that a file takes from a module of ours."""

    path: Path
    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}: {self.module}.{self.name}"


def path_of(module: str) -> Path | None:
    """The file of a module of ours, if there is one."""
    package, *parts = module.split(".")
    base = PACKAGES[package].joinpath(package, *parts)
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def files(*packages: str) -> list[Path]:
    """The Python files of packages."""
    return [p for name in packages for p in (PACKAGES[name] / name).rglob("*.py")]


@cache
def imports(path: Path) -> list[Import]:
    """What a file takes from modules of ours, at any depth of its code."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write imports from the package's name on"
            module = node.module or ""
            found += [Import(path, module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [Import(path, alias.name, "") for alias in node.names]
    return [i for i in found if i.module.partition(".")[0] in PACKAGES]


def room_of(path: Path) -> str:
    """The room of the package that a file is in; empty for the package's own file."""
    parts = path.relative_to(ROOT / "llmbook_utils").parts
    return parts[0].removesuffix(".py").removesuffix("__init__")


def test_the_floors_name_every_room():
    rooms = {room_of(path) for path in files("llmbook_utils")} - {""}
    assert rooms == set(FLOOR)
    assert sum(map(len, FLOORS)) == len(FLOOR)


@pytest.mark.parametrize("room", FLOOR)
def test_a_room_imports_only_from_floors_below(room):
    for path in files("llmbook_utils"):
        for each in imports(path) if room_of(path) == room else ():
            where = path_of(f"{each.module}.{each.name}") or path_of(each.module)
            assert each.module.partition(".")[0] == "llmbook_utils", f"{each}: a tool"
            other = room_of(where)
            assert other in ("", room) or FLOOR[other] < FLOOR[room], str(each)


def test_the_press_knows_no_other_tool():
    others = {*TOOLS} - {"llmbook_press"}
    for path in files("llmbook_press"):
        for each in imports(path):
            assert each.module.partition(".")[0] not in others, str(each)
    for path in files("llmbook_homework"):
        for each in imports(path):
            assert each.module.partition(".")[0] != "llmbook_recipes", str(each)


def defined(path: Path) -> set[str]:
    """The names that a file defines itself."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def test_every_import_names_the_file_of_the_definition():
    tests = [p for p in (ROOT / "tests").rglob("*.py") if p.name != "test_moved.py"]
    for path in [*files(*PACKAGES), *tests]:
        for each in imports(path):
            place = path_of(each.module)
            assert place is not None, str(each)
            is_module = not each.name or path_of(f"{each.module}.{each.name}")
            assert is_module or each.name in defined(place), f"{each} is from elsewhere"


def test_a_folder_can_be_taken_in_at_a_glance():
    folders = {path.parent for path in files(*PACKAGES)}
    for folder in folders:
        modules = [p for p in folder.glob("*.py") if p.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, folder
