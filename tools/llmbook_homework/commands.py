"""``llmbook homework ...`` for instructors, ``llmbook check`` for students."""

import argparse
import functools
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from llmbook_homework.course import Assignment, Course
from llmbook_homework.lms import commands as lms

Call = Callable[[argparse.Namespace], int]
SHOWN = 8  # paths of single students that are printed


def _place(args: argparse.Namespace) -> tuple[Course, Assignment]:
    course = Course.open(args.course)
    return course, course.assignment(args.assignment)


def _init(args: argparse.Namespace) -> int:
    from llmbook_homework.course import init

    course = init(args.folder, args.name, args.timezone)
    print(f"{course.root}: a course called {course.name}, in nbgrader's layout.")
    folder = shlex.quote(str(args.folder))
    print(f"Next: cd {folder} && llmbook homework release 11")
    return 0


def _seeds(course: Course, asked: list[str]) -> list[str]:
    """List who gets numbers of their own."""
    from llmbook_homework.lms.roster import Roster, slug

    seeds = sorted(Roster.of(course).people) if "all" in asked else asked
    if asked and not seeds:
        raise ValueError(
            "--seed all needs to know who is there: `llmbook homework roster FILE` "
            "with the list that your platform lets you download"
        )
    unsafe = [student for student in seeds if slug(student) != student]
    if unsafe:
        raise ValueError(f"--seed {unsafe[0]!r}: write {slug(unsafe[0])!r}")
    return seeds


def _release(args: argparse.Namespace) -> int:
    from llmbook_homework import release

    course = Course.open(args.course)
    seeds = _seeds(course, _listed(args.seed))
    done = release.release(
        course,
        args.chapter,
        only=_listed(args.only),
        points=release.parse_points(args.points),
        due=release.parse_due(args.due, course) if args.due else None,
        seeds=seeds,
        book=args.book,
    )
    for each in done.exercises:
        vary = "  varies" if each.metadata.get("vary") else ""
        print(f"{each.short:<5} {each.points:>4g}  {each.title}{vary}")
    if seeds and not any(each.metadata.get("vary") for each in done.exercises):
        print("None of these exercises varies: all notebooks ask the same.")
    due = done.assignment.due
    print(f"{done.assignment.max_points:>10g}  points{f', due {due}' if due else ''}")
    print(f"For students: {done.notebook}")
    own = list(done.own.values())
    for path in own if len(own) <= SHOWN else ():
        print(f"              {path}")
    if len(own) > SHOWN:
        print(
            f"              {course.root / 'seeded'}: {len(own)}, for one student each"
        )
    return 0


def _listed(texts: list[str] | None) -> list[str]:
    return [part for text in texts or [] for part in re.split(r"[,\s]+", text) if part]


def _grade(args: argparse.Namespace) -> int:
    from llmbook_homework.grading import grade

    course, assignment = _place(args)
    if not course.students_of(assignment):
        raise ValueError(
            f"nothing was collected yet: `llmbook homework collect {args.assignment} "
            "PLACE`"
        )
    results = grade.grade_all(
        course,
        assignment,
        students=_listed(args.student),
        jobs=args.jobs,
        unsafe=args.unsafe,
        dask=args.dask,
        force=args.force,
        say=functools.partial(print, flush=True),
    )
    print(f"{len(results)} graded; see `llmbook homework status {assignment.name}`")
    return 0


def _feedback(args: argparse.Namespace) -> int:
    from llmbook_homework import feedback

    course, assignment = _place(args)
    written = feedback.write(course, assignment)
    print(f"{len(written)} pages in {course.root / 'feedback'}")
    return 0


def _status(args: argparse.Namespace) -> int:
    from llmbook_homework import status

    course = Course.open(args.course)
    names = [args.assignment] if args.assignment else list(course.assignments)
    if not names:
        print("Nothing was released yet: `llmbook homework release 11`")
    for name in names:
        print(status.as_text(course, course.assignment(name)))
    return 0


def _similar(args: argparse.Namespace) -> int:
    from llmbook_homework import similarity

    course, assignment = _place(args)
    if not 0 <= args.least <= 1:
        raise ValueError(f"--least is {args.least:g}; give a share from 0 to 1")
    pairs = similarity.report(course, assignment, args.least)
    print(similarity.as_text(pairs), end="")
    return 0


def _forget(args: argparse.Namespace) -> int:
    from llmbook_homework.gradebook import forget, still_named

    course = Course.open(args.course)
    for what in forget(course, args.student):
        print(f"deleted {what}")
    for file in still_named(course, args.student):
        print(f"still named in {file}: delete it, or export again")
    return 0


