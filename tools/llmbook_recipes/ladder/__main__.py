"""Measures all rungs anew and runs the races: ``python -m llmbook_recipes.ladder``.

``--only rungs`` measures the rungs of `ladder.json`, with the options of `rungs`;
``--only races`` runs the races, with those of `results`. Without it, both are done, and
the races are kept in ``runs/ladder``. All of it takes half a day of one core.
"""

import argparse
import sys

from llmbook_recipes.ladder import results, rungs

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("--only", choices=("rungs", "races"))
args, rest = parser.parse_known_args()
if args.only == "races":
    sys.exit(results.main(rest))
status = rungs.main(rest)
if status == 0 and args.only is None:
    status = results.main(["--work=runs/ladder"])
sys.exit(status)
