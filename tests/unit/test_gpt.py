"""GPT-2's architecture, against transformers' and against its own definition."""

import math

import pytest
import torch

from llmbook_utils.models.attention import gpt
from llmbook_utils.models.attention.gpt import GPT, GPTConfig, KVCache
from llmbook_utils.models.attention.gpt2_weights import (
    from_transformers,
    to_transformers,
)
from llmbook_utils.models.attention.positions import rotary_table, rotate

CONFIGS = [
    GPTConfig(vocab_size=11, block_size=7, n_layer=1, n_head=1, n_embd=4),
    GPTConfig(vocab_size=65, block_size=16, n_layer=2, n_head=4, n_embd=32),
    GPTConfig(vocab_size=30, block_size=9, n_layer=3, n_head=3, n_embd=48),
]
TINY = CONFIGS[1]


def make(config: GPTConfig, seed: int = 0) -> GPT:
    """A model whose every number is drawn at random, biases and norms as well."""
    torch.manual_seed(seed)
    model = GPT(config).eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model


def draw_ids(config: GPTConfig, rows: int = 3) -> torch.Tensor:
    return torch.randint(config.vocab_size, (rows, config.block_size))


def rotary(config: GPTConfig) -> GPTConfig:
    return GPTConfig(**{**vars(config), "positions": "rotary"})


@pytest.mark.parametrize("config", CONFIGS)
def test_logits_and_weights_are_those_of_transformers(config: GPTConfig) -> None:
    model, ids = make(config), draw_ids(config)
    theirs = model.to_transformers()
    theirs.set_attn_implementation("eager")
    assert not theirs.training
    with torch.no_grad():
        logits, weights = model(ids, want_weights=True)
        output = theirs(ids, output_attentions=True)
    torch.testing.assert_close(logits, output.logits, atol=1e-5, rtol=0)
    assert len(weights) == config.n_layer
    for ours, reference in zip(weights, output.attentions, strict=True):
        torch.testing.assert_close(ours, reference, atol=1e-6, rtol=0)


@pytest.mark.parametrize("config", CONFIGS)
def test_weights_from_transformers_give_its_logits(config: GPTConfig) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.block_size,
            n_layer=config.n_layer,
            n_head=config.n_head,
            n_embd=config.n_embd,
            bos_token_id=None,
            eos_token_id=None,
        )
    ).eval()
    model, ids = from_transformers(theirs), draw_ids(config)
    assert model.config == GPTConfig(**{**vars(config), "dropout": 0.1})
    assert not model.training
    with torch.no_grad():
        torch.testing.assert_close(model(ids), theirs(ids).logits, atol=1e-5, rtol=0)
        # and back: the same tensors, tied head included
        back = model.to_transformers().state_dict()
    for name, w in theirs.state_dict().items():
        assert torch.equal(w, back[name]), name


def test_the_copies_share_no_memory_and_keep_the_dtype() -> None:
    model = make(TINY).to(torch.bfloat16)
    theirs = to_transformers(model)
    assert theirs.lm_head.weight.dtype == torch.bfloat16
    before = model.wte.weight.clone()
    with torch.no_grad():
        theirs.transformer.wte.weight.zero_()
    assert torch.equal(model.wte.weight, before)
    back = GPT.from_transformers(theirs)
    assert back.h[0].mlp.c_fc.weight.dtype == torch.bfloat16


def test_gpt2_small_has_its_number_of_parameters() -> None:
    with torch.device("meta"):
        model = GPT(GPTConfig())
    assert sum(p.numel() for p in model.parameters()) == 124_439_808


def test_gpt2_small_with_random_weights_gives_the_logits_of_transformers() -> None:
    # 1 GB and about 5 s: the one test at the real size
    torch.manual_seed(0)
    model = GPT(GPTConfig()).eval()
    assert sum(p.numel() for p in model.parameters()) == 124_439_808
    theirs = model.to_transformers()
    ids = torch.randint(50257, (1, 12))
    with torch.no_grad():
        torch.testing.assert_close(model(ids), theirs(ids).logits, atol=1e-5, rtol=0)


def test_a_rotary_model_cannot_become_gpt2() -> None:
    with pytest.raises(ValueError, match=r"are rotary; train one with.*'learned'"):
        GPT(rotary(TINY)).to_transformers()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("activation_function", "relu"),
        ("scale_attn_by_inverse_layer_idx", True),
        ("layer_norm_epsilon", 1e-6),
        ("n_inner", 12),
        ("model_type", "opt"),
    ],
)
def test_what_is_not_gpt2_is_refused(name: str, value: object) -> None:
    theirs = make(TINY).to_transformers()
    setattr(theirs.config, name, value)
    with pytest.raises(ValueError, match=rf"{name} must be .* got {value!r}"):
        GPT.from_transformers(theirs)


@pytest.mark.parametrize("config", [TINY, rotary(TINY)])
def test_the_future_changes_no_logit_and_weights_sum_to_one(config: GPTConfig) -> None:
    model, ids = make(config), draw_ids(config)
    changed = ids.clone()
    changed[:, 9:] = (changed[:, 9:] + 1) % config.vocab_size
    with torch.no_grad():
        logits, weights = model(ids, want_weights=True)
        other = model(changed)
    assert torch.equal(logits[:, :9], other[:, :9])
    assert not torch.allclose(logits[:, 9:], other[:, 9:])
    for w in weights:
        assert w.shape == (3, config.n_head, 16, 16)
        torch.testing.assert_close(w.sum(-1), torch.ones(3, config.n_head, 16))
        assert not w.triu(1).any()


