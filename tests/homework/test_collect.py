"""What platforms call files, and what strangers put into them."""

import io
import os
import stat
import zipfile
from datetime import UTC, datetime

import pytest
from classroom import about, hand_in, notebook, released, unreleased

from llmbook_homework.course import write_json
from llmbook_homework.grading.grade import submissions_of
from llmbook_homework.lms import delivery, filenames
from llmbook_homework.lms.collect import collect
from llmbook_homework.lms.roster import Person, Roster, read_people

GOOD = notebook(ex1="def double(x):\n    return 2 * x")
OTHER = notebook(ex1="def double(x):\n    return x * 2")
LOG = """Name: {name} ({user})
Assignment: Homework_1 a
Date Submitted: Friday, November 20, 2026 10:11:12 AM CET
Current Grade: Needs Grading

Submission Field:
There is no student submission text data for this assignment.

Comments:
There are no student comments for this assignment.

Files:
\tOriginal filename: x.ipynb
\tFilename: Homework_1 a_{user}_attempt_2026-11-20-10-11-12_x.ipynb
"""


def zipped(path, files):
    """Write a zip archive; values are bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def take(course, place, **more):
    return collect(course, course.assignment("00"), place, **more)


def submitted(course, student):
    folder = course.folder("submitted", student, course.assignment("00"))
    return (folder / "00_small.ipynb").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "Ada Lovelace_12345_assignsubmission_file/my work.ipynb",
        "Ada Lovelace_12345_assignsubmission_file_/my work.ipynb",
        "Ada Lovelace_12345_assignsubmission_file/week 1/my work.ipynb",
        "Ada Lovelace_12345_assignsubmission_file_my work.ipynb",
        "HW-00-77/Ada Lovelace_12345_assignsubmission_file_/my work.ipynb",
    ],
)
def test_moodle(tmp_path, path):
    course = unreleased(tmp_path)
    extra = "Grace Hopper_9_assignsubmission_onlinetext/onlinetext.html"
    done = take(course, zipped(tmp_path / "m.zip", {path: GOOD, extra: b"<p>hi"}))
    assert sorted(done.new) == ["ada-lovelace", "grace-hopper"]
    assert submitted(course, "ada-lovelace") == GOOD
    told = about(course, "ada-lovelace")
    assert (told["lms"], told["lms_id"]) == ("moodle", "12345")
    assert told["name"] == "Ada Lovelace"
    assert "no notebook came; onlinetext.html did" in done.notes["grace-hopper"]


def test_moodle_finds_people_by_name_because_its_numbers_change(tmp_path):
    course = unreleased(tmp_path)
    for number in (11, 22):
        path = f"Ada Lovelace_{number}_assignsubmission_file/x.ipynb"
        take(course, zipped(tmp_path / f"{number}.zip", {path: GOOD}))
    assert list(Roster.of(course).people) == ["ada-lovelace"]
    assert about(course, "ada-lovelace")["lms_id"] == "22"


def test_two_people_of_one_name_stay_two_and_a_worksheet_names_them(tmp_path):
    files = {
        "Wei Li_11_assignsubmission_file/x.ipynb": GOOD,
        "Wei Li_22_assignsubmission_file/x.ipynb": OTHER,
    }
    course = unreleased(tmp_path)
    place = zipped(tmp_path / "m.zip", files)
    done = take(course, place)
    assert sorted(done.new) == ["wei-li-11", "wei-li-22"]
    assert "--roster" in done.notes["wei-li-11"][0]
    assert "homework forget wei-li-22" in done.notes["wei-li-22"][0]
    assert about(course, "wei-li-11")["notes"] == [], "that is not for the student"
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(
        "﻿Identifier,Full name,Email address,Status,Grade\n"
        "Participant 11,Wei Li,li1@x.org,Submitted,\n"
        "Participant 22,Wei Li,li2@x.org,Submitted,\n",
        encoding="utf8",
    )
    course = unreleased(tmp_path / "again")
    done = take(course, place, roster_file=sheet)
    assert sorted(done.new) == ["li1@x.org", "li2@x.org"]
    assert submitted(course, "li2@x.org") == OTHER


def test_canvas(tmp_path):
    course = unreleased(tmp_path)
    files = {
        "lovelaceada_4711_88_my_work.ipynb": OTHER,
        "lovelaceada_4711_99_my_work-1.ipynb": GOOD,
        "hopper_LATE_12_101_x.ipynb": GOOD,
        "王小明_13_102_作业.ipynb": GOOD,
        "turing_14_text.html": b"<p>sorry",
    }
    done = take(course, zipped(tmp_path / "submissions.zip", files))
    assert sorted(done.new) == [
        "hopper-12",
        "lovelaceada-4711",
        "turing-14",
        "王小明-13",
    ]
    assert submitted(course, "lovelaceada-4711") == GOOD
    assert "2 notebooks came" in done.notes["lovelaceada-4711"][0]
    assert about(course, "hopper-12")["late"] is True
    assert about(course, "lovelaceada-4711")["late"] is False
    assert done.unknown == []


def test_canvas_without_names():
    """Anonymous grading: who is not said, but one stays one."""
    files = ["anon_h4fEZ_88_x.ipynb", "LATE_anon_Q1_89_x.ipynb"]
    who, unknown = filenames.senders(files, {}, "x", UTC)
    assert [(s.lms_id, s.is_late) for s in who.values()] == [
        ("anon-h4fEZ", False),
        ("anon-Q1", True),
    ]
    assert unknown == []


def test_canvas_gradebook_gives_its_people_their_logins(tmp_path):
    course = unreleased(tmp_path)
    grades = tmp_path / "grades.csv"
    grades.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,HW (1)\n"
        "    Points Possible,,,,,5\n"
        '"Lovelace, Ada",4711,S1,alove,A,\n'
    )
    files = {"lovelaceada_4711_88_x.ipynb": GOOD}
    done = take(course, zipped(tmp_path / "s.zip", files), roster_file=grades)
    assert done.new == ["alove"]


@pytest.mark.parametrize("with_logs", [True, False])
def test_blackboard(tmp_path, with_logs):
    course = unreleased(tmp_path)
    files = {}
    for user, name in {"al_love": "Ada Lovelace", "ghopper": "Grace Hopper"}.items():
        head = f"Homework_1 a_{user}_attempt_2026-11-20-10-11-12"
        files[f"{head}_x.ipynb"] = GOOD
        if with_logs:
            files[f"{head}.txt"] = LOG.format(name=name, user=user).encode()
    done = take(course, zipped(tmp_path / "gradebook.zip", files))
    assert sorted(done.new) == ["al_love", "ghopper"]
    folder = course.folder("submitted", "ghopper", course.assignment("00"))
    assert (folder / "timestamp.txt").read_text() == "2026-11-20 10:11:12.000000 UTC"
    if with_logs:
        assert about(course, "al_love")["name"] == "Ada Lovelace"


def test_blackboard_writes_its_times_in_the_courses_zone(tmp_path):
    course = unreleased(tmp_path)
    course.timezone = "Europe/Berlin"
    name = "HW_{}_attempt_2026-11-20-10-11-12_x.ipynb"
    files = {name.format(who): GOOD for who in ("ada", "eve")}
    take(course, zipped(tmp_path / "g.zip", files))
    folder = course.folder("submitted", "ada", course.assignment("00"))
    assert (folder / "timestamp.txt").read_text() == "2026-11-20 09:11:12.000000 UTC"


def test_a_name_in_blackboards_text_cannot_leave_the_folder(tmp_path):
    course = unreleased(tmp_path)
    files = {}
    for user in ("ada", "eve"):
        head = f"HW_{user}_attempt_2026-11-20-10-11-12"
        files[f"{head}_x.ipynb"] = GOOD
        files[f"{head}.txt"] = LOG.format(name="A/B", user=f"../../{user}").encode()
    assert sorted(take(course, zipped(tmp_path / "g.zip", files)).new) == ["ada", "eve"]


def test_blackboard_newest_attempt_counts(tmp_path):
    course = unreleased(tmp_path)
    head = "HW_{}_attempt_2026-11-{}-10-11-12_x.ipynb"
    files = {
        head.format("ada", "20"): GOOD,
        head.format("ada", "18"): OTHER,
        head.format("eve", "18"): OTHER,
        head.format("eve", "20"): GOOD,
    }
    done = take(course, zipped(tmp_path / "g.zip", files))
    for student in ("ada", "eve"):  # whichever comes first in the archive
        assert submitted(course, student) == GOOD
        assert "2 notebooks" in done.notes[student][0]


def test_nbgrader_exchange(tmp_path):
    """The folders that nbgrader's own submit makes, for two assignments."""
    course = unreleased(tmp_path)
    for name, data in {
        "ada+ch00+2026-11-19 08:00:00.500000 UTC+Ab_3": OTHER,
        "ada+ch00+2026-11-20 08:00:00.500000 UTC+x-9Z": GOOD,
        "a+b+ch00+2026-11-20 08:00:00 UTC": GOOD,
        "ada+ch99+2026-11-21 08:00:00.500000 UTC+Ab_3": OTHER,
    }.items():
        folder = tmp_path / "inbound" / name
        folder.mkdir(parents=True)
        (folder / "00_small.ipynb").write_bytes(data)
        (folder / "timestamp.txt").write_text("2026-11-20 08:00:00 UTC")
    done = take(course, tmp_path / "inbound")
    assert sorted(done.new) == ["a-b", "ada"] and done.unknown == []
    assert submitted(course, "ada") == GOOD


