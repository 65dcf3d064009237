"""Points in space, turned by hand: what ``space.js`` gives to explorers."""

from pathlib import Path

SPACE_SCRIPT = Path(__file__).with_name("space.js")
