"""Attention views: the model's own numbers, small, harmless, the same each time."""

import html
import json
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from llmbook_utils import pretrained
from llmbook_utils.explorers.attention import attention, document, payload
from llmbook_utils.explorers.attention.capture import (
    attention_from,
    read_model,
    token_text,
)
from llmbook_utils.explorers.attention.parts import Part, is_causal
from llmbook_utils.explorers.attention.views import (
    head_view,
    model_view,
    neuron_view,
)
from llmbook_utils.explorers.core.explorer import KINDS, MIME
from llmbook_utils.models.attention.gpt import GPT, GPTConfig
from llmbook_utils.text.bpe import BytePairTokenizer

HOSTILE = "</script><img src=x onerror=alert(1)>"
TEXT = "low lower lowest slow"


@pytest.fixture(scope="module")
def tokenizer() -> BytePairTokenizer:
    return BytePairTokenizer.train([TEXT], vocab_size=265)


@pytest.fixture(scope="module")
def words() -> PreTrainedTokenizerFast:
    """A tokenizer of whole words that marks sentences as BERT does."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "on", "a", "mat"]
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(names)}, "[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]")


def gpt2(kind: str = "eager", **more: object) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    sizes = {"vocab_size": 265, "n_positions": 64, "n_layer": 2, "n_head": 3}
    config = GPT2Config(**sizes, n_embd=24, initializer_range=0.4, **more)
    config._attn_implementation = kind
    return GPT2LMHeadModel(config).eval()


def bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=10,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=32,
        initializer_range=0.4,
    )
    config._attn_implementation = "eager"
    return BertModel(config).eval()


def gpt(positions: str) -> GPT:
    torch.manual_seed(0)
    model = GPT(GPTConfig(265, 64, 2, 3, 24, positions=positions)).eval()
    for p in model.parameters():
        p.data.mul_(20)
    return model


def random_attentions(
    n_layer: int, n_head: int, T: int, causal: bool = False, spread: float = 0.3
) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(T, spread), (n_layer, 1, n_head, T))
    if causal:
        weights = np.tril(weights + 1e-9)
        weights /= weights.sum(-1, keepdims=True)
    return list(weights)


def unpacked(data: dict) -> np.ndarray:
    """Read the stored weights of the first part: (n_layer, n_head, T, S)."""
    part, layers = data["parts"][0], []
    n_left, n_right, n_head = (
        *map(len, (part["left"], part["right"])),
        len(data["heads"]),
    )
    for text in part["weights"]:
        numbers = np.array(payload.unpack_weights(text)) / 1000
        layer = np.zeros((n_head, n_left, n_right))
        rows = (
            np.tril_indices(n_left) if part["causal"] else np.indices(layer.shape[1:])
        )
        layer[:, rows[0].ravel(), rows[1].ravel()] = numbers.reshape(n_head, -1)
        layers.append(layer)
    return np.array(layers)


# -- numbers -----------------------------------------------------------------------


@given(st.lists(st.integers(0, 1000)))
def test_weights_are_read_as_they_were_written(numbers: list[int]) -> None:
    assert payload.unpack_weights(payload.pack_weights(numbers)) == numbers


@given(st.lists(st.floats(-1e4, 1e4), min_size=1))
def test_vectors_keep_three_digits(numbers: list[float]) -> None:
    array = np.array(numbers)
    text, scale = payload.pack_vectors(array)
    again = payload.unpack_vectors(text, scale)
    assert np.abs(again - array).max() <= max(np.abs(array).max() * 1.1e-3, 1e-9)


def test_alphabet_needs_no_escape() -> None:
    letters = payload.ALPHABET
    assert html.escape(letters) == letters and json.dumps(letters) == f'"{letters}"'
    assert len(set(letters)) == payload.BASE == 88


MODELS = {
    "gpt2": (gpt2, "tokenizer"),
    "gpt2-upcast": (lambda: gpt2(reorder_and_upcast_attn=True), "tokenizer"),
    "bert": (bert, "words"),
    "ours": (lambda: gpt("learned"), "tokenizer"),
    "ours-rotary": (lambda: gpt("rotary"), "tokenizer"),
}


@pytest.mark.parametrize("name", MODELS)
def test_captured_queries_and_keys_make_the_weights(
    name: str, request: pytest.FixtureRequest
) -> None:
    """softmax(q k / sqrt(d)) is what the model says that it attended to."""
    make, which = MODELS[name]
    model, words = make(), request.getfixturevalue(which)
    text = "the cat sat on a mat" if which == "words" else TEXT
    [part], _ = read_model(model, text, words, want_vectors=True)
    causal = name != "bert"
    assert len(part.queries) == len(part.weights) == 2
    for q, k, weights in zip(part.queries, part.keys, part.weights, strict=True):
        assert q.shape == k.shape == (3, len(part.left), 8)
        made = attention_from(q, k, causal)
        assert np.abs(made - weights.numpy()).max() < 1e-5
        assert np.ptp(made[:, -1]) > 0.1  # not all alike
    assert part.left == part.right
    assert is_causal(Part("", [w.numpy() for w in part.weights], [""], [""])) == causal


def test_our_gpt_and_its_copy_show_the_same(tokenizer: BytePairTokenizer) -> None:
    ours = gpt("learned")
    copy = ours.to_transformers()
    copy.set_attn_implementation("eager")
    for view in (head_view, neuron_view):
        first, second = (unpacked(view(m, TEXT, tokenizer).data) for m in (ours, copy))
        assert np.abs(first - second).max() <= 0.0011


def test_stored_weights_are_the_model_s(tokenizer: BytePairTokenizer) -> None:
    model = gpt2()
    ids = torch.tensor([tokenizer.encode(TEXT)])
    with torch.no_grad():
        wanted = torch.cat(model(ids, output_attentions=True).attentions).numpy()
    data = head_view(model, TEXT, tokenizer).data
    assert np.abs(unpacked(data) - wanted).max() <= 0.00051
    assert data["parts"][0]["causal"] is True
    assert "".join(data["parts"][0]["left"]) == TEXT
    chosen = model_view(model, TEXT, tokenizer, layers=[1, 0], heads=[2, 0]).data
    assert (unpacked(chosen) == unpacked(data)[[1, 0]][:, [2, 0]]).all()
    part = head_view(model, TEXT, tokenizer, positions=slice(1, 4)).data
    assert (unpacked(part) == unpacked(data)[:, :, 1:4, 1:4]).all()
    assert part["parts"][0]["left"] == data["parts"][0]["left"][1:4]


def test_neuron_view_stores_queries_and_keys(tokenizer: BytePairTokenizer) -> None:
    model = gpt2()
    [part], _ = read_model(model, TEXT, tokenizer, want_vectors=True)
    stored = neuron_view(model, TEXT, tokenizer, layers=[1], heads=[2]).data["parts"][0]
    for name, vectors in (("queries", part.queries), ("keys", part.keys)):
        [[(text, scale)]] = stored[name]
        wanted = vectors[1][2].ravel()
        got = payload.unpack_vectors(text, scale)
        assert np.abs(got - wanted).max() <= np.abs(wanted).max() * 6e-4
    assert stored["d_head"] == 8


def test_capture_leaves_the_model_as_it_was(tokenizer: BytePairTokenizer) -> None:
    model = gpt2(attn_pdrop=0.5).train()
    model.lm_head.eval()
    model(torch.zeros(1, 1, dtype=torch.long), output_attentions=True)
    before = [len(m._forward_hooks) for m in model.modules()]  # transformers' own
    first = neuron_view(model, TEXT, tokenizer)
    assert model.training and not model.lm_head.training
    assert [len(m._forward_hooks) for m in model.modules()] == before
    assert first.data == neuron_view(model, TEXT, tokenizer).data  # no dropout


def test_tiny_shows_with_the_shipped_tokenizer() -> None:
    model, tokenizer = pretrained.load("tiny")
    text = "Tom took the lamp."
    view = head_view(model, text, tokenizer)
    assert "".join(view.data["parts"][0]["left"]) == text
    assert len(view.data["layers"]) == model.config.n_layer


def test_parts_of_characters_are_written_as_bytes(tokenizer: BytePairTokenizer) -> None:
    ids = tokenizer.encode("中")
    assert [token_text(tokenizer, i) for i in ids] == ["E4", "B8", "AD"]
    theirs = tokenizer.to_transformers()
    assert [token_text(theirs, i) for i in ids] == ["E4", "B8", "AD"]


# -- pairs and encoder-decoders ----------------------------------------------------


def test_sentence_pair_is_found(words: PreTrainedTokenizerFast) -> None:
    view = head_view(bert(), ("the cat", "sat on a mat"), words)
    assert view.data["second"] == 4  # [CLS] the cat [SEP] | sat
    assert view.data["parts"][0]["left"][4] == "sat"
    assert not view.data["parts"][0]["causal"]
    cut = head_view(bert(), ("the cat", "a mat"), words, positions=slice(1, 6))
    assert cut.data["second"] == 3
    given_by_hand = head_view(
        random_attentions(1, 1, 4), list("abcd"), sentence_b_start=2
    )
    assert given_by_hand.data["second"] == 2


def test_encoder_decoder(words: PreTrainedTokenizerFast) -> None:
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=10,
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
    )
    config._attn_implementation = "eager"
    model = T5ForConditionalGeneration(config).eval()
    view = head_view(model, ("the cat sat", "a mat"), words)
    source, target = ["[CLS]", "the", "cat", "sat", "[SEP]"], ["[PAD]", "[CLS]"]
    target += ["a", "mat"]  # shifted: the decoder has not read its end
    sides = [(p["name"], p["left"], p["right"]) for p in view.data["parts"]]
    assert sides == [
        ("Encoder", source, source),
        ("Decoder", target, target),
        ("Cross", target, source),
    ]
    assert [p["causal"] for p in view.data["parts"]] == [False, True, False]
    ids = words("the cat sat", return_tensors="pt")["input_ids"]
    decoder = torch.tensor([[0, 2, 8, 9]])
    with torch.no_grad():
        output = model(ids, decoder_input_ids=decoder, output_attentions=True)
    again = model_view(output, (source, target)).data
    assert again["parts"] == view.data["parts"]
    parts = {"cross": output.cross_attentions}
    assert head_view(parts, (source, target)).data["parts"] == view.data["parts"][2:]
    with pytest.raises(ValueError, match="reads two texts"):
        head_view(model, "the cat", words)
    with pytest.raises(ValueError, match="use head_view or model_view"):
        neuron_view(model, ("the cat", "a mat"), words)
    with pytest.raises(ValueError, match="two lists of tokens"):
        head_view(output, source)


def test_parts_of_different_depth_need_a_choice() -> None:
    parts = {"encoder": random_attentions(3, 2, 2), "cross": random_attentions(2, 2, 2)}
    tokens = (["a", "b"], ["c", "d"])
    with pytest.raises(ValueError, match=r"\[2, 3\] layers; .*layers=\[0, 1\]"):
        head_view(parts, tokens)
    assert head_view(parts, tokens, layers=[1]).data["layers"] == [1]


# -- mistakes ----------------------------------------------------------------------


def broken(change: str) -> list[np.ndarray]:
    attentions = random_attentions(2, 2, 3)
    if change == "nan":
        attentions[1][0, 1, 2] = np.nan
    elif change == "sum":
        attentions[1][0, 1, 2] *= 1.5
    elif change == "scores":
        attentions[1][0, 1, 2] = [-1, 1.5, 0.5]
    elif change == "rank":
        attentions[0] = attentions[0][0, 0]
    elif change == "batch":
        attentions = [np.concatenate([layer, layer]) for layer in attentions]
    return attentions


ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    "source,tokens,more,message",
    [
        (None, ABC, {}, 'SDPA.*set_attn_implementation."eager"'),
        ((None, None), ABC, {}, 'None: .*attn_implementation="eager"'),
        ([], ABC, {}, "empty; run the model with output_attentions=True"),
        (broken("rank"), ABC, {}, r"layer 0 have shape \(3, 3\); expected a list"),
        (broken("batch"), ABC, {}, r"a batch of 2; .*layer\[:1\] for layer"),
        (broken("sum"), ABC, {}, r"layer 1 .*head 1, token 2 sums to 1.5.*softmax"),
        (broken("scores"), ABC, {}, "lowest -1;.*softmax"),
        (broken("nan"), ABC, {}, r"NaN or infinity \(head 1, token 2\).*one key"),
        (broken(""), ["a", "b"], {}, "for 3 tokens, but 2 tokens came; take both"),
        (broken(""), ABC, {"layers": [2]}, r"layers=\[2\]: .*from 0 to 1"),
        (broken(""), ABC, {"heads": []}, r"heads=\[\]: .*from 0 to 1"),
        (broken(""), ABC, {"heads": [1, 1]}, "give each once"),
        (broken(""), ABC, {"positions": slice(3, 9)}, "leave no token"),
        (broken(""), ABC, {"positions": 2}, r"give a slice, as in slice\(0, 32\)"),
        (broken(""), ABC, {"sentence_b_start": 3}, "from 1 to 2"),
        (broken(""), ABC, {"tokenizer": 1}, "not with a tokenizer"),
        (broken(""), ABC, {"name": " "}, "needs name="),
    ],
)
@pytest.mark.parametrize("view", [head_view, model_view])
def test_mistakes_are_refused_with_the_cure(
    view: object, source: object, tokens: list[str], more: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        view(source, tokens, **more)


def test_text_without_its_model_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a list of strings"):
        head_view(broken(""), "abc")
    with pytest.raises(ValueError, match=r"needs the model.*got list"):
        neuron_view(broken(""), ABC)


def test_sdpa_is_refused_with_the_cure(tokenizer: BytePairTokenizer) -> None:
    model = gpt2("sdpa")
    refused = r"""\(attn_implementation='sdpa'\).*set_attn_implementation\("eager"\)"""
    for view in (head_view, model_view, neuron_view):
        with pytest.raises(ValueError, match=refused):
            view(model, TEXT, tokenizer)
    model.set_attn_implementation("eager")
    head_view(model, TEXT, tokenizer)


def test_model_that_says_eager_and_gives_none_is_refused(
    tokenizer: BytePairTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = gpt2()
    monkeypatch.setattr(model, "forward", lambda **_: {"attentions": (None, None)})
    with pytest.raises(ValueError, match=r"gave no attention weights.*\(eager\)"):
        head_view(model, TEXT, tokenizer)


def test_models_need_a_text(tokenizer: BytePairTokenizer) -> None:
    with pytest.raises(ValueError, match="a text and its tokenizer"):
        head_view(gpt2(), TEXT)
    with pytest.raises(ValueError, match="no tokens"):
        head_view(gpt2(), "", tokenizer)


def test_neuron_view_refuses_other_arithmetic(tokenizer: BytePairTokenizer) -> None:
    for more in (
        {"scale_attn_weights": False},
        {"scale_attn_by_inverse_layer_idx": True},
    ):
        with pytest.raises(ValueError, match="the neuron view would lie"):
            neuron_view(gpt2(**more), TEXT, tokenizer)


def cures(message: str) -> list[dict]:
    """Read the choices that a message offers, as arguments."""
    offered = message.partition("; choose ")[2].split(" or ")
    return [
        eval(f"dict({choice})", {"dict": dict, "slice": slice}) for choice in offered
    ]


@pytest.mark.parametrize(
    "n_layer,n_head,T,offered",
    [
        (2, 4, 180, "positions=slice(0, 136) or layers=[0], heads=[0, 1, 2, 3]"),
        (1, 1, 400, "positions=slice(0, 387)"),
        (2, 1, 400, "positions=slice(0, 273) or layers=[0], heads=[0], "
                    "positions=slice(0, 387)"),
        (3, 2, 280, "positions=slice(0, 158) or layers=[0], heads=[0]"),
    ],
)  # fmt: skip
def test_too_many_tokens_are_refused_with_cures_that_work(
    n_layer: int, n_head: int, T: int, offered: str
) -> None:
    """150,000 weights are 8 heads of 136.9^2, 6 of 158.1^2, 2 of 273.9^2, 387.3^2."""
    attentions, tokens = random_attentions(n_layer, n_head, T, spread=0.5), ["x"] * T
    with pytest.raises(ValueError, match=f"{n_head} heads on {T} tokens") as caught:
        head_view(attentions, tokens)
    assert str(caught.value).endswith(f"choose {offered}")
    for choice in cures(str(caught.value)):
        stored = head_view(attentions, tokens, **choice)._repr_mimebundle_()
        assert len(json.dumps(stored).encode()) < 300_000


def test_the_slice_counts_all_parts_of_an_encoder_decoder() -> None:
    """376^2 + 20^2 + 20 * 376 is 149,296; with 377 tokens it would be 150,069."""
    sides = {"encoder": (500, 500), "decoder": (20, 20), "cross": (20, 500)}
    parts = {name: [np.full((1, 1, T, S), 1 / S)] for name, (T, S) in sides.items()}
    tokens = (["x"] * 500, ["y"] * 20)
    with pytest.raises(ValueError, match="too many tokens") as caught:
        model_view(parts, tokens)
    assert cures(str(caught.value)) == [{"positions": slice(0, 376)}]


def test_half_precision_is_no_mistake() -> None:
    attentions = [torch.tensor(a).bfloat16() for a in random_attentions(2, 2, 20)]
    assert head_view(attentions, ["x"] * 20).data["view"] == "head"


# -- what is stored ----------------------------------------------------------------


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("spread", [0.05, 1.0, 100.0])
@pytest.mark.parametrize("view", [head_view, model_view])
def test_twelve_layers_twelve_heads_32_tokens_fit(
    view: object, causal: bool, spread: float
) -> None:
    attentions = random_attentions(12, 12, 32, causal, spread)
    made = view(attentions, [f"token{i}" for i in range(32)])
    stored = made._repr_mimebundle_()
    assert len(json.dumps(stored).encode()) < 300_000
    assert np.abs(unpacked(made.data) - np.squeeze(attentions)).max() <= 0.00051
    assert set(stored) == {MIME, "text/html", "text/plain"}


def test_no_attention_of_that_size_can_be_too_large() -> None:
    """A row of 32 sums to 1: at most 12 of its weights need two characters."""
    row = [77] * 12 + [76] + [0] * 19
    assert len(payload.pack_weights(row)) * 32 * 144 < payload.MAX_BYTES


def test_large_neuron_view_needs_a_choice(tokenizer: BytePairTokenizer) -> None:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=265, n_positions=64, n_layer=4, n_embd=768)
    config._attn_implementation = "eager"
    model = GPT2LMHeadModel(config).eval()
    text = " ".join([TEXT] * 6)
    with pytest.raises(ValueError, match="4 layers of 12 heads") as caught:
        neuron_view(model, text, tokenizer)
    offered = cures(str(caught.value))
    assert [set(choice) for choice in offered] == [{"positions"}, {"layers", "heads"}]
    for choice in offered:
        made = neuron_view(model, text, tokenizer, **choice)
        assert len(json.dumps(made._repr_mimebundle_()).encode()) < 300_000
    stored = neuron_view(model, text, tokenizer, layers=[3], heads=[0, 5])
    assert len(json.dumps(stored._repr_mimebundle_())) < 300_000


def test_same_content_is_stored_alike_and_other_content_apart() -> None:
    first, again = (head_view(broken(""), ABC) for _ in range(2))
    assert first._repr_mimebundle_() == again._repr_mimebundle_()
    others = [
        model_view(broken(""), ABC),
        head_view(broken(""), ["a", "b", "d"]),
        head_view(broken(""), ABC, heads=[1]),
        head_view(broken("")[::-1], ABC),
    ]
    assert len({view.data["id"] for view in [first, *others]}) == 5
    assert first.data["name"] == f"attention-{first.data['id']}"


def test_stored_output_holds_data_and_a_picture_but_no_library() -> None:
    stored = json.dumps(head_view(broken(""), ABC)._repr_mimebundle_())
    assert len(stored) < 6_000
    for mark in ("<script", "<iframe", "d3js", "jQuery", "requirejs"):
        assert mark not in stored
    assert "data:image/svg+xml;base64," in stored


def test_a_person_at_the_kernel_gets_the_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = head_view(broken(""), ABC)
    assert not attention.is_attended()
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=True))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    assert attention.is_attended()
    shown = view._repr_mimebundle_()["text/html"]
    assert 'sandbox="allow-scripts"' in shown and "d3js" in shown
    assert "allow-same-origin" not in shown
    assert shown.count("<img alt=") == 1
    shell.kernel._allow_stdin = False
    assert not attention.is_attended()


def test_notebook_run_to_be_stored_has_no_library_and_is_the_same_again() -> None:
    """nbclient, like nbval, says that no one will type at the kernel."""
    source = (
        "import numpy as np\n"
        "from llmbook_utils.explorers.attention.views import head_view\n"
        "rng = np.random.default_rng(0)\n"
        "head_view([rng.dirichlet(np.ones(3), (2, 3))], list('abc'))"
    )
    cells = [nbformat.v4.new_code_cell(source) for _ in range(2)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
    first, again = (cell.outputs[0].data for cell in notebook.cells)
    assert first == again
    assert first["text/html"].startswith("<img alt=")
    assert "text/plain" in first and MIME in first


@pytest.mark.parametrize("view", ["head", "model", "neuron"])
def test_saved_file_is_one_and_loads_nothing(tmp_path: object, view: str) -> None:
    data = saved_data(view)
    made = attention.AttentionView(data)
    path = made.save(tmp_path / "view.html")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)[^>]*\b(src|href)=", text)
    # Each script ends where it should: five begin and five end, whatever the tokens.
    assert len(re.findall(r"</script", text, re.I)) == 5
    assert "<!--" not in text
    assert HOSTILE not in text
    with pytest.raises(ValueError, match=r"ends in \.html"):
        made.save(tmp_path / "view.txt")


def saved_data(view: str) -> dict:
    part = Part("", random_attentions(1, 1, 2), [HOSTILE, "b"], [HOSTILE, "b"])
    if view == "neuron":
        part.queries = part.keys = [np.eye(2)[None]]
    return payload.build(view, [part], None, None, None, None)


def test_hostile_tokens_are_text_everywhere() -> None:
    view = attention.AttentionView(saved_data("head"))
    bundle = view._repr_mimebundle_()
    for text in (document.fragment(view.data), document.live_html(view.data)):
        assert "<img" not in text
    assert bundle["text/html"].count("<") == 1  # its own picture
    for ink in ("#767676", "currentColor"):
        words = ET.fromstring(document.draw(view.data, ink)).itertext()
        assert HOSTILE[:20] in "".join(words)
    ET.fromstring(document.draw({**view.data, "alt": HOSTILE}))


def test_picture_draws_the_first_head() -> None:
    """By hand: b looks at a with 0.75 and at itself with 0.25, a at itself."""
    attentions = [np.array([[[[1, 0], [0.75, 0.25]]]])]
    picture = document.draw(head_view(attentions, ["a", "b"], alt="Two tokens").data)
    svg = ET.fromstring(picture)
    assert svg.get("aria-label") == "Two tokens"
    lines = [e.get("opacity") for e in svg.iter() if e.tag.endswith("path")]
    assert lines == ["1.00", "0.75", "0.25"]
    words = [e.text for e in svg.iter() if e.tag.endswith("text")]
    assert words == ["Layer 0, head 0", "a", "b", "a", "b"]


def test_picture_of_a_long_text_draws_its_beginning() -> None:
    picture = document.draw(model_view([np.eye(40)[None]], ["x"] * 40).data)
    svg = ET.fromstring(picture)
    words = [e.text for e in svg.iter() if e.tag.endswith("text")]
    assert words == ["Layer 0, head 0, 32 of 40 tokens", *["x"] * 64]
    assert sum(e.tag.endswith("path") for e in svg.iter()) == 32


def test_default_alt_names_the_strongest_pair() -> None:
    attentions = [np.array([[[[0.9, 0.1], [0.05, 0.95]]]])]
    alt = head_view(attentions, ["a", "b"]).data["alt"]
    assert "1 layer, 1 head, 2 tokens" in alt and "from 'b' to 'b': 0.95" in alt


def test_page_files_are_those_that_the_page_loads() -> None:
    files = KINDS["attention"].page_files()
    assert set(files) == {
        "attention_host.js",
        "attention_page.js",
        "attention_libraries.js",
    }
    text = files["attention_libraries.js"]
    parts = json.loads(text.partition("=")[2].strip().rstrip(";"))
    assert set(parts) == {*document.PACKAGES, "frame", "style"}
    assert parts["d3"].startswith("// https://d3js.org v5.7.0")
    for name in ("head", "model", "neuron"):
        assert "PYTHON_PARAMS" not in parts[name]
        assert "window.bertviz_params" in parts[name]


def test_missing_library_names_the_command() -> None:
    with pytest.raises(ModuleNotFoundError, match="pip install no-such-thing"):
        document.find_file("no_such.thing", "no-such-thing", "x.js")
