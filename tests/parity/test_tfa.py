"""The attention of TensorFlow Addons 0.23, `tfa.seq2seq`, against recorded outputs."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, AttentionCell
from keras_attn.alignments import Hardmax, Monotonic
from keras_attn.scorers import Additive, General
from tests.parity import recorded

case = functools.partial(recorded.case, "tfa")


# ---- our weights, from theirs


def general(w):
    """`LuongAttention`."""
    weights = {"key_projection/kernel": w["memory_layer/kernel"]}
    return weights | ({"scale": w["attention_g"]} if "attention_g" in w else {})


def additive(w):
    """`BahdanauAttention`. Its `normalize` brings a bias along; ours has arguments for either."""
    weights = {
        "query_projection/kernel": w["query_layer/kernel"],
        "key_projection/kernel": w["memory_layer/kernel"],
        "energy": w["attention_v"],
    }
    if "attention_g" not in w:
        return weights
    return weights | {"scale": w["attention_g"], "query_projection/bias": w["attention_b"]}


# ---- attention mechanisms

LUONG = {"": lambda: General(), "scale": lambda: General(use_scale=True)}
BAHDANAU = {"": lambda: Additive(8, use_bias=False), "normalize": lambda: Additive(8, normalize=True)}


def scorer_of(name):
    """Our scorer for a case such as ``LuongAttention_scale``, and the function that makes its weights."""
    scorers, weights, option = (LUONG, general, "scale") if name.startswith("L") else (BAHDANAU, additive, "normalize")
    return scorers[option if option in name else ""](), weights


def mechanism(name, alignment):
    theirs, (scorer, weights) = case(name), scorer_of(name)
    ours = recorded.build(Attention(scorer, alignment), theirs)
    recorded.assign(ours.scorer, weights(theirs["weights"]))
    return theirs, ours


@pytest.mark.parametrize("name", ["Luong", "Luong_scale", "Bahdanau", "Bahdanau_normalize"])
def test_softmax(name):
    first, *option = name.split("_")
    theirs, ours = mechanism("_".join([f"{first}Attention", *option]), "softmax")
    recorded.assert_same(recorded.attend(ours, theirs), theirs)


@pytest.mark.parametrize("name", ["LuongAttention_hardmax", "BahdanauAttention_hardmax"])
def test_hardmax(name):
    """`probability_fn="hardmax"` has no gradient; ours has, unless told not to."""
    theirs, ours = mechanism(name, Hardmax(straight_through=False))
    recorded.assert_same(recorded.attend(ours, theirs), theirs)


def monotonic(name, mode):
    first, *option = name.split("_")
    theirs, ours = mechanism("_".join([f"{first}MonotonicAttention", *option, mode]), Monotonic(mode, bias=0.1))
    recorded.assert_close(ops.convert_to_numpy(ours.alignment.score_bias), theirs["weights"]["attention_score_bias"])
    return theirs, recorded.attend(ours, theirs)


@pytest.mark.parametrize("mode", ["parallel", "recursive"])
@pytest.mark.parametrize("name", ["Luong", "Luong_scale", "Bahdanau", "Bahdanau_normalize"])
def test_monotonic(name, mode):
    theirs, ours = monotonic(name, mode)
    recorded.assert_same(ours, theirs)


@pytest.mark.parametrize(
    ("name", "revived"), [("Luong", 1), ("Luong_scale", 2), ("Bahdanau", 4), ("Bahdanau_normalize", 0)]
)
def test_hard_monotonic(name, revived):
    """A query that finds no frame to stop at gets zeros. With theirs, so does every query after it.

    Ours looks on from where the last one stopped: `revived` of these fifteen queries find a frame again.
    """
    theirs, (contexts, states) = monotonic(name, "hard")
    alignments = recorded.alignments(states)
    found = alignments.sum(axis=-1)
    np.testing.assert_array_equal(np.unique(alignments), [0, 1])
    frames_in_order = [np.argmax(row[row.sum(axis=-1) > 0], axis=-1) for row in alignments]
    assert all(np.all(np.diff(frames) >= 0) for frames in frames_in_order)

    alive = np.cumprod(found, axis=1)
    recorded.assert_close(alignments * alive[..., None], theirs["alignment"])
    recorded.assert_close(contexts * alive[..., None], theirs["context"])
    assert np.sum(found - alive) == revived


def test_parallel_monotonic_keeps_its_mass():
    """From frames 0, 50 and 200 of 400 on, all mass finds a frame. Their default mode loses it; ours does not."""
    theirs = case("vanishing_mass")
    recorded.assert_close(theirs["alignment_parallel"].sum(axis=-1), [1, 0, 0])
    scores, previous = (ops.convert_to_tensor(theirs[name]) for name in ("scores", "previous"))
    for mode in ("parallel", "recursive"):
        monotonic = Monotonic(mode)
        monotonic.build((3, None, 1), (3, 400, 1), (3, None, 1))
        alignment = ops.convert_to_numpy(monotonic.align(scores, ops.ones((3, 400), dtype="bool"), previous))
        recorded.assert_close(alignment.sum(axis=-1), [1, 1, 1])
        recorded.assert_close(alignment, theirs["alignment_recursive"], atol=1e-6)


# ---- AttentionWrapper: twenty steps with an LSTM


def load_wrapper(name, attention, weights, **options):
    """What was recorded, and our cell with its weights.

    Args:
        name: The case.
        attention: Our attention, or a list of them.
        weights: For each attention, the function that makes the weights of its scorer.
        options: Those of `AttentionCell`.
    """
    theirs = case(name)
    ours = AttentionCell(keras.layers.LSTMCell(11), attention, **options)
    ours.build((3, 4), theirs["memory"].shape)
    recorded.assign(ours.cell, part(theirs, "cell"))
    for layer in ours.attention_layers:
        recorded.assign(layer, part(theirs, "attention_layer"))
    for i, (one, convert) in enumerate(zip(ours.attentions, weights, strict=True)):
        recorded.assign(one.scorer, convert(part(theirs, f"mechanism_{i}")))
    return theirs, ours


def part(theirs, name):
    """The weights of one part of a wrapper."""
    return {key.removeprefix(f"{name}/"): w for key, w in theirs["weights"].items() if key.startswith(f"{name}/")}


def assert_same_steps(theirs, ours):
    memory = recorded.prepare(ours, theirs)
    outputs, states = recorded.run(ours.step, theirs["inputs"], memory, ours.initial_state(memory))
    recorded.assert_close(outputs, theirs["output"])
    for i, state in enumerate(states[1:]):
        recorded.assert_close(state["feedback"], theirs["attention"][:, i])
        recorded.assert_close(state["cell"], [theirs["hidden"][:, i], theirs["carry"][:, i]])
    for i in range(len(ours.attentions)):
        recorded.assert_close(
            recorded.alignments([state["attention"][i] for state in states]), theirs[f"alignment_{i}"]
        )


def test_wrapper_luong():
    """`attention_layer_size=9`, `output_attention=True`."""
    layer = keras.layers.Dense(9, use_bias=False)
    assert_same_steps(*load_wrapper("AttentionWrapper_Luong", "general", [general], attention_layer=layer))


def test_wrapper_bahdanau():
    """No attention layer, `output_attention=False`."""
    attention = Attention(Additive(11, use_bias=False))
    assert_same_steps(*load_wrapper("AttentionWrapper_Bahdanau", attention, [additive], output="cell"))


def test_wrapper_two():
    """Two mechanisms, `output_attention=False`; the second one monotonic, with a negative bias."""
    attentions = [Attention(Additive(11, use_bias=False)), Attention("general", Monotonic("recursive", bias=-0.5))]
    assert_same_steps(*load_wrapper("AttentionWrapper_two", attentions, [additive, general], output="cell"))