def test_a_file_of_another_student_in_the_exchange(tmp_path, monkeypatch):
    """Everybody may write into inbound: eve hands in under ada's name."""
    course = unreleased(tmp_path)
    for name in ("ada", "eve"):
        folder = tmp_path / "in" / f"{name}+ch00+2026-11-20 08:00:00 UTC"
        folder.mkdir(parents=True)
        (folder / "x.ipynb").write_bytes(GOOD)
    monkeypatch.setattr(delivery, "_owner", lambda path: "eve")
    done = take(course, tmp_path / "in")
    assert done.notes == {
        "ada": ["the submission says ada, but the file is eve's"],
    }


@pytest.mark.parametrize(
    ("files", "students"),
    [
        ({"ada/x.ipynb": GOOD, "eve/y.ipynb": GOOD}, ["ada", "eve"]),
        ({"all/ada/x.ipynb": GOOD, "all/eve/y.ipynb": GOOD}, ["ada", "eve"]),
        ({"ada/ch00/00_small.ipynb": GOOD}, ["ada"]),
        ({"ada.ipynb": GOOD, "00_small_eve.ipynb": GOOD}, ["ada", "eve"]),
        ({"ada/part_12_34_x.ipynb": GOOD, "eve/x.ipynb": GOOD}, ["ada", "eve"]),
    ],
)
def test_folders(tmp_path, files, students):
    course = unreleased(tmp_path)
    assert sorted(take(course, zipped(tmp_path / "any.zip", files)).new) == students


