"""Measures all rungs anew: ``python -m llmbook_utils.ladder``."""

import sys

from llmbook_utils.ladder.measuring import main

sys.exit(main())
