"""Blocks of queries are the same attention as all queries at once."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, alignments, queries
from tests.backends import BACKEND, assert_close, compiled_by_xla, differentiated
from tests.contract import ALIGNMENTS, SCORERS, Pair, masks, weighed

SCORERS_OF_ALL_KINDS = ("additive", "cosine", "local_gaussian", "relative_position_of_multi_head", "product_of_means")
AT_ONCE = [Pair(SCORERS[name], ALIGNMENTS["softmax"]) for name in SCORERS_OF_ALL_KINDS]
AT_ONCE += [Pair(SCORERS["scaled_dot"], ALIGNMENTS[name]) for name in ("entmax", "sigmoid")]
TQ = 11


def contexts_and_gradients(layer, arrays, **options):
    def function(*arrays):
        return [layer(*arrays, **options)]

    return differentiated(function, weighed, layer.trainable_variables)(*arrays)


def in_blocks(monkeypatch):
    """From now on queries go in blocks of four, inner products too."""
    monkeypatch.setattr(queries.compiled, "by_xla", lambda: False)
    monkeypatch.setattr(queries, "BLOCK", 4)
    for fewest in ("FEWEST_SCORES", "FEWEST_INNER_PRODUCTS"):
        monkeypatch.setattr(queries, fewest, 1)


@pytest.mark.parametrize("kept", [0, queries.MOST_KEPT])
@pytest.mark.parametrize("pair", AT_ONCE, ids=str)
def test_pairs_without_a_loop(pair, kept, monkeypatch):
    monkeypatch.setattr(queries, "MOST_KEPT", kept)
    layer, arrays = pair.built(), pair.arrays(tq=TQ)
    options = masks(TQ)
    expected = contexts_and_gradients(layer, arrays, **options)
    in_blocks(monkeypatch)
    chosen = queries.way(layer, *arrays[:2], {}, training=True, with_alignment=False)
    assert chosen.func is queries.attend_in_blocks
    assert_close(contexts_and_gradients(layer, arrays, **options), expected, 1e-5)


@pytest.mark.parametrize(
    "options",
    [{}, {"use_causal_mask": True}, {"attention_mask": np.array([[True, False, True, True, True]] * 2)}],
    ids=["unmasked", "causal", "one_mask_for_all_queries"],
)
def test_masks_with_axes_of_size_one(options, monkeypatch):
    pair = Pair(SCORERS["additive"], ALIGNMENTS["softmax"])
    layer, arrays = pair.built(), pair.arrays(tq=TQ)
    expected = contexts_and_gradients(layer, arrays, **options)
    in_blocks(monkeypatch)
    assert_close(contexts_and_gradients(layer, arrays, **options), expected, 1e-5)


def test_who_asks_for_the_alignment_or_for_dropout_gets_all_queries_at_once(monkeypatch):
    in_blocks(monkeypatch)
    monkeypatch.setattr(queries, "attend_in_blocks", lambda *_: pytest.fail("no blocks expected"))
    query, value = ops.ones((1, TQ, 4)), ops.ones((1, 5, 4))
    Attention("dot")(query, value, return_attention_scores=True)
    Attention("dot", alignments.Softmax(dropout=0.5))(query, value, training=True)
    Attention("dot", "monotonic")(query, value)
    Attention("dot")(query[:, :4], value)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(dtype, monkeypatch):
    pair = Pair(SCORERS["additive"], ALIGNMENTS["softmax"])
    layer, arrays = pair.built(dtype), pair.arrays(tq=TQ)
    expected = contexts_and_gradients(layer, arrays)
    in_blocks(monkeypatch)
    assert_close(contexts_and_gradients(layer, arrays), expected, 0.02)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="compiles for TensorFlow")
def test_compiled_and_in_a_plain_graph(rng, monkeypatch):
    import tensorflow as tf

    layer = Attention("additive")
    layer.build((2, TQ, 4), (2, 5, 4))
    query, value = (rng.normal(size=(2, time, 4)).astype("float32") for time in (TQ, 5))

    def gradients(query, value):
        with tf.GradientTape() as tape:
            loss = ops.sum(layer(query, value) ** 2)
        return tape.gradient(loss, [weight.value for weight in layer.trainable_variables])

    expected = gradients(query, value)
    in_blocks(monkeypatch)
    assert_close([x.numpy() for x in tf.function(gradients)(query, value)], [x.numpy() for x in expected], 1e-6)
    assert_close(compiled_by_xla(gradients)(query, value), [x.numpy() for x in expected], 1e-6)


def test_a_model_is_trained(rng, monkeypatch):
    in_blocks(monkeypatch)
    query, value = keras.Input((TQ, 4)), keras.Input((5, 4))
    model = keras.Model([query, value], Attention("additive")(query, value))
    model.compile("sgd", "mse")
    data = [rng.normal(size=(2, t, 4)).astype("float32") for t in (TQ, 5)]
    first, second = (model.train_on_batch(data, np.zeros((2, TQ, 4), "float32")) for _ in range(2))
    assert second < first