def test_a_folder_as_well_as_a_zip(tmp_path):
    course = unreleased(tmp_path)
    for name in ("ada", "eve"):
        (tmp_path / "in" / name / ".ipynb_checkpoints").mkdir(parents=True)
        (tmp_path / "in" / name / "mine.ipynb").write_bytes(GOOD)
        (tmp_path / "in" / name / ".ipynb_checkpoints" / "mine.ipynb").write_bytes(
            OTHER
        )
    done = take(course, tmp_path / "in")
    assert sorted(done.new) == ["ada", "eve"] and done.notes == {}


def test_a_file_of_nobody_is_named_not_lost(tmp_path):
    course = unreleased(tmp_path)
    files = {
        "lovelaceada_4711_88_x.ipynb": GOOD,
        "hopper_12_89_x.ipynb": GOOD,
        "stray.ipynb": GOOD,
    }
    assert take(course, zipped(tmp_path / "s.zip", files)).unknown == ["stray.ipynb"]


def test_the_right_notebook_of_several(tmp_path):
    """A student hands in another course's notebook too, with a later name."""
    course = unreleased(tmp_path)
    files = {
        "ada/zz_other.ipynb": b'{"cells": [], "nbformat": 4}',
        "ada/right.ipynb": GOOD,
        "ada/notes.pdf": b"%PDF",
    }
    take(course, zipped(tmp_path / "s.zip", files))
    assert submitted(course, "ada") == GOOD


