"""Weights between our `GPT` and transformers' GPT-2 (chapter 11).

The two differ in names, in an outer shell, and in that transformers keeps matrices as
(inputs, outputs), a habit of the first release of GPT-2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from llmbook_utils.models.attention.gpt import GPT, GPTConfig

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel

# what a GPT-2 must have, besides sizes, for our model to be the same function
_EXPECTED = {
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "tie_word_embeddings": True,
    "add_cross_attention": False,
}


def _transposed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn the blocks' matrices over: (outputs, inputs) to (inputs, outputs)."""
    return {
        name: w.T.contiguous() if name.startswith("h.") and w.ndim == 2 else w
        for name, w in state.items()
    }


def to_transformers(model: GPT) -> GPT2LMHeadModel:
    """Copy our weights into a new GPT2LMHeadModel.

    Parameters
    ----------
    model : GPT
        With learned positions.

    Returns
    -------
    GPT2LMHeadModel
        The same function; dtype, device and mode are the model's.

    Raises
    ------
    ValueError
        If positions are rotary, which GPT-2 does not know.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    config = model.config
    if config.positions != "learned":
        raise ValueError(
            f"GPT-2 has learned positions, this model's are {config.positions}; train "
            "one with GPTConfig(positions='learned')"
        )
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.block_size,
            n_layer=config.n_layer,
            n_head=config.n_head,
            n_embd=config.n_embd,
            resid_pdrop=config.dropout,
            embd_pdrop=config.dropout,
            attn_pdrop=config.dropout,
            bos_token_id=None,  # the defaults are ids of GPT-2's own vocabulary
            eos_token_id=None,
        )
    )
    theirs.loss_type = "ForCausalLM"  # else it warns, and Trainer miscounts
    theirs.transformer.load_state_dict(_transposed(model.state_dict()))
    return theirs.to(model.wte.weight).train(model.training)


def from_transformers(theirs: GPT2LMHeadModel) -> GPT:
    """Copy a GPT2LMHeadModel's weights into a new model of ours.

    Parameters
    ----------
    theirs : GPT2LMHeadModel
        Any GPT-2, for example from ``GPT2LMHeadModel.from_pretrained("gpt2")``.

    Returns
    -------
    GPT
        The same function; dtype, device and mode are the model's.

    Raises
    ------
    ValueError
        If it differs from GPT-2 in more than its size.
    """
    config = theirs.config
    expected = _EXPECTED | {"n_inner": config.n_inner and 4 * config.n_embd}
    for name, value in expected.items():
        if getattr(config, name, None) != value:
            raise ValueError(
                f"our GPT is GPT-2 and nothing else: {name} must be {value!r}, got "
                f"{getattr(config, name, None)!r}; keep using transformers for this one"
            )
    model = GPT(
        GPTConfig(
            vocab_size=config.vocab_size,
            block_size=config.n_positions,
            n_layer=config.n_layer,
            n_head=config.n_head,
            n_embd=config.n_embd,
            dropout=config.resid_pdrop,
        )
    )
    model.load_state_dict(_transposed(theirs.transformer.state_dict()))
    return model.to(theirs.transformer.wte.weight).train(theirs.training)
