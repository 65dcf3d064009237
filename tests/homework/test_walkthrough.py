"""The instructors' walk-through: its commands are run, its outputs compared.

``python tests/homework/test_walkthrough.py`` runs them and writes the outputs, and
the pictures of the feedback page, into the book.
"""

import contextlib
import csv
import functools
import io
import re
import shlex
import zipfile
from pathlib import Path
from unittest import mock

import nbformat
from classroom import with_salt

from llmbook_homework.course import Course
from llmbook_homework.exercises import mistakes, reading, vary
from llmbook_homework.grading import grade
from llmbook_homework.grading.sandbox.limits import Limits
from llmbook_press import cli

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "book" / "instructors" / "homework.md"
NOTEBOOK = ROOT / "notebooks" / "11_gpt_from_scratch.ipynb"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
NAMES = ["One", "Two", "Three", "Four", "Five", "Six"]
FOREVER = "def causal_weights(scores):\n    while True:\n        pass"
SECONDS = 10  # of an exercise, so that the endless loop ends sooner; the page says 30
LEAVES = "import os\nos._exit(0)"


def answer_to(exercise):
    """Give the right answer as a student would leave it."""
    return re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", exercise.solution, flags=re.M)


def answers(course):
    """Say what each student leaves in the exercises; the rest is the stub."""
    asked = reading.load(NOTEBOOK).exercises
    planted = {each.name: each.source for each in mistakes.read(NOTEBOOK)}
    left = {}
    for name in NAMES:
        seed = course.seed_of(course.assignment("11"), student(name))
        own = {e.short: answer_to(vary.personalise(e, seed)) for e in asked}
        left[name] = {short: own[short] for short in ("ex1", "ex3", "ex4")}
    left["Two"]["ex3"] = planted["only the mask mended"]
    left["Three"] = {"ex1": FOREVER, "ex3": left["Three"]["ex3"]}
    left["Four"]["ex3"] = LEAVES
    left["Five"] = {}
    return left


def with_answers(path, answered):
    """Fill answers into a released notebook."""
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        source = answered.get(name.rpartition("-")[2])
        cell.source = source or cell.source
    return nbformat.writes(nb)


def student(name):
    """Give a student's id, as the roster makes it from the address."""
    return f"{name.lower()}@example.org"


def participants(folder):
    """Write Moodle's list of participants."""
    with (folder / "participants.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["First name", "Last name", "Email address"])
        table.writerows(["Student", name, student(name)] for name in NAMES)


def hand_in(folder):
    """Make Moodle's archive and worksheet, each from the student's own notebook."""
    own = folder / "nlp" / "seeded"
    left = answers(Course.open(folder / "nlp"))
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for number, name in enumerate(NAMES, start=101):
            place = f"Student {name}_{number}_assignsubmission_file"
            if name == "Six":
                archive.writestr(f"{place}/homework.pdf", b"%PDF-1.7 a letter")
                continue
            path = own / student(name) / "ch11" / NOTEBOOK.name
            archive.writestr(f"{place}/{NOTEBOOK.name}", with_answers(path, left[name]))
    (folder / "mine").mkdir()
    path = own / student("Two") / "ch11" / NOTEBOOK.name
    (folder / "mine" / NOTEBOOK.name).write_text(with_answers(path, left["Two"]))
    with (folder / "grades.csv").open("w", newline="") as file:
        table = csv.writer(file)
        head = "Identifier,Full name,Email address,Status,Grade,Maximum Grade"
        table.writerow([*head.split(","), "Feedback comments"])
        for number, name in enumerate(NAMES, start=101):
            who = [f"Participant {number}", f"Student {name}", student(name)]
            table.writerow([*who, "Submitted for grading", "", "9.00", ""])


def run_command(command, place):
    """Run one command of the page in this process; give what it printed."""
    if command[0] == "cat":
        return (place / command[1]).read_text(encoding="utf8")
    assert command[0] == "llmbook", command
    said, errors = io.StringIO(), io.StringIO()
    hurried = functools.partial(Limits, seconds=SECONDS)
    with (
        contextlib.chdir(place),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(errors),
        mock.patch.object(grade, "Limits", hurried),
    ):
        cli.main(command[1:])
    assert not errors.getvalue(), errors.getvalue()
    return said.getvalue()


def run_block(block, folder, place):
    """Run a block's commands; give it with what they printed, and where it ends."""
    lines = []
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        command = shlex.split(line.removeprefix("$ "))
        lines.append(line)
        if command[0] == "cd":
            place = place / command[1]
            continue
        lines += run_command(command, place).rstrip().splitlines()
        if command[:3] == ["llmbook", "homework", "init"]:
            with_salt(Course.open(place / command[3]))
        if command[:3] == ["llmbook", "homework", "release"]:
            hand_in(folder)
    text = "\n".join(lines).replace(f"{folder.resolve()}/", "~/")
    text = text.replace(f"after {SECONDS} s", f"after {Limits().seconds:g} s")
    return text + "\n", place


def run_page(page, folder):
    """Run a page from top to bottom; give it with fresh outputs."""
    participants(folder)
    place = folder

    def fresh(found):
        nonlocal place
        text, place = run_block(found[1], folder, place)
        return f"```console\n{text}```"

    return BLOCK.sub(fresh, page)


def without_seconds(text):
    """Leave out what differs from run to run."""
    return re.sub(r"\(\d+ s\)", "(N s)", text)


def test_the_page_shows_what_the_commands_print(tmp_path):
    page = PAGE.read_text(encoding="utf8")
    ran = without_seconds(run_page(page, tmp_path))
    shown, printed = BLOCK.findall(without_seconds(page)), BLOCK.findall(ran)
    assert len(shown) >= 10
    assert printed == shown, f"run `python {Path(__file__).relative_to(ROOT)}`"


def take_pictures(folder):
    """Take pictures of a student's feedback, in both colour schemes."""
    from playwright.sync_api import sync_playwright

    pages = folder / "nlp" / "feedback" / student("Two") / "ch11"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for scheme, ending in (("light", ""), ("dark", "-dark")):
            view = browser.new_page(
                viewport={"width": 860, "height": 760}, color_scheme=scheme
            )
            view.goto((pages / f"{NOTEBOOK.stem}.html").as_uri())
            view.screenshot(path=ROOT / "book" / "figures" / f"feedback{ending}.png")
        browser.close()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        text = run_page(PAGE.read_text(encoding="utf8"), Path(name))
        PAGE.write_text(text, encoding="utf8")
        take_pictures(Path(name))
