"""Sampling: against the model without a cache, and against transformers' generate."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from llmbook_utils.decoding import sampling
from llmbook_utils.decoding.sampling import generate, next_probabilities, sample
from llmbook_utils.models.attention.gpt import GPT, GPTConfig, KVCache

LEARNED = GPTConfig(vocab_size=29, block_size=24, n_layer=3, n_head=2, n_embd=16)
ROTARY = GPTConfig(29, 24, 3, 2, 16, positions="rotary")


def make(config: GPTConfig = LEARNED, std: float = 0.8) -> GPT:
    """A random model whose likeliest token changes from position to position."""
    torch.manual_seed(0)
    model = GPT(config).eval()
    for name, p in model.named_parameters():
        nn.init.normal_(p, std=std if p.ndim == 2 else 0.1)
        if "ln_" in name and name.endswith("weight"):
            p.data += 1
    model.wte.weight.data *= 0.3  # logits of a few units
    return model


def prompts(rows: int = 3, length: int = 5) -> torch.Tensor:
    return torch.randint(29, (rows, length), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("config", [LEARNED, ROTARY])
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)]
)
def test_cached_logits_equal_uncached_ones(
    config: GPTConfig, rows: int, dtype: torch.dtype, tolerance: float
) -> None:
    model, ids = make(config, std=0.3).to(dtype), prompts(rows, 24)
    cache = KVCache(config, rows, like=model.wte.weight)
    with torch.inference_mode():
        expected = model(ids)
        model(ids[:, :5], cache)
        step = sampling._lean_step(model, cache)
        for n in range(5, 24):
            logits = step(ids[:, n : n + 1])
            torch.testing.assert_close(logits, expected[:, n], atol=tolerance, rtol=0)
    assert cache.length == 24


@pytest.mark.parametrize("config", [LEARNED, ROTARY])
def test_greedy_text_is_the_likeliest_token_each_time(config: GPTConfig) -> None:
    model, ids = make(config), prompts()
    text = generate(model, ids, 19, temperature=0)
    assert text.shape == (3, 24)
    assert torch.equal(text[:, :5], ids)
    with torch.no_grad():
        assert torch.equal(model(text)[:, 4:-1].argmax(-1), text[:, 5:])
    # in a batch each text is as if alone
    for row in range(3):
        alone = generate(model, ids[row : row + 1], 19, temperature=0)
        assert torch.equal(alone[0], text[row])


def test_greedy_text_is_that_of_transformers() -> None:
    model, ids = make(), prompts(2)
    theirs = model.to_transformers().generate(
        ids, max_new_tokens=15, do_sample=False, pad_token_id=0
    )
    assert torch.equal(generate(model, ids, 15, temperature=0), theirs)


def test_stopped_texts_are_frozen_as_in_transformers() -> None:
    model, ids = make(), prompts(6)
    free = generate(model, ids, 15, temperature=0)
    # a token that comes up late
    end = next(i for i in range(8, 20) if free[0, i] not in free[0, 5:i])
    stop_id = int(free[0, end])
    theirs = model.to_transformers().generate(
        ids, max_new_tokens=15, do_sample=False, eos_token_id=stop_id,
        pad_token_id=stop_id,
    )  # fmt: skip
    text = generate(model, ids, 15, temperature=0, stop_id=stop_id)
    assert torch.equal(text, theirs)
    assert (text[0, end:] == stop_id).all()
    assert torch.equal(text[0, :end], free[0, :end])
    # the end of all is the end: no token more
    alone = generate(model, ids[:1], 15, temperature=0, stop_id=stop_id)
    assert torch.equal(alone, free[:1, : end + 1])


SETTINGS = st.tuples(
    st.floats(0.1, 3.0),
    st.none() | st.integers(1, 30),
    st.none() | st.floats(0.05, 1.0),
)


@given(SETTINGS, st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_probabilities_are_those_of_transformers(
    chosen: tuple[float, int | None, float | None], seed: int
) -> None:
    from transformers.generation import logits_process as theirs

    temperature, top_k, top_p = chosen
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(4, 20, generator=generator)
    warped = theirs.TemperatureLogitsWarper(temperature)(None, logits)
    if top_k is not None:
        warped = theirs.TopKLogitsWarper(top_k)(None, warped)
    if top_p is not None:
        ordered = warped.softmax(-1).sort(descending=True).values
        before = ordered.cumsum(-1) - ordered
        is_close = ((before - top_p).abs() < 1e-6) & (ordered > 5e-6)
        assume(not is_close.any())  # else rounding decides which tokens stay
        warped = theirs.TopPLogitsWarper(top_p)(None, warped)
    probs = next_probabilities(logits, temperature, top_k, top_p)
    torch.testing.assert_close(probs, warped.softmax(-1), atol=1e-5, rtol=0)


def test_the_filters_by_hand() -> None:
    logits = torch.tensor([[0.4, 0.1, 0.3, 0.2]]).log()
    cases = [
        ({}, [0.4, 0.1, 0.3, 0.2]),
        ({"temperature": 0}, [1, 0, 0, 0]),
        ({"temperature": 0.5}, [16 / 30, 1 / 30, 9 / 30, 4 / 30]),
        ({"top_k": 2}, [4 / 7, 0, 3 / 7, 0]),
        ({"top_k": 9}, [0.4, 0.1, 0.3, 0.2]),
        ({"top_p": 0.3}, [1, 0, 0, 0]),
        ({"top_p": 0.6}, [4 / 7, 0, 3 / 7, 0]),
        ({"top_p": 0.75}, [4 / 9, 0, 3 / 9, 2 / 9]),
        ({"top_k": 3, "top_p": 0.6}, [4 / 7, 0, 3 / 7, 0]),  # 4 / 9 is not enough
    ]
    for chosen, expected in cases:
        probs = next_probabilities(logits, **chosen)
        assert probs[0].tolist() == pytest.approx(expected, abs=1e-6), chosen
    # a single distribution will do, as will several axes
    assert next_probabilities(logits[0], top_p=0.6).shape == (4,)
    assert next_probabilities(logits.expand(2, 3, 4), top_p=0.6).shape == (2, 3, 4)


def test_samples_have_their_probabilities() -> None:
    probs = torch.tensor([0.0, 0.5, 0.0, 0.3, 0.2, 0.0])
    generator = torch.Generator().manual_seed(0)
    drawn = sample(probs.expand(40_000, 6), generator)
    assert drawn.shape == (40_000, 1)
    shares = drawn.flatten().bincount(minlength=6) / 40_000
    # four standard deviations of a share are 4 * sqrt(0.5 * 0.5 / 40000) = 0.01
    torch.testing.assert_close(shares, probs, atol=0.01, rtol=0)
    assert shares[probs == 0].eq(0).all()


def test_no_draw_hits_a_token_of_probability_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probs = torch.tensor([[0.0, 0.25, 0.0, 0.75, 0.0]])
    for draw, token in ((0.0, 1), (0.25, 3), (1 - 2**-24, 3)):
        monkeypatch.setattr(
            torch, "rand", lambda *shape, u=draw, **options: torch.full(shape, u)
        )
        assert sample(probs).item() == token
        assert sample(0.3 * probs).item() == token


def test_sampled_texts_have_the_models_probabilities() -> None:
    """Two tokens after a prompt: how often each pair comes, against the product."""
    model = make(GPTConfig(4, 8, 2, 2, 8))
    ids = torch.tensor([[1, 3, 2]])
    with torch.no_grad():
        first = next_probabilities(model(ids)[0, -1], temperature=2.0)
        extended = torch.cat([ids.expand(4, 3), torch.arange(4).view(4, 1)], dim=1)
        second = next_probabilities(model(extended)[:, -1], temperature=2.0)
    generator = torch.Generator().manual_seed(0)
    text = generate(
        model, ids.expand(20_000, 3), 2, temperature=2.0, generator=generator
    )
    shares = (4 * text[:, 3] + text[:, 4]).bincount(minlength=16) / 20_000
    expected = (first.unsqueeze(1) * second).flatten()
    torch.testing.assert_close(shares, expected, atol=0.014, rtol=0)


def test_a_generator_makes_text_repeatable() -> None:
    model, ids = make(), prompts()
    options = {"temperature": 2.0, "top_k": 20, "top_p": 0.95}

    def text(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return generate(model, ids, 19, generator=generator, **options)

    assert torch.equal(text(0), text(0))
    assert not torch.equal(text(0), text(1))
    torch.manual_seed(3)
    one = generate(model, ids, 9)
    torch.manual_seed(3)
    assert torch.equal(generate(model, ids, 9), one)


def test_a_layer_that_was_replaced_is_asked() -> None:
    """As LoRA does it: the lean path must not go round it."""

    class Doubled(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    model, ids = make(), prompts()
    plain = generate(model, ids, 19, temperature=0)
    calls = []
    hook = model.h[1].register_forward_hook(lambda *args: calls.append(1))
    assert torch.equal(generate(model, ids, 19, temperature=0), plain)
    assert len(calls) == 19
    hook.remove()
    model.h[1].mlp.c_proj = Doubled(64, 16).eval()
    text = generate(model, ids, 19, temperature=0)
    with torch.no_grad():
        assert torch.equal(model(text)[:, 4:-1].argmax(-1), text[:, 5:])


def test_mode_precision_and_gradients_are_left_alone() -> None:
    model = make(GPTConfig(29, 24, 3, 2, 16, dropout=0.9))
    plain = generate(model, prompts(), 9, temperature=0)
    model.train()
    seen = []
    model.wte.register_forward_hook(
        lambda *args: seen.append(torch.get_float32_matmul_precision())
    )
    torch.set_float32_matmul_precision("medium")
    try:
        assert torch.equal(generate(model, prompts(), 9, temperature=0), plain)
        assert torch.get_float32_matmul_precision() == "medium"
        assert set(seen) == {"highest"}  # which is quicker for single tokens
    finally:
        torch.set_float32_matmul_precision("highest")
    assert model.training
    assert all(p.requires_grad for p in model.parameters())


def test_a_bf16_model_generates() -> None:
    model = make().to(torch.bfloat16)
    assert generate(model, prompts(), 19, top_k=5).shape == (3, 24)


def test_no_new_tokens_are_no_mistake() -> None:
    ids = prompts(2, 24)
    assert torch.equal(generate(make(), ids, 0), ids)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_new_tokens": 20}, r"5 tokens and 20 new.*=24; ask for.*=19 or fewer"),
        ({"max_new_tokens": -1}, "max_new_tokens must be 0 or more, got -1"),
        ({"temperature": -0.5}, "temperature must be 0 .* or more, got -0.5"),
        ({"top_k": 0}, "top_k must be 1 or more, got 0"),
        ({"top_p": 0.0}, r"top_p must be in \(0, 1\], got 0.0"),
        ({"ids": torch.zeros(3, dtype=torch.long)}, r"\(B, T\).*got \(3,\)"),
        ({"ids": torch.zeros(1, 0, dtype=torch.long)}, "marks its start"),
    ],
)
def test_impossible_requests_are_explained(changes: dict, message: str) -> None:
    request = {"ids": prompts(), "max_new_tokens": 2, **changes}
    with pytest.raises(ValueError, match=message):
        generate(make(), **request)


def test_another_model_is_sent_to_the_conversion() -> None:
    with pytest.raises(TypeError, match=r"got Linear; GPT.from_transformers"):
        generate(nn.Linear(2, 2), prompts(), 1)
