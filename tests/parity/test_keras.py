"""The attention layers of Keras, run beside ours with the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Additive, Dot, General, MultiHead, ProjectedDot
from tests.backends import to_numpy
from tests.parity import recorded

DIM = 6
QUERY_MASK = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], bool)
VALUE_MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)


@pytest.fixture
def arrays(rng):
    """Query, value and key."""
    return [rng.normal(size=(2, t, DIM)).astype("float32") for t in (4, 5, 5)]


# ---- Attention and AdditiveAttention: no projections, so ours get identities.


def general(w):
    return General(use_scale=True), {"key_projection/kernel": np.eye(DIM), "scale": w["scale"]}


def additive(projection, energy):
    weights = {f"{name}_projection/kernel": projection for name in ("query", "key")}
    return Additive(DIM, use_bias=False), {**weights, "energy": energy}


# What makes the layer of Keras, and from its weights our scorer and the weights of that.
LAYERS = {
    "Attention": (keras.layers.Attention, {}, lambda w: (Dot(), {})),
    "Attention scaled": (keras.layers.Attention, {"use_scale": True}, general),
    "Attention concat": (
        keras.layers.Attention,
        {"score_mode": "concat"},
        lambda w: additive(np.eye(DIM), np.full(DIM, w["concat_score_weight"])),
    ),
    "Attention concat scaled": (
        keras.layers.Attention,
        {"score_mode": "concat", "use_scale": True},
        lambda w: additive(w["scale"] * np.eye(DIM), np.full(DIM, w["concat_score_weight"])),
    ),
    "AdditiveAttention": (keras.layers.AdditiveAttention, {}, lambda w: additive(np.eye(DIM), w["scale"])),
    "AdditiveAttention unscaled": (
        keras.layers.AdditiveAttention,
        {"use_scale": False},
        lambda w: additive(np.eye(DIM), np.ones(DIM)),
    ),
}


def pair(name, arrays, rng):
    """The layer of Keras, with random weights, and ours with the same."""
    make, options, convert = LAYERS[name]
    theirs = make(**options)
    theirs.build([array.shape for array in arrays])
    randomize(theirs, rng)
    scorer, weights = convert({weight.name: ops.convert_to_numpy(weight) for weight in theirs.weights})
    ours = Attention(scorer)
    ours.build(*(array.shape for array in arrays))
    recorded.assign(scorer, weights)
    return theirs, ours


def randomize(layer, rng):
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))


def attend(layer, arrays, **masks):
    return to_numpy(layer(arrays, return_attention_scores=True, **masks))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masks", [[None, None], [None, VALUE_MASK], [QUERY_MASK, VALUE_MASK]])
@pytest.mark.parametrize("name", LAYERS)
def test_attention(name, masks, causal, arrays, rng):
    """Keras zeroes the context of a masked query, but not its alignment. Ours zeroes both."""
    layers = pair(name, arrays, rng)
    theirs, ours = (attend(layer, arrays, mask=masks, use_causal_mask=causal) for layer in layers)
    real = np.ones((2, 4)) if masks[0] is None else QUERY_MASK
    recorded.assert_close(ours[0], theirs[0])
    recorded.assert_close(ours[1], theirs[1] * real[:, :, None])


@pytest.mark.parametrize("name", LAYERS)
def test_a_query_with_nothing_to_attend_to(name, arrays, rng):
    """Keras attends to all of the padding alike. Ours attends to nothing."""
    theirs, ours = pair(name, arrays, rng)
    nothing = [None, np.zeros((2, 5), bool)]
    recorded.assert_close(attend(theirs, arrays, mask=nothing)[1], np.full((2, 4, 5), 0.2))
    for result in attend(ours, arrays, mask=nothing):
        np.testing.assert_array_equal(result, 0)


@pytest.mark.parametrize("name", LAYERS)
def test_nan_in_padding(name, arrays, rng):
    """It reaches every context of Keras in that row, and none of ours."""
    theirs, ours = pair(name, arrays, rng)
    masks = {"mask": [None, VALUE_MASK]}
    padded = [arrays[0], *(np.where(VALUE_MASK[..., None], array, np.float32(np.nan)) for array in arrays[1:])]
    assert np.all(np.isnan(attend(theirs, padded, **masks)[0][1]))
    for one, other in zip(attend(ours, padded, **masks), attend(ours, arrays, **masks), strict=True):
        np.testing.assert_array_equal(one, other)


# ---- MultiHeadAttention

HEADS, KEY_DIM, VALUE_DIM, OUTPUT_DIM = 3, 2, 7, 8


def multi_head_pair(use_bias, arrays, rng):
    theirs = keras.layers.MultiHeadAttention(HEADS, KEY_DIM, VALUE_DIM, use_bias=use_bias, output_shape=OUTPUT_DIM)
    ours = Attention(
        MultiHead(ProjectedDot(KEY_DIM, use_bias=use_bias), HEADS),
        value_projection=keras.layers.Dense(HEADS * VALUE_DIM, use_bias=use_bias),
        output_projection=keras.layers.Dense(OUTPUT_DIM, use_bias=use_bias),
    )
    for layer in (theirs, ours):
        layer.build(*(array.shape for array in arrays))
    randomize(theirs, rng)
    for i, head in enumerate(ours.scorer.scorers):
        assign(head.query_projection, theirs.query_dense, lambda w, i=i: w[..., i, :])
        assign(head.key_projection, theirs.key_dense, lambda w, i=i: w[..., i, :])
    assign(ours.value_projection, theirs.value_dense, lambda w: w.reshape(*w.shape[:-2], -1))
    assign(ours.output_projection, theirs.output_dense, lambda w: w.reshape(-1, OUTPUT_DIM).squeeze())
    return theirs, ours


def assign(ours, theirs, convert):
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        one.assign(convert(ops.convert_to_numpy(other)))


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize(
    "masks",
    [
        {},
        {"value_mask": VALUE_MASK, "key_mask": VALUE_MASK[::-1]},
        {"attention_mask": np.tri(4, 5, 1, dtype=bool)[None].repeat(2, axis=0)},
        {"use_causal_mask": True, "value_mask": VALUE_MASK},
    ],
    ids=lambda masks: " ".join(masks) or "no mask",
)
def test_multi_head_attention(masks, use_bias, arrays, rng):
    """Keras passes a mask of the queries on, but attends for masked ones too. Ours gives zeros for them."""
    theirs, ours = multi_head_pair(use_bias, arrays, rng)
    context, alignment = to_numpy(theirs(*arrays, return_attention_scores=True, **masks))
    for real in (np.ones((2, 4)), QUERY_MASK):
        results = to_numpy(ours(*arrays, query_mask=real, return_attention_scores=True, **masks))
        recorded.assert_close(results[0], context * real[..., None])
        recorded.assert_close(results[1], alignment * real[:, None, :, None])


def test_multi_head_attention_with_nothing_to_attend_to(arrays, rng):
    """Keras gives zeros if asked for the alignment, and else the mean of the padding. Ours gives zeros."""
    theirs, ours = multi_head_pair(False, arrays, rng)
    nothing = {"value_mask": np.zeros((2, 5), bool)}
    recorded.assert_close(to_numpy(theirs(*arrays, return_attention_scores=True, **nothing))[0], np.zeros((2, 4, 8)))
    values = to_numpy(theirs.output_dense(theirs.value_dense(arrays[1])))
    mean = np.repeat(values.mean(axis=1, keepdims=True), 4, axis=1)
    recorded.assert_close(to_numpy(theirs(*arrays, **nothing)), mean)
    for context in (ours(*arrays, **nothing), ours(*arrays, return_attention_scores=True, **nothing)[0]):
        np.testing.assert_array_equal(to_numpy(context), 0)