def _check(args: argparse.Namespace) -> int:
    from llmbook_homework.student_check import check_file, find_notebook

    path = args.notebook or find_notebook(args.chapter, args.exercise)
    outcome = check_file(path, args.exercise, args.seconds, args.chapter)
    print(outcome)
    return int(not outcome.is_good)


def _guarded(call: Call) -> Call:
    """Answer Ctrl-C and a file that cannot be opened in words."""

    @functools.wraps(call)
    def guarded(args: argparse.Namespace) -> int:
        try:
            return call(args)
        except KeyboardInterrupt:
            print("Stopped. What was done is kept; run it again.", file=sys.stderr)
            return 130
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise ValueError(f"{where}{error.strerror or error}") from error

    return guarded


Parsers = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(
    commands: Parsers, name: str, call: Call, text: str, assignment: bool = False
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    if name != "init":
        here = {"type": Path, "default": Path(), "metavar": "FOLDER"}
        parser.add_argument(
            "--course", help="the course's folder; here by default", **here
        )
    if assignment:
        parser.add_argument("assignment", help="such as 11 or ch11")
    parser.set_defaults(call=_guarded(call))
    return parser


def _add_making(commands: Parsers) -> None:
    make = _command(commands, "init", _init, "make a course folder")
    make.add_argument("folder", type=Path)
    make.add_argument("--name", default="", help="nbgrader's course id")
    make.add_argument("--timezone", default="", help="such as Europe/Berlin")
    people = _command(commands, "roster", lms.roster, "read who takes part from a csv")
    people.add_argument("file", type=Path)
    out = _command(commands, "release", _release, "write the students' notebook")
    out.add_argument("chapter", help="such as 11")
    out.add_argument(
        "--only", action="append", help="exercises, such as ex3,ex5; else all"
    )
    out.add_argument(
        "--points", action="append", default=[], help="such as ex3=4,ex5=1"
    )
    out.add_argument("--due", default="", help="2026-11-27 or '2026-11-27 18:00'")
    out.add_argument(
        "--seed",
        action="append",
        help="ids of students who get their own numbers, or `all`",
    )
    out.add_argument("--book", type=Path, help="the book's repository")


def _add_grading(commands: Parsers) -> None:
    take = _command(commands, "collect", lms.collect, "take submissions in", True)
    take.add_argument("place", type=Path, help="folder, zip, or exchange's inbound")
    take.add_argument("--roster", type=Path, help="the platform's list of students")
    grade = _command(commands, "grade", _grade, "grade in a sandbox", True)
    grade.add_argument(
        "--student", action="append", help="these alone, with commas between"
    )
    grade.add_argument("--jobs", type=int, default=1, help="submissions at a time")
    grade.add_argument(
        "--dask", default="", metavar="ADDRESS", help="on a Dask cluster"
    )
    grade.add_argument("--force", action="store_true", help="also what is graded")
    grade.add_argument(
        "--unsafe",
        action="store_true",
        help="without bubblewrap: students' code can read and change what you can",
    )


def _add_giving(commands: Parsers) -> None:
    _command(commands, "feedback", _feedback, "write a page for each student", True)
    out = _command(commands, "export", lms.export, "write the scores as csv", True)
    out.add_argument("--format", default="csv", help="csv, canvas or moodle")
    out.add_argument("--like", type=Path, help="the platform's own file, to fill in")
    out.add_argument("--column", default="", help="title of the assignment there")
    out.add_argument("--out-of", type=float, help="the platform's maximum")
    out.add_argument("--to", type=Path, help="the file to write")
    state = _command(commands, "status", _status, "tell who handed in and is graded")
    state.add_argument("assignment", nargs="?", help="such as 11; all by default")
    like = _command(commands, "similar", _similar, "tell which answers are alike", True)
    like.add_argument("--least", type=float, default=0.6, help="share from 0 to 1")
    gone = _command(commands, "forget", _forget, "delete all about a student")
    gone.add_argument("student")


def add_commands(commands: Parsers) -> None:
    """Hook ``homework`` and ``check`` into the command line.

    Parameters
    ----------
    commands : sub-parsers action
        Of the ``llmbook`` parser.
    """
    homework = commands.add_parser("homework", help="set, collect and grade chapters")
    inner = homework.add_subparsers(required=True, metavar="COMMAND")
    _add_making(inner)
    _add_grading(inner)
    _add_giving(inner)
    check = commands.add_parser("check", help="check your answer to an exercise")
    check.add_argument("chapter", help="such as 11")
    check.add_argument("exercise", help="such as ex3")
    check.add_argument("--notebook", type=Path, help="your file; found by itself here")
    check.add_argument(
        "--seconds", type=float, default=120, help="how long it may take"
    )
    check.set_defaults(call=_guarded(_check))
