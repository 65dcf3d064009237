"""Tokens sampled a second: ours against transformers' ``generate``, both with a cache.

``python tools/benchmarks/generate.py`` prints a Markdown table. Contestants take turns
in one process; peak memory is measured in a process for each. ``LLMBOOK_DEVICE``
chooses CPU or GPU, ``OMP_NUM_THREADS`` the number of threads.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from contextlib import nullcontext

import torch
from common import (
    Contestant,
    machine,
    parser,
    peak_memory,
    print_peak_memory,
    race,
    ratio,
    table,
)

from llmbook_utils.decoding.sampling import generate
from llmbook_utils.models.attention.gpt import GPT, GPTConfig
from llmbook_utils.runtime import pick_device

PROMPT = 8


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    numbers = {"vocab": 2048, "layers": 4, "heads": 4, "width": 128, "tokens": 256}
    numbers |= {"many": 32, "rounds": 5, "repeats": 1}
    return parser(__doc__.splitlines()[0], numbers).parse_args(arguments)


def prepare(
    args: argparse.Namespace, device: torch.device, whose: str, batch: int
) -> Callable[[], object]:
    """Make the work: `tokens` new ones after a prompt, at temperature 1."""
    config = GPTConfig(
        args.vocab, PROMPT + args.tokens, args.layers, args.heads, args.width
    )
    model = GPT(config).to(device).eval()
    ids = torch.randint(args.vocab, (batch, PROMPT), device=device)
    if whose == "ours":
        return lambda: generate(model, ids, args.tokens)
    theirs = model.to_transformers()
    options = {"do_sample": True, "top_k": 0, "use_cache": True, "pad_token_id": 0}
    options["attention_mask"] = torch.ones_like(ids)
    return lambda: theirs.generate(ids, max_new_tokens=args.tokens, **options)


def contestants(args: argparse.Namespace, device: torch.device) -> list[Contestant]:
    """List who takes part."""
    return [
        Contestant(
            f"{whose}, batch {batch}",
            lambda whose=whose, batch=batch: prepare(args, device, whose, batch),
            nullcontext,
        )
        for batch in (1, args.many)
        for whose in ("transformers", "ours")
    ]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    args, device = parse(arguments), pick_device()
    torch.manual_seed(0)
    everyone = contestants(args, device)
    if args.memory_of:
        chosen = next(c for c in everyone if c.name == args.memory_of)
        return print_peak_memory(chosen, device)
    print(f"{machine(device)}; vocabulary {args.vocab}, {args.layers} layers, ", end="")
    print(f"{args.heads} heads, {args.width} wide; {args.tokens} tokens, float32")
    times = race(everyone, args, device)
    rows = []
    for c in everyone:
        batch = int(c.name.split()[-1])
        speed = batch * args.tokens / statistics.median(times[c.name])
        gain = ratio(times, f"transformers, batch {batch}", c.name)
        memory = peak_memory(__file__, c.name, args, arguments)
        rows.append([c.name, f"{speed:.0f}", f"{gain:.2f}", memory])
    print(f"\nMedians of {args.rounds} rounds.\n")
    print(table(["generation", "tokens/s", "to transformers", "peak MB"], rows))


if __name__ == "__main__":
    main(sys.argv[1:])
