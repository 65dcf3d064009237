"""The ``llmbook`` command: what a reader or a maintainer types."""

import argparse
import os
import sys
from importlib import metadata


def _doctor(_: argparse.Namespace) -> int:
    from llmbook_utils.doctor import examine, report

    findings = examine()
    print(report(findings))
    return int(any(finding.cure for finding in findings))


def _run(args: argparse.Namespace) -> int:
    from llmbook_press import execution, notebooks, sync

    root = notebooks.book_root()
    sync.sync_all(root, check=False)
    failures = execution.run_stale(root, args.chapters, args.force, args.jobs)
    sync.sync_all(root, check=False)
    return int(failures > 0)


def _sync(args: argparse.Namespace) -> int:
    from llmbook_press import notebooks, sync

    changed = sync.sync_all(notebooks.book_root(), args.check)
    for name in changed:
        print(f"{name} {'is out of date: run `llmbook sync`' if args.check else ''}")
    return int(args.check and bool(changed))


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line.

    Returns
    -------
    argparse.ArgumentParser
        With the sub-commands ``doctor``, ``run``, ``sync``, ``homework`` and
        ``check``.
    """
    parser = argparse.ArgumentParser(prog="llmbook", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor", help="report the environment, with a cure for each fault"
    )
    doctor.set_defaults(call=_doctor)
    run = commands.add_parser(
        "run", help="re-execute the notebooks whose code or packages changed"
    )
    run.add_argument("chapters", nargs="*", help="beginnings of names, such as 02")
    run.add_argument("--force", action="store_true", help="also what has not changed")
    run.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    run.set_defaults(call=_run)
    sync = commands.add_parser(
        "sync", help="write package code, set-up cells and links into the notebooks"
    )
    sync.add_argument("--check", action="store_true", help="only tell what differs")
    sync.set_defaults(call=_sync)
    for more in metadata.entry_points(group="llmbook.commands"):
        more.load()(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 for a fault, 2 for a wrong call.
    """
    args = build_parser().parse_args(argv)
    try:
        return args.call(args)
    except ValueError as error:
        print(f"llmbook: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
