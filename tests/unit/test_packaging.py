"""The ranges: one set in pyproject.toml, which all other files must agree with."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
CORE = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
EXTRAS = [
    Requirement(line)
    for lines in PROJECT["optional-dependencies"].values()
    for line in lines
]
# In Colab these are missing, so that pip brings a release that fits.
NOT_IN_COLAB = {"bertviz", "mpld3", "sphinxcontrib-jquery"}


def pins(path: Path) -> dict[str, Version]:
    """Read ``name==version`` lines."""
    found = re.findall(r"^([\w.-]+)==(\S+)$", path.read_text(encoding="utf8"), re.M)
    return {canonicalize_name(name): Version(version) for name, version in found}


COLAB = pins(ROOT / "tests/unit/colab_versions.txt")
LOCKED = pins(ROOT / "constraints.txt")


@pytest.mark.parametrize("name", sorted(set(CORE) - NOT_IN_COLAB))
def test_core_range_admits_what_colab_has(name):
    specifier = CORE[name].specifier
    if name in COLAB:
        assert specifier.contains(COLAB[name]), f"{CORE[name]} in Colab"
    else:
        assert not specifier, f"{name}: any version will do, or record that of Colab"


def test_python_range_admits_colab_and_names_the_supported_ones():
    assert PROJECT["requires-python"] == ">=3.11"


@pytest.mark.parametrize("requirement", [*CORE.values(), *EXTRAS], ids=str)
def test_constraints_hold_one_version_within_each_range(requirement):
    version = LOCKED[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_constraints_name_their_python_and_no_local_version():
    text = (ROOT / "constraints.txt").read_text(encoding="utf8")
    assert re.search(r"^# python 3\.11\.\d+$", text, re.M)
    assert "+" not in text, "a local version label installs on one machine only"
    assert not re.search(r"^(nvidia|triton|cuda)", text, re.M)


def test_conda_environment_has_the_ranges_of_pyproject():
    spec = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf8"))
    conda = [line for line in spec["dependencies"] if isinstance(line, str)]
    by_pip = next(d["pip"] for d in spec["dependencies"] if isinstance(d, dict))
    lines = conda + [line for line in by_pip if not line.startswith("-")]
    found = {canonicalize_name(r.name): r for r in map(Requirement, lines)}
    found["torch"] = found.pop("pytorch")
    for name, requirement in CORE.items():
        assert found[name].specifier == requirement.specifier, name
    extra = set(found) - set(CORE) - {"python", "pip", "make", "nodejs"}
    assert not extra, "in environment.yml, but not in pyproject.toml"
    assert "--editable .[book]" in by_pip


def test_core_imports_are_declared():
    """Whatever the package imports is a dependency that somebody asked for."""
    import ast
    import sys

    import_names = {"yaml": "pyyaml", "IPython": "ipython"}
    extras = {canonicalize_name(r.name) for r in EXTRAS}
    # Sphinx and docutils come with jupyter-book, as do its theme and MyST-NB.
    through_book = {"sphinx", "docutils", "myst-nb", "sphinx-mathjax-offline"}
    for path in [
        *ROOT.glob("llmbook_*/**/*.py"),
        *ROOT.glob("tools/llmbook_*/**/*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in {n.partition(".")[0] for n in names}:
                package = canonicalize_name(import_names.get(name, name))
                known = {*CORE, *extras, *through_book}
                is_ours = name.startswith("llmbook_") or name in sys.stdlib_module_names
                assert package in known or is_ours, (
                    f"{path.name} imports {name}, which no extra installs"
                )