def test_a_second_collection(tmp_path):
    """As before: nothing changes. Newer: the old one is kept. Older: left aside."""
    course = unreleased(tmp_path)
    name = "HW_{}_attempt_2026-11-{}-10-11-12_x.ipynb"

    def delivered(day, data):
        files = {name.format(who, day): data for who in ("ada", "eve")}
        return take(course, zipped(tmp_path / "g.zip", files))

    assert delivered("18", OTHER).new == ["ada", "eve"]
    assert delivered("18", OTHER).unchanged == ["ada", "eve"]
    assert delivered("20", GOOD).replaced == ["ada", "eve"]
    assert delivered("19", OTHER).unchanged == ["ada", "eve"]
    assert submitted(course, "ada") == GOOD
    folder = course.folder("submitted", "ada", course.assignment("00"))
    (kept,) = (folder / "earlier").iterdir()
    assert kept.read_bytes() == OTHER


def test_a_notebook_takes_the_place_of_a_pdf(tmp_path):
    course = unreleased(tmp_path)
    take(course, zipped(tmp_path / "1.zip", {"ada/essay.pdf": b"%PDF"}))
    folder = course.folder("submitted", "ada", course.assignment("00"))
    assert (folder / "essay.pdf").is_file()
    take(course, zipped(tmp_path / "2.zip", {"ada/x.ipynb": GOOD}))
    assert not (folder / "essay.pdf").exists() and submitted(course, "ada") == GOOD


def test_an_archive_within_the_archive(tmp_path):
    course = unreleased(tmp_path)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("work/mine.ipynb", GOOD)
        archive.writestr("__MACOSX/work/._mine.ipynb", b"\0")
    files = {"ada/all.zip": inner.getvalue(), "eve/all.zip": b"PK no archive"}
    done = take(course, zipped(tmp_path / "s.zip", files))
    assert submitted(course, "ada") == GOOD
    assert "not a readable zip" in done.notes["eve"][0]


def test_nothing_is_written_outside(tmp_path):
    course = unreleased(tmp_path)
    files = {
        "../../evil/x.ipynb": GOOD,
        "/etc/passwd.ipynb": GOOD,
        "..\\..\\win/x.ipynb": GOOD,
        "ada/x.ipynb": GOOD,
    }
    before = {p for p in tmp_path.rglob("*") if "course" not in p.parts}
    take(course, zipped(tmp_path / "s.zip", files))
    after = {p for p in tmp_path.rglob("*") if "course" not in p.parts}
    assert after - before == {tmp_path / "s.zip"}
    for path in (course.root / "submitted").iterdir():
        assert path.name.strip(".")


def test_students_names_cannot_leave_the_folder(tmp_path):
    course = unreleased(tmp_path)
    files = {"._assignsubmission_file/a.ipynb": GOOD}
    files |= {f"{n}_1_assignsubmission_file/x.ipynb": GOOD for n in ("..", "a b", "…")}
    take(course, zipped(tmp_path / "m.zip", files))
    names = sorted(path.name for path in (course.root / "submitted").iterdir())
    assert names == ["a-b", "student-1"]


