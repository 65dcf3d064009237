"""TinyWorld's text a second, in amounts that double, and in a dataset.

``python tools/benchmarks/tinyworld.py`` samples stories in one process, where twice as
many should take twice as long, then makes a dataset of the wished size with two
processes, whose memory should not depend on the size.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time

from common import table

from llmbook_utils.tinyworld.sampling import rows, stories


def sample(count: int) -> tuple[float, float]:
    """Sample stories; return the megabytes and the seconds."""
    began = time.perf_counter()
    size = sum(len(story.text.encode()) for story in stories(count))
    return size / 1e6, time.perf_counter() - began


def make_dataset(number: int, processes: int) -> tuple[float, float, float]:
    """Make a dataset; return its megabytes, the seconds, the peak memory in MB."""
    import datasets

    datasets.disable_progress_bars()
    each = round(number / processes)
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        made = datasets.Dataset.from_generator(
            rows,
            gen_kwargs={"seeds": list(range(processes)), "n": each, "split": None},
            num_proc=processes,
            cache_dir=cache,
        )
        seconds = time.perf_counter() - began
        size = sum(len(text) for batch in made.iter(1000) for text in batch["text"])
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return size / 1e6, seconds, children / 1e3


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", type=int, default=2000, help="of the first row")
    parser.add_argument("--megabytes", type=float, default=100, help="of the dataset")
    args = parser.parse_args(arguments)
    sample(100)  # makes the lexicon
    found = []
    for count in (args.stories, 2 * args.stories, 4 * args.stories):
        megabytes, seconds = sample(count)
        rate = f"{megabytes / seconds:.2f}"
        found.append([str(count), f"{megabytes:.1f}", f"{seconds:.1f}", rate])
    print(table(["stories", "MB", "seconds", "MB a second"], found))
    found = []
    wished = args.megabytes / megabytes * count  # stories
    for number in (wished / 10, wished):
        size, seconds, peak = make_dataset(round(number), processes=2)
        found.append([f"{size:.1f}", f"{seconds:.1f}", f"{peak:.0f}"])
    print()
    print(table(["dataset, MB", "seconds, 2 processes", "largest process, MB"], found))


if __name__ == "__main__":
    main(sys.argv[1:])
