"""Training tokens a second: ours against transformers' GPT2LMHeadModel.

``python tools/benchmarks/train.py`` prints a Markdown table. Contestants take turns in
one process; peak memory is measured in a process for each. ``LLMBOOK_DEVICE`` chooses
CPU or GPU, ``OMP_NUM_THREADS`` the number of threads.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from common import (
    Contestant,
    clock_of,
    machine,
    parser,
    peak_memory,
    print_peak_memory,
    product_rate,
    race,
    ratio,
    table,
)

from llmbook_utils.models.attention.gpt import GPT, GPTConfig
from llmbook_utils.runtime import float32_products, kept_memory, pick_device
from llmbook_utils.training import TrainingConfig, make_optimizers, train_step

EAGER, SDPA = "transformers, eager", "transformers, SDPA"


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    numbers = {"vocab": 2048, "block": 128, "layers": 4, "heads": 4, "width": 128}
    numbers |= {"batch": 16, "rounds": 9, "repeats": 4, "square": 2048}
    return parser(__doc__.splitlines()[0], numbers).parse_args(arguments)


def config_of(args: argparse.Namespace) -> GPTConfig:
    """Give the model's shape. No dropout, for anyone."""
    return GPTConfig(args.vocab, args.block, args.layers, args.heads, args.width)


def draw(args: argparse.Namespace, device: torch.device) -> torch.Tensor:
    """Draw a batch of tokens, one more than the block in each row."""
    return torch.randint(args.vocab, (args.batch, args.block + 1), device=device)


def prepare_ours(
    args: argparse.Namespace, device: torch.device, precision: str, optimizer: str
) -> Callable[[], object]:
    """Make a step of `fit`."""
    config = TrainingConfig(precision=precision, optimizer=optimizer)
    model = GPT(config_of(args)).to(device)
    optimizers, ids = make_optimizers(model, config), draw(args, device)
    return lambda: train_step(model, optimizers, ids[:, :-1], ids[:, 1:], config)


def prepare_theirs(
    args: argparse.Namespace, device: torch.device, attention: str
) -> Callable[[], object]:
    """Make a step of a loop as transformers' documentation has it."""
    model = GPT(config_of(args)).to_transformers().to(device).train()
    model.set_attn_implementation(attention)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    ids = draw(args, device)[:, 1:]

    def step() -> None:
        model(ids, labels=ids).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def contestants(args: argparse.Namespace, device: torch.device) -> list[Contestant]:
    """List who takes part."""

    @contextmanager
    def as_in_fit() -> Iterator[None]:
        with float32_products(device, large=True), kept_memory():
            yield

    ours = {
        "ours, float32": ("float32", "adamw"),
        "ours, best": ("best", "adamw"),
        "ours, best, Muon": ("best", "muon"),
    }
    return [
        Contestant(EAGER, lambda: prepare_theirs(args, device, "eager"), nullcontext),
        Contestant(SDPA, lambda: prepare_theirs(args, device, "sdpa"), nullcontext),
        *(
            Contestant(
                name, lambda how=how: prepare_ours(args, device, *how), as_in_fit
            )
            for name, how in ours.items()
        ),
    ]


def operations_per_token(config: GPTConfig) -> float:
    """Count what matrix products do for a token, forward and twice that backward."""
    C, T = config.n_embd, config.block_size
    weights = 12 * config.n_layer * C * C + config.vocab_size * C
    scores = 2 * config.n_layer * T * C  # q k and the sum of v, future included
    return 3 * 2 * (weights + scores)


def report_products(args: argparse.Namespace, device: torch.device) -> dict[str, float]:
    """Print the machine's own speed; return that of the large product by precision."""
    tokens, C, large = args.batch * args.block, args.width, args.square
    shapes = [(tokens, C, 3 * C), (tokens, C, 4 * C), (tokens, 4 * C, C)]
    shapes += [(tokens, C, args.vocab), (large, large, large)]
    rows, square = [], {}
    for name, dtype, as_in_fit in (
        ("float32", torch.float32, False),
        ("float32 as in fit", torch.float32, True),
        ("bf16", torch.bfloat16, True),
    ):
        with float32_products(device, large=as_in_fit):
            rates = [product_rate(s, dtype, device, clock_of(args)) for s in shapes]
        rows.append([name, *(f"{rate:.0f}" for rate in rates)])
        square[name] = rates[-1]
    heads = [" x ".join(map(str, shape)) for shape in shapes]
    print("\nMatrix products of this machine, 10⁹ operations a second:\n")
    print(table(["precision", *heads], rows))
    return square


def main(arguments: list[str]) -> None:
    """Measure and print."""
    args, device = parse(arguments), pick_device()
    torch.manual_seed(0)
    everyone = contestants(args, device)
    if args.memory_of:
        chosen = next(c for c in everyone if c.name == args.memory_of)
        return print_peak_memory(chosen, device)
    print(f"{machine(device)}; vocabulary {args.vocab}, block {args.block}, ", end="")
    print(f"{args.layers} layers, {args.heads} heads, {args.width} wide, ", end="")
    print(f"batch {args.batch}, no dropout")
    times = race(everyone, args, device)
    square = report_products(args, device)
    per_token, tokens = operations_per_token(config_of(args)), args.batch * args.block
    rows = []
    for c in everyone:
        speed = tokens / statistics.median(times[c.name])
        is_best = "best" in c.name and max(square, key=square.get) == "bf16"
        most = square["bf16" if is_best else "float32 as in fit"]
        rows.append(
            [
                c.name,
                f"{speed:.0f}",
                f"{ratio(times, EAGER, c.name):.2f}",
                f"{ratio(times, SDPA, c.name):.2f}",
                f"{1e-9 * speed * per_token / most:.0%}",
                peak_memory(__file__, c.name, args, arguments),
            ]
        )
    head = ["training", "tokens/s", "to eager", "to SDPA", "of products", "peak MB"]
    print(f"\nMedians of {args.rounds} rounds. 'of products': operations a second, as")
    print(
        "a part of what the machine reached in the large product of that precision.\n"
    )
    print(table(head, rows))


if __name__ == "__main__":
    main(sys.argv[1:])