def test_links_and_bombs_are_not_followed(tmp_path, monkeypatch):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(b"the solution")
    course = unreleased(tmp_path)
    for name in ("ada", "eve", "bob"):
        (tmp_path / "in" / name).mkdir(parents=True)
    (tmp_path / "in" / "ada" / "x.ipynb").symlink_to(secret)
    os.mkfifo(tmp_path / "in" / "eve" / "x.ipynb")
    monkeypatch.setattr(delivery, "MAX_BYTES", len(GOOD) + 10)
    (tmp_path / "in" / "bob" / "x.ipynb").write_bytes(b"0" * (len(GOOD) + 99))
    done = take(course, tmp_path / "in")
    assert submitted(course, "ada") == submitted(course, "eve") == b""
    assert submitted(course, "bob") == b""
    assert "the limit is" in done.notes["bob"][0]
    assert "no ordinary file" in done.notes["eve"][0]
    link = zipfile.ZipInfo("joe/y.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    bomb = {"ada/x.ipynb": GOOD, "eve/x.ipynb": b"0" * (len(GOOD) + 99)}
    with zipfile.ZipFile(zipped(tmp_path / "s.zip", bomb), "a") as archive:
        archive.writestr(link, str(secret))
    done = take(course, tmp_path / "s.zip")
    assert submitted(course, "ada") == GOOD and submitted(course, "joe") == b""
    assert done.notes["joe"] == ["y.ipynb was not read: it is a link"]
    assert "the limit is" in done.notes["eve"][0]


def test_a_bomb_is_not_unpacked_whole(tmp_path, monkeypatch):
    """What an archive says of its sizes may be a lie; what is read has an end."""
    asked = []
    read = zipfile.ZipExtFile.read
    monkeypatch.setattr(
        zipfile.ZipExtFile, "read", lambda s, n=-1: asked.append(n) or read(s, n)
    )
    list(delivery.unpack(zipped(tmp_path / "s.zip", {"ada/x.ipynb": GOOD})))
    assert asked == [delivery.MAX_BYTES + 1]
    monkeypatch.setattr(delivery, "MAX_FILES", 1)
    many = zipped(tmp_path / "m.zip", {"ada/x.ipynb": GOOD, "eve/x.ipynb": GOOD})
    with pytest.raises(ValueError, match="2 files in an archive; at most 1"):
        list(delivery.unpack(many))


def test_a_locked_member_is_named(tmp_path):
    path = zipped(tmp_path / "s.zip", {"ada/x.ipynb": GOOD, "eve/x.ipynb": OTHER})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1  # the first member's flag in the list
    path.write_bytes(data)
    course = unreleased(tmp_path)
    assert take(course, path).notes["ada"] == [
        "x.ipynb was not read: it is locked with a password"
    ]
    assert submitted(course, "eve") == OTHER


def test_a_damaged_member_spoils_no_other(tmp_path):
    course = unreleased(tmp_path)
    path = zipped(tmp_path / "s.zip", {"ada/x.ipynb": GOOD, "eve/x.ipynb": OTHER})
    data = bytearray(path.read_bytes())
    place = data.index(b"ada/x.ipynb") + 60
    data[place : place + 40] = b"\xff" * 40
    path.write_bytes(data)
    done = take(course, path)
    assert submitted(course, "eve") == OTHER
    assert "damaged" in done.notes["ada"][0]


@pytest.mark.parametrize("name", ["nothing.zip", "list.txt", "broken.zip"])
def test_no_delivery_says_what_was_expected(tmp_path, name):
    course = unreleased(tmp_path)
    if name != "nothing.zip":
        (tmp_path / name).write_text("no archive")
    with pytest.raises(ValueError, match="zip"):
        take(course, tmp_path / name)


def test_file_names_that_do_not_say_they_are_utf8(tmp_path):
    course = unreleased(tmp_path)
    path = zipped(tmp_path / "s.zip", {"Zo__/x.ipynb": GOOD})
    path.write_bytes(path.read_bytes().replace(b"Zo__", "Zoë".encode()))
    assert take(course, path).new == ["zoë"]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("id,name,email\nada,Ada L,a@x.org\n", ("ada", "Ada L", "a@x.org", "")),
        (
            "First name,Last name,ID number,Email address\nAda,L,S1,a@x.org\n",
            ("a@x.org", "Ada L", "a@x.org", "S1"),
        ),
        (
            "Last Name;First Name;Username\nL;Ada;alove\n",
            ("alove", "Ada L", "", "alove"),
        ),
        (
            "student_id,last_name,first_name,email,score\nada,L,Ada,a@x.org,3\n",
            ("ada", "Ada L", "a@x.org", ""),
        ),
    ],
)
def test_lists_of_students(tmp_path, text, person):
    file = tmp_path / "list.csv"
    file.write_text(text)
    (found,) = read_people(file)
    assert (found.id, found.name, found.email, found.lms_id) == person


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        (b"id,name,email,lms_id\r\n", []),
        (b"id,name\nzo,Zo\xeb\n", ["zo"]),
        ('"Last Name"\t"Username"\r\n"L"\t"alove"\r\n'.encode("utf-16"), ["alove"]),
        (b"Student,ID,SIS Login ID,Section\n    Points Possible,,,\n"
         b'"Student, Test",9,x1,A\n"L, Ada",1,ada,A\n', ["ada"]),
        (b"id,name\n,nobody\n\nada,Ada\n", ["ada"]),
    ],
)  # fmt: skip
def test_odd_lists(tmp_path, data, ids):
    """A head alone; Excel's encoding; Blackboard's; Canvas's own test student."""
    file = tmp_path / "list.csv"
    file.write_bytes(data)
    found = read_people(file)
    assert [person.id for person in found] == ids
    assert all(person.name in ("", "Zoë", "L", "L, Ada", "Ada") for person in found)