@pytest.mark.parametrize("config", [TINY, rotary(TINY)])
def test_the_fused_kernel_changes_no_logit(
    config: GPTConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU it is taken; here it is asked for."""
    model, ids = make(config), draw_ids(config)
    with torch.no_grad():
        ours = model(ids)
        monkeypatch.setattr(gpt, "has_kernel", lambda x: True)
        fused = model(ids)
    torch.testing.assert_close(fused, ours, atol=1e-5, rtol=0)


@pytest.mark.parametrize("config", [TINY, rotary(TINY)])
def test_a_cache_changes_no_logit(config: GPTConfig) -> None:
    model, ids = make(config), draw_ids(config)
    cache = KVCache(config, len(ids), like=model.wte.weight)
    with torch.no_grad():
        expected, all_weights = model(ids, want_weights=True)
        pieces = [model(piece, cache) for piece in ids[:, :12].split([5, 1, 2, 4], 1)]
        last, weights = model(ids[:, 12:], cache, want_weights=True)
    logits = torch.cat([*pieces, last], dim=1)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(weights[-1], all_weights[-1][:, :, 12:])
    assert repr(cache) == "KVCache(16 of 16 tokens)"


def test_rotary_turns_pairs_by_hand() -> None:
    # position 1, pair 0 turns by 1 radian, pair 1 by 1 / 100
    x = torch.tensor([[1.0, 0.0, 0.0, 2.0]])
    got = rotate(x, rotary_table(2, 4)[:, 1:])
    expected = [math.cos(1), -2 * math.sin(0.01), math.sin(1), 2 * math.cos(0.01)]
    torch.testing.assert_close(got, torch.tensor([expected]))


def test_rotary_products_depend_on_the_distance_alone() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(2, 8)
    table = rotary_table(32, 8)
    turned_q, turned_k = rotate(q.expand(32, 8), table), rotate(k.expand(32, 8), table)
    products = turned_q @ turned_k.T  # (32, 32)
    for distance in (0, 3, 11):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert (products[0, 5] - products[0, 6]).abs() > 1e-3


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_positions_matter(positions: str) -> None:
    # without positions, the last logits of "a a b" and "a b" after one block agree
    model = make(GPTConfig(11, 7, 1, 1, 4, positions=positions))
    with torch.no_grad():
        one = model(torch.tensor([[3, 5, 7]]))[0, -1]
        other = model(torch.tensor([[5, 3, 7]]))[0, -1]
    assert not torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(("init", "std"), [("gpt2", 0.02), ("fan_in", 1 / 8)])
def test_the_start_has_the_spread_that_is_asked_for(init: str, std: float) -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(500, 64, n_layer=8, n_head=4, n_embd=64, init=init))
    state = model.state_dict()
    assert state["wte.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    assert state["wpe.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    assert state["h.3.attn.c_attn.weight"].std().item() == pytest.approx(std, rel=0.05)
    to_stream = std / math.sqrt(2 * 8)
    assert state["h.3.attn.c_proj.weight"].std().item() == pytest.approx(
        to_stream, rel=0.05
    )
    assert not state["h.3.mlp.c_fc.bias"].any()
    assert state["h.3.ln_1.weight"].eq(1).all()
    logits = model(torch.randint(500, (2, 64)))
    loss = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), torch.randint(500, (128,))
    )
    assert loss.item() == pytest.approx(math.log(500), abs=0.1)


def test_dropout_is_for_training_alone() -> None:
    config = GPTConfig(**{**vars(TINY), "dropout": 0.5})
    model, ids = make(config), draw_ids(config)
    plain = make(TINY)
    assert torch.equal(model(ids), plain(ids))
    model.train()
    assert not torch.allclose(model(ids), model(ids))
    _, weights = model(ids, want_weights=True)  # what is shown is before dropout
    torch.testing.assert_close(weights[0].sum(-1), torch.ones(3, 4, 16))


def test_ids_that_do_not_fit_are_explained() -> None:
    model = make(TINY)
    with pytest.raises(ValueError, match=r"17 tokens.*block_size=16; cut the text"):
        model(torch.zeros(1, 17, dtype=torch.long))
    with pytest.raises(ValueError, match=r"got \(5,\); ids.unsqueeze"):
        model(torch.zeros(5, dtype=torch.long))
    cache = KVCache(TINY, 1, like=model.wte.weight)
    model(torch.zeros(1, 16, dtype=torch.long), cache)
    with pytest.raises(ValueError, match="17 tokens"):
        model(torch.zeros(1, 1, dtype=torch.long), cache)
    small = KVCache(TINY, 1, like=model.wte.weight, size=4)
    with pytest.raises(ValueError, match="room for 4 tokens and holds 0, 5 more"):
        model(torch.zeros(1, 5, dtype=torch.long), small)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_layer": 0}, "n_layer must be 1 or more, got 0"),
        ({"n_embd": 30}, r"n_embd=30.*n_head=4.*multiple of 4"),
        ({"n_embd": 12, "positions": "rotary"}, "multiple of 8"),
        ({"positions": "alibi"}, "'learned' or 'rotary', got 'alibi'"),
        ({"init": "zero"}, "'gpt2' or 'fan_in', got 'zero'"),
        ({"dropout": 1.0}, r"\[0, 1\), got 1.0"),
    ],
)
def test_impossible_shapes_are_explained(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GPTConfig(**{**vars(TINY), **changes})
