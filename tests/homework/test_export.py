"""Scores as tables, checked against what the platforms' importers ask for."""

import csv

import pytest
from classroom import about, graded, hand_in, notebook, store, unreleased

from llmbook_homework.course import write_json
from llmbook_homework.lms import export
from llmbook_homework.lms.by_hand import ByHand
from llmbook_homework.lms.roster import Person, Roster
from llmbook_homework.lms.rows import rows_of, summary


def read(path):
    with path.open(encoding="utf8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def course(tmp_path):
    """Ada and Zoë are graded, Eve is not yet, Bob handed in nothing."""
    course = unreleased(tmp_path)
    people = [
        Person("ada", "Ada Lovelace", "ada@x.org", "4711"),
        Person("zoe", "Zoë, O'Neil", "zoe@x.org", "4712"),
        Person("eve", "Eve", "", "4713"),
        Person("bob", "Bob", "bob@x.org", "4714"),
    ]
    Roster(people).save(course)
    for person, number in zip(people[:3], ("11", "12", "13"), strict=True):
        folder = hand_in(course, person.id, notebook())
        told = {"lms": "moodle", "lms_id": number, "name": person.name}
        write_json(folder / "collected.json", told)
    store(course, graded("ada", 2, 1.5, submitted="2026-11-19T10:00:00+00:00"))
    late = graded("zoe", 0, 3, late=True, submitted="2026-11-21T10:00:00+00:00")
    late.exercises[0].reason = '=HYPERLINK("http://x", "click")\nsecond line'
    store(course, late)
    return course


def write(course, form, path, **more):
    return export.export(course, course.assignment("00"), form, path, **more)


def test_csv_has_a_row_for_everybody_and_a_reason_for_everything(course, tmp_path):
    write(course, "csv", tmp_path / "out.csv")
    head, *rows = read(tmp_path / "out.csv")
    table = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert list(table) == ["ada", "bob", "eve", "zoe"]
    assert head[-4:] == ["ex1", "ex1_reason", "ex2", "ex2_reason"]
    assert (table["ada"]["score"], table["ada"]["points"]) == ("3.5", "5")
    assert (table["ada"]["ex2"], table["ada"]["ex2_reason"]) == ("1.5", "Right.")
    assert (table["zoe"]["late"], table["ada"]["late"]) == ("yes", "no")
    assert (table["bob"]["score"], table["bob"]["remark"]) == (
        "",
        "nothing was handed in",
    )
    assert (table["eve"]["score"], table["eve"]["remark"]) == ("", "not graded yet")
    assert table["zoe"]["name"] == "Zoë, O'Neil"


@pytest.mark.parametrize("form", ["csv", "canvas", "moodle"])
def test_no_cell_is_a_formula(course, tmp_path, form):
    """A reason may quote what a student's code returned; a name is what they chose."""
    people = Roster.of(course).people | {
        "ada": Person("ada", "=1+1", "@x.org", "4711"),
        "bob": Person("bob", "+1", "-2"),
    }
    Roster(people.values()).save(course)
    write(course, form, tmp_path / "out.csv")
    head, *rows = read(tmp_path / "out.csv")
    assert any("'=1+1" in row for row in rows)
    for row in rows:
        for title, cell in zip(head, row, strict=True):
            is_dash = cell == "-" and title == "Last modified (grade)"
            assert is_dash or cell[:1] not in tuple("=+-@\t\r")
            assert "\n" not in cell or title == "Feedback comments"


def canvas_accepts(head):
    """The rules of Canvas's importer for the first row, in our words."""
    assert len(head) > 3 and "Student" in head[0] and "ID" in head[1]
    columns = 3
    if head[2] == "SIS Login ID":
        columns = 4
    elif head[2] == "SIS User ID" and head[3] == "SIS Login ID":
        columns = 5 + (head[4] == "Integration ID")
    assert "Section" in head[columns - 1]
    return head[columns:]


def test_canvas_without_a_file_of_its_own(course, tmp_path):
    write(course, "canvas", tmp_path / "out.csv", column="Homework 0 (88)")
    head, points, *rows = read(tmp_path / "out.csv")
    assert canvas_accepts(head) == ["Homework 0 (88)"]
    assert "Points Possible" in points[0] and points[-1] == "5"
    assert [row[0] for row in rows] == ["Ada Lovelace", "Zoë, O'Neil"]
    assert {len(row) for row in rows} == {len(head)}
    # what Moodle calls her in this assignment is no number of Canvas's
    assert rows[0][1] == "4711" and rows[0][-1] == "3.5"


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,HW 0 (88),HW 1 (89),Final Score
    Points Possible,,,,,5,10,(read only)
"Lovelace, Ada",4711,S1,ADA,A,,7,93
"O'Neil, Zoë,",4712,S2,zoe,A,1,8,94
Test Student,9,,,A,,,
"""


@pytest.mark.parametrize("column", ["HW 0 (88)", "HW 0"])
def test_canvas_file_is_filled_in_and_other_columns_are_left_out(
    course, tmp_path, column
):
    for student, number in (("ada", "4711"), ("zoe", "4712")):
        folder = course.folder("submitted", student, course.assignment("00"))
        write_json(folder / "collected.json", {"lms_id": number})
    like = tmp_path / "grades.csv"
    like.write_text("﻿" + CANVAS, encoding="utf8")
    missing = write(course, "canvas", tmp_path / "out.csv", like=like, column=column)
    head, points, *rows = read(tmp_path / "out.csv")
    assert canvas_accepts(head) == ["HW 0 (88)"] and points[-1] == "5"
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("Lovelace, Ada", "4711", "3.5"),
        ("O'Neil, Zoë,", "4712", "3"),
        ("Test Student", "9", ""),
    ]
    assert missing == []


def test_people_are_found_by_login_or_name_too(course, tmp_path):
    like = tmp_path / "grades.csv"
    like.write_text(CANVAS.replace("4711", "").replace("4712", ""), encoding="utf8")
    write(course, "canvas", tmp_path / "out.csv", like=like, column="HW 0")
    scores = [row[-1] for row in read(tmp_path / "out.csv")[2:]]
    assert scores == ["3.5", "3", ""]


def test_who_is_not_in_the_platforms_file_is_named(course, tmp_path):
    like = tmp_path / "grades.csv"
    lines = [line for line in CANVAS.splitlines() if "Neil" not in line]
    like.write_text("\n".join(lines), encoding="utf8")
    assert write(course, "canvas", tmp_path / "o.csv", like=like, column="HW 0") == [
        "zoe"
    ]


def test_moodle_without_a_file_of_its_own(course, tmp_path):
    """Its importer asks for three columns by name, and an id that ends in digits."""
    missing = write(course, "moodle", tmp_path / "out.csv")
    head, *rows = read(tmp_path / "out.csv")
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(head)
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["Identifier"] for row in told] == ["Participant 11", "Participant 12"]
    assert [row["Grade"] for row in told] == ["3.5", "3"]
    assert told[0]["Feedback comments"] == "ex1: 2 of 2. Right.\nex2: 1.5 of 3. Right."
    assert "Handed in late." in told[1]["Feedback comments"]
    assert missing == []


MOODLE = (
    "﻿Identifier,Full name,Email address,Status,Grade,Maximum Grade,"
    "Grade can be changed,Last modified (submission),Last modified (grade),"
    "Feedback comments\n"
    'Participant 11,Ada Lovelace,ada@x.org,"Submitted",,{most},Yes,-,-,\n'
    'Participant 99,Zoë O\'Neil,zoe@x.org,"Submitted",,{most},Yes,-,-,\n'
    'Participant 14,Bob,bob@x.org,No submission,,{most},Yes,-,-,"kept"\n'
)


def test_moodle_worksheet_is_filled_in(course, tmp_path):
    like = tmp_path / "sheet.csv"
    like.write_text(MOODLE.format(most="5.00"), encoding="utf8")
    assert write(course, "moodle", tmp_path / "out.csv", like=like) == []
    head, *rows = read(tmp_path / "out.csv")
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["Grade"] for row in told] == ["3.5", "3", ""]
    assert told[2]["Feedback comments"] == "kept"
    assert head[0] == "Identifier" and told[0]["Status"] == "Submitted"


def test_another_maximum_is_refused_and_scaled_when_asked(course, tmp_path):
    """Moodle skips a grade above its maximum, and takes 3.5 of 100 for a bad one."""
    like = tmp_path / "sheet.csv"
    like.write_text(MOODLE.format(most="100,00").replace("100,00", '"100,00"'))
    with pytest.raises(ValueError, match="--out-of 100"):
        write(course, "moodle", tmp_path / "out.csv", like=like)
    assert not (tmp_path / "out.csv").exists()
    write(course, "moodle", tmp_path / "out.csv", like=like, out_of=100)
    assert [row[4] for row in read(tmp_path / "out.csv")[1:]] == ["70", "60", ""]


def test_semicolons_stay_semicolons(course, tmp_path):
    like = tmp_path / "sheet.csv"
    like.write_text("Identifier;Grade;Last modified (grade)\nTeilnehmer 11;;-\n")
    write(course, "moodle", tmp_path / "out.csv", like=like)
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == "Teilnehmer 11;3.5;-"


def test_mistakes_say_what_to_do(course, tmp_path):
    with pytest.raises(ValueError, match="csv, canvas, moodle"):
        write(course, "excel", tmp_path / "out.csv")
    like = tmp_path / "grades.csv"
    like.write_text(CANVAS, encoding="utf8")
    with pytest.raises(ValueError, match=r"HW 0 \(88\), HW 1"):
        write(course, "canvas", tmp_path / "out.csv", like=like)


def test_a_comment_tells_the_scores_that_count():
    """Whoever reads 2 of 5 points in a box reads why, and no other sum."""
    result = graded("ada", 0, 0)
    hand = ByHand({"ch00-ex1": 1.5}, {"ch00-ex1": "Half of it."})
    assert summary(result, hand).splitlines() == [
        "ex1: 1.5 of 2. Scored by hand; the checks gave 0. Half of it. Twice 2 is 4.",
        "ex2: 0 of 3. Twice 2 is 4.",
    ]
    result.problem = "No notebook came."
    assert summary(result) == "No notebook came."
    assert summary(result, hand).startswith("ex1: 1.5 of 2.")


def test_scaled_scores_leave_the_comment_as_it_is(course, tmp_path):
    write(course, "moodle", tmp_path / "out.csv", out_of=100)
    head, ada, _ = read(tmp_path / "out.csv")
    told = dict(zip(head, ada, strict=True))
    assert (told["Grade"], told["Maximum Grade"]) == ("70", "100")
    assert told["Feedback comments"].startswith("ex1: 2 of 2.")


def test_options_that_make_no_sense(course, tmp_path):
    out, like = tmp_path / "out.csv", tmp_path / "none.csv"
    for form, more, message in [
        ("csv", {"like": like}, "--format canvas"),
        ("moodle", {"like": like}, "there is no file"),
        ("moodle", {"out_of": -5}, "above 0"),
        ("csv", {"out_of": float("nan")}, "above 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            write(course, form, out, **more)
    assert not out.exists()


@pytest.mark.parametrize(
    ("told", "canvas", "moodle"),
    [
        ({"lms": "moodle", "lms_id": "11"}, "4711", "11"),
        ({"lms": "canvas", "lms_id": "88"}, "88", ""),
        ({"lms": "folder", "lms_id": "ada"}, "4711", ""),
        ({"lms": "exchange", "lms_id": "ada"}, "4711", ""),
        ({}, "4711", ""),
    ],
)
def test_a_number_is_good_for_its_own_platform(course, told, canvas, moodle):
    assignment = course.assignment("00")
    write_json(course.folder("submitted", "ada", assignment) / "collected.json", told)
    row = next(row for row in rows_of(course, assignment) if row.person.id == "ada")
    assert (row.number("canvas"), row.number("moodle")) == (canvas, moodle)
    missing = write(course, "moodle", course.root / "out.csv")
    assert missing == ([] if moodle else ["ada"])


@pytest.mark.parametrize(
    ("told", "late"), [({"late": False}, "no"), ({"late": None}, ""), ({}, "")]
)
def test_nobody_is_in_time_if_nobody_knows_when(course, told, late):
    assignment = course.assignment("00")
    store(course, graded("ada"))
    write_json(course.folder("submitted", "ada", assignment) / "collected.json", told)
    row = next(row for row in rows_of(course, assignment) if row.person.id == "ada")
    assert row.late == late


def test_helper_reads_what_collect_writes(course):
    assert about(course, "ada")["lms_id"] == "11"