@pytest.mark.parametrize("name", ["none.csv", "."])
def test_no_list_says_so(tmp_path, name):
    with pytest.raises(ValueError, match="there is no file"):
        read_people(tmp_path / name)


def test_an_empty_course_can_go_on(tmp_path):
    """Whoever forgot the only student collects again."""
    course = unreleased(tmp_path)
    Roster().save(course)
    assert Roster.of(course).people == {}
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="holds no files"):
        take(course, tmp_path / "in")


WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade\n"
    "Participant 11,Ada L,ada@x.org,Submitted for grading - 2 hours late,\n"
    "Participant 22,Eve L,eve@x.org,Submitted for grading,\n"
)


def test_moodles_worksheet_knows_who_was_late(tmp_path):
    """The archive says no times: without the worksheet nobody knows."""
    files = {
        "Ada L_11_assignsubmission_file/x.ipynb": GOOD,
        "Eve L_22_assignsubmission_file/x.ipynb": GOOD,
    }
    course = unreleased(tmp_path)
    place = zipped(tmp_path / "m.zip", files)
    take(course, place)
    assert about(course, "ada-l")["late"] is None
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(WORKSHEET)
    course = unreleased(tmp_path / "again")
    take(course, place, roster_file=sheet)
    assert about(course, "ada@x.org")["late"] is True
    assert about(course, "eve@x.org")["late"] is False
    # the participant's number is this assignment's alone
    assert [p.lms_id for p in Roster.of(course).people.values()] == ["", ""]


def test_who_was_in_no_list_is_named(tmp_path):
    course = unreleased(tmp_path)
    files = {"ada/x.ipynb": GOOD, "eve/x.ipynb": GOOD}
    place = zipped(tmp_path / "s.zip", files)
    assert take(course, place).strangers == [], "without a list all are"
    course = unreleased(tmp_path / "again")
    Roster([Person("ada", "Ada", "", "4711")]).save(course)
    assert take(course, place).strangers == ["eve"]
    assert take(course, place).strangers == []
    people = Roster.of(course).people
    assert people["ada"].lms_id == "4711", "a folder's name is no number of Canvas's"


def test_one_of_two_namesakes_is_nobodys_guess(tmp_path):
    course = unreleased(tmp_path)
    Roster([Person("li1", "Wei Li"), Person("li2", "Wei Li")]).save(course)
    files = {"Wei Li_11_assignsubmission_file/x.ipynb": GOOD}
    done = take(course, zipped(tmp_path / "m.zip", files))
    assert done.new == done.strangers == ["wei-li"]


def test_moodles_teams_and_blind_marking(tmp_path):
    course = unreleased(tmp_path)
    Roster([Person("ada", "Ada Lovelace"), Person("jl", "Jean-Luc Picard")]).save(
        course
    )
    name = "{}_{}_assignsubmission_file/x.ipynb"
    files = {name.format("Team 1-Ada Lovelace", 1): GOOD,
             name.format("Team 1-Jean-Luc Picard", 2): GOOD}  # fmt: skip
    assert sorted(take(course, zipped(tmp_path / "t.zip", files)).new) == ["ada", "jl"]
    files = {name.format("Participant", n): GOOD for n in (1, 2, 3)}
    done = take(unreleased(tmp_path / "b"), zipped(tmp_path / "b.zip", files))
    assert sorted(done.new) == ["participant-1", "participant-2", "participant-3"]
    assert done.notes == {}


