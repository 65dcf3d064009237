"""The published notebook is what nbgrader would release, and the solution besides."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

publishing = pytest.importorskip("llmbook_press.sphinx_ext.publish")
publish = publishing.publish

SOLUTIONS = {
    "region": "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n",
    "two regions": (
        "### BEGIN SOLUTION\na = 1\n### END SOLUTION\nb = 2\nif b:\n"
        "\t### BEGIN SOLUTION\n\tc = 3\n\t### END SOLUTION\nd = 4"
    ),
    "no region": "def g():\n    return 1",
    "marks within lines": "x = 1  # BEGIN SOLUTION\ny = 2\nz = 3  # END SOLUTION\nw",
    "empty region": "### BEGIN SOLUTION\n### END SOLUTION",
}
TESTS = {
    "region": (
        "assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n"
        "### END HIDDEN TESTS\nprint('ok')"
    ),
    "no region": "assert True",
    "indented": "if 1:\n  ### BEGIN HIDDEN TESTS\n  f()\n  ### END HIDDEN TESTS\n",
}


def grader(**flags: bool) -> dict:
    usual = {"solution": False, "grade": False, "locked": False, "task": False}
    return {"nbgrader": {**usual, "schema_version": 3, "grade_id": "x", **flags}}


def notebook(*cells: nbformat.NotebookNode) -> dict:
    return json.loads(nbformat.writes(new_notebook(cells=list(cells))))


def sources(result: dict, tag: str) -> list[str]:
    cells = result["cells"]
    tagged = [c for c in cells if tag in c["metadata"].get("tags", ())]
    return [publishing.source_of(cell) for cell in tagged]


@pytest.mark.parametrize("source", SOLUTIONS.values(), ids=SOLUTIONS)
def test_task_is_what_nbgrader_releases(source: str) -> None:
    preprocessors = pytest.importorskip("nbgrader.preprocessors")
    cell = new_code_cell(source, metadata=grader(solution=True))
    cleared, _ = preprocessors.ClearSolutions().preprocess(
        new_notebook(cells=[copy.deepcopy(cell)]), {}
    )
    assert sources(publish(notebook(cell)), "task") == [cleared.cells[0].source]


@pytest.mark.parametrize("source", TESTS.values(), ids=TESTS)
def test_check_is_what_nbgrader_releases(source: str) -> None:
    preprocessors = pytest.importorskip("nbgrader.preprocessors")
    cell = new_code_cell(source, metadata=grader(grade=True))
    cleared, _ = preprocessors.ClearHiddenTests().preprocess(
        new_notebook(cells=[copy.deepcopy(cell)]), {}
    )
    assert sources(publish(notebook(cell)), "check") == [cleared.cells[0].source]


def test_solution_follows_its_task_with_the_output() -> None:
    output = new_output("stream", name="stdout", text="3\n")
    metadata = grader(solution=True)
    cell = new_code_cell(SOLUTIONS["region"], outputs=[output], metadata=metadata)
    original = notebook(cell)
    before = copy.deepcopy(original)
    result = publish(original)
    assert original == before
    task, solution = result["cells"]
    assert task["outputs"] == []
    assert solution["outputs"] == before["cells"][0]["outputs"]
    assert solution["source"] == "def f(x):\n    return x\n"
    assert task["id"] != solution["id"]
    nbformat.validate(result)


def test_source_may_be_stored_as_lines() -> None:
    cell = new_code_cell(SOLUTIONS["region"], metadata=grader(solution=True))
    text, lines = notebook(cell), notebook(cell)
    lines["cells"][0]["source"] = SOLUTIONS["region"].splitlines(keepends=True)
    assert publish(lines) == publish(text)


def test_set_up_for_colab_is_not_published() -> None:
    cell = new_code_cell("pip", metadata={"tags": ["colab-setup"]})
    assert publish(notebook(cell))["cells"] == []


def test_other_cells_stay_as_they_are() -> None:
    cells = [new_markdown_cell("# T"), new_code_cell("1 + 1")]
    assert publish(notebook(*cells)) == notebook(*cells)


def test_written_solutions_are_folded() -> None:
    tagged = new_markdown_cell("Because.", metadata={"tags": ["solution"]})
    region = new_markdown_cell(
        "Why?\n### BEGIN SOLUTION\nWhy?\nBecause.\n### END SOLUTION\nSay it.",
        metadata=grader(solution=True, grade=True),
    )
    first, second = publish(notebook(tagged, region))["cells"]
    fold = ":::::::{folded} Worked solution\n{}\n:::::::"
    assert first["source"] == fold.replace("{}", "Because.")
    question, answer = second["source"].split("\n\n")
    assert question == "Why?\nSay it."
    assert answer == fold.replace("{}", "Why?\nBecause.")


def test_code_of_a_quiz_is_not_published() -> None:
    from llmbook_utils.explorers.core.explorer import MIME

    data = {MIME: {"kind": "quiz"}}
    cell = new_code_cell("Quiz()", outputs=[new_output("display_data", data=data)])
    assert sources(publish(notebook(cell)), "remove-input") == ["Quiz()"]


@pytest.mark.parametrize(
    "cell,message",
    [
        (new_code_cell("### BEGIN SOLUTION\n### END SOLUTION"), "solution: true"),
        (
            new_code_cell("### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"),
            "grade: true",
        ),
        (
            new_code_cell("### BEGIN SOLUTION", metadata=grader(solution=True)),
            "without END SOLUTION",
        ),
        (
            new_code_cell(
                "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
                metadata=grader(solution=True),
            ),
            "within a SOLUTION region",
        ),
        (
            new_code_cell("### BEGIN HIDDEN TESTS", metadata=grader(grade=True)),
            "without END HIDDEN TESTS",
        ),
    ],
)
def test_mistakes_are_named(cell: nbformat.NotebookNode, message: str) -> None:
    with pytest.raises(ValueError, match=f"cell 1: .*{message}"):
        publish(notebook(cell))
