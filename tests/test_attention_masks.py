"""Masks of `Attention`: given by name, in a list, attached by Keras."""

import keras
import numpy as np
import pytest

from keras_attn import Attention, masking
from tests.contract import assert_close, assert_same, to_numpy

BACKEND = keras.config.backend()
VALUE_MASK = np.array([[True, True, True, True, False], [True, False, True, False, False]])
QUERY_MASK = np.array([[True, True, True], [False, True, True]])
SCORERS = ["general", "location_aware"]  # without a loop and with one


@pytest.fixture
def arrays(rng):
    """Query, value and key with all dims equal, so that every scorer takes them."""
    return [rng.normal(size=(2, t, 4)).astype("float32") for t in (3, 5, 5)]


def run(layer, *args, **kwargs):
    return to_numpy(layer(*args, return_attention_scores=True, **kwargs))


@pytest.mark.parametrize("scorer", SCORERS)
def test_masks_of_any_kind(arrays, scorer):
    layer = Attention(scorer)
    expected = run(layer, *arrays, query_mask=QUERY_MASK, value_mask=VALUE_MASK, attention_mask=VALUE_MASK)
    for dtype in ("int32", "float32", "uint8"):
        query_mask, value_mask = QUERY_MASK.astype(dtype), VALUE_MASK.astype(dtype)
        results = run(layer, *arrays, query_mask=query_mask, value_mask=value_mask, attention_mask=value_mask)
        assert_same(results, expected)


@pytest.mark.parametrize("scorer", SCORERS)
def test_attention_masks_of_any_rank(arrays, scorer):
    layer = Attention(scorer)
    expected = run(layer, *arrays, attention_mask=np.repeat(VALUE_MASK[:, None], 3, axis=1))
    assert_same(run(layer, *arrays, attention_mask=VALUE_MASK), expected)
    assert_same(run(layer, *arrays, attention_mask=VALUE_MASK[:, None]), expected)


@pytest.mark.parametrize("masks", [{}, {"query_mask": QUERY_MASK}, {"value_mask": VALUE_MASK},
                                   {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK}])  # fmt: skip
@pytest.mark.parametrize("scorer", SCORERS)
def test_causal(arrays, scorer, masks):
    layer, past = Attention(scorer), np.tri(3, 5, dtype=bool)
    context, alignment = run(layer, *arrays, use_causal_mask=True, **masks)
    assert np.all(alignment[:, ~past] == 0)
    same = run(layer, *arrays, attention_mask=np.stack([past] * 2), **masks)
    assert_same((context, alignment), same)


def test_implicit_masks_equal_explicit_ones_and_explicit_ones_win(rng):
    tokens_q, tokens_v = np.array([[3, 1, 2], [0, 4, 1]]), np.array([[5, 2, 0, 0], [1, 2, 3, 0]])
    table = rng.normal(size=(6, 4))
    embed = keras.layers.Embedding(6, 4, mask_zero=True)
    embed.build()
    embed.set_weights([table])
    plain = [table[tokens].astype("float32") for tokens in (tokens_q, tokens_v)]
    layer = Attention("additive")
    expected = run(layer, *plain, query_mask=tokens_q != 0, value_mask=tokens_v != 0)
    assert_same(run(layer, embed(tokens_q), embed(tokens_v)), expected)
    assert_same(run(layer, [embed(tokens_q), embed(tokens_v)]), expected)
    other = np.array([[True, False, True, True]] * 2)
    expected = run(layer, *plain, query_mask=tokens_q != 0, value_mask=other)
    assert_same(run(layer, embed(tokens_q), embed(tokens_v), value_mask=other), expected)
    assert_same(run(layer, [embed(tokens_q), embed(tokens_v)], value_mask=other), expected)
    assert_same(run(layer, [embed(tokens_q), embed(tokens_v)], mask=[None, other]), expected)
    expected = run(layer, plain[1], value_mask=tokens_v != 0, query_mask=tokens_v != 0)
    assert_same(run(layer, embed(tokens_v)), expected)


@pytest.mark.parametrize("form", ["separate", "list", "self"])
def test_the_mask_of_the_query_goes_on_to_the_next_layer(form):
    tokens = np.array([[3, 1, 2], [0, 4, 1]])
    embedded = keras.layers.Embedding(6, 4, mask_zero=True)(tokens)
    inputs = {"separate": (embedded, embedded), "list": ([embedded, embedded],), "self": (embedded,)}[form]
    context = Attention("dot")(*inputs)
    pooled = to_numpy(keras.layers.GlobalAveragePooling1D()(context))
    assert_close(pooled[1], to_numpy(context)[1, 1:].mean(0))


def test_window_masks_of_a_row_of_queries_need_no_key_to_be_finite(arrays):
    """A frame that no query may attend to is padding, by whichever mask."""
    query, value, _ = arrays
    value[:, -1] = np.nan
    context, _ = run(Attention("dot"), query, value, use_causal_mask=True)
    assert np.isfinite(context).all()
    assert not np.isfinite(run(Attention("dot"), query, value)[0]).any()


def test_length_masks(arrays):
    lengths = masking.length_mask([2, 5], 5)
    expected = run(Attention("dot"), arrays[0][:1], arrays[1][:1, :2])
    assert_close(run(Attention("dot"), *arrays[:2], value_mask=lengths)[0][:1], expected[0])