def test_what_is_told_of_odd_notebooks(tmp_path):
    course = unreleased(tmp_path)
    files = {"ada/00_small.ipynb.txt": GOOD,
             "eve/02_other.ipynb": b'{"cells": [], "nbformat": 4}'}  # fmt: skip
    done = take(course, zipped(tmp_path / "s.zip", files))
    assert submitted(course, "ada") == GOOD
    assert done.notes == {"eve": ["02_other.ipynb has no cell of ch00"]}
    head = "HW_{}_attempt_2026-11-{}-10-11-12_x.ipynb"
    files = {head.format(who, day): GOOD for who in ("bob", "joe") for day in (18, 20)}
    (note, *_) = take(course, zipped(tmp_path / "b.zip", files)).notes["bob"]
    assert "x.ipynb of 2026-11-20 10:11 counts" in note
    assert note.endswith("Left aside: x.ipynb of 2026-11-18 10:11")


def test_a_list_without_ids_is_refused(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("colour,size\nred,3\n")
    with pytest.raises(ValueError, match="colour, size"):
        read_people(file)


def test_timestamps_are_read_by_nbgrader(tmp_path):
    from nbgrader.coursedir import CourseDirectory

    course = unreleased(tmp_path)
    name = "HW_{}_attempt_2026-11-20-10-11-12_x.ipynb"
    files = {name.format(who): GOOD for who in ("ada", "eve")}
    take(course, zipped(tmp_path / "g.zip", files))
    folder = course.folder("submitted", "ada", course.assignment("00"))
    read = CourseDirectory().get_existing_timestamp(str(folder))
    assert read == datetime(2026, 11, 20, 10, 11, 12)


def test_nbgraders_own_submit_is_collected(tmp_path):
    """nbgrader's library submits into a real exchange; we take it from there."""
    from nbgrader.apps.api import NbGraderAPI
    from traitlets.config import Config

    course = released(tmp_path)
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    config = Config()
    config.Exchange.root = str(exchange)
    config.Exchange.cache = str(tmp_path / "cache")
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.course_id = "small"
    api = NbGraderAPI(config=config)
    assert api.release_assignment("ch00")["success"]
    (tmp_path / "home" / "ch00").mkdir(parents=True)
    (tmp_path / "home" / "ch00" / "00_small.ipynb").write_bytes(GOOD)
    config.CourseDirectory.assignment_id = "ch00"
    config.CourseDirectory.student_id = "ada"
    config.Exchange.assignment_dir = str(tmp_path / "home")
    api = NbGraderAPI(config=config)
    more = {"authenticator": api.authenticator, "parent": api}
    api.exchange.Submit(coursedir=api.coursedir, **more).start()
    found = take(course, exchange / "small" / "inbound")
    assert found.new == ["ada"] and submitted(course, "ada") == GOOD


def test_grading_knows_who_was_late(tmp_path):
    """By the platform's word, or by the time and the due date."""
    course = unreleased(tmp_path)
    assignment = course.assignment("00")
    assignment.due = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for student, hour, told in [
        ("ada", 11, {}),
        ("bob", 13, {"notes": ["odd"]}),
        ("eve", 11, {"late": True}),
        ("joe", None, {"late": None}),
    ]:
        folder = hand_in(course, student, GOOD)
        if hour:
            time = f"2026-11-20 {hour}:00:00.000000 UTC"
            (folder / "timestamp.txt").write_text(time)
        write_json(folder / "collected.json", told)
    (folder / "00_small.ipynb").rename(folder / "by hand.ipynb")
    found = {one.student: one for one in submissions_of(course, assignment, ())}
    assert {name: one.late for name, one in found.items()} == {
        "ada": False, "bob": True, "eve": True, "joe": False,
    }  # fmt: skip
    assert found["bob"].notes == ("odd",) and found["joe"].submitted == ""
    assert found["ada"].submitted == "2026-11-20T11:00:00+00:00"
    assert found["joe"].path.name == "by hand.ipynb"
    with pytest.raises(ValueError, match="zoe handed in nothing"):
        submissions_of(course, assignment, (), ["zoe"])


def test_hand_in_helper_agrees_with_collect(tmp_path):
    course = unreleased(tmp_path)
    hand_in(course, "ada", GOOD)
    assert submitted(course, "ada") == GOOD
    assert course.students_of(course.assignment("00")) == ["ada"]
