"""The commands that meet the platforms: ``roster``, ``collect``, ``export``."""

import argparse

from llmbook_homework.course import Course


def roster(args: argparse.Namespace) -> int:
    """Read who takes part."""
    from llmbook_homework.lms.roster import Roster, read_people

    course = Course.open(args.course)
    roster, people = Roster.of(course), read_people(args.file)
    if not people:
        raise ValueError(f"{args.file} names nobody; nothing was changed")
    for person in people:
        roster.add(person)
    roster.save(course)
    print(f"roster.csv: {len(roster.people)} students")
    return 0


def collect(args: argparse.Namespace) -> int:
    """Take submissions in."""
    from llmbook_homework.lms import collect as collecting

    course = Course.open(args.course)
    assignment = course.assignment(args.assignment)
    done = collecting.collect(course, assignment, args.place, args.roster)
    print(
        f"{len(done.new)} new, {len(done.replaced)} newer than before, "
        f"{len(done.unchanged)} as before"
    )
    for student, notes in sorted(done.notes.items()):
        for note in notes:
            print(f"{student}: {note}")
    for student in done.strangers:
        print(f"{student}: in no list so far; roster.csv has them now")
    for file in done.unknown:
        print(f"whose is it? {file}")
    return int(bool(done.unknown))


def export(args: argparse.Namespace) -> int:
    """Write the scores."""
    from llmbook_homework.lms import export as exporting

    course = Course.open(args.course)
    assignment = course.assignment(args.assignment)
    name = f"{assignment.name}-{args.format}.csv"
    path = args.to or course.root / name
    missing = exporting.export(
        course, assignment, args.format, path, args.like, args.column, args.out_of
    )
    print(path)
    for student in missing:
        why = (
            "no line is surely theirs" if args.like else "Moodle's number is not known"
        )
        cure = "" if args.like else "; fill its own file in, with --like"
        print(f"not in the file: {student}: {why}{cure}")
    return int(bool(missing))
