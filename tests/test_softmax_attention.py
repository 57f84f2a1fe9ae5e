"""Blocks of softmaxes of inner products, compared with the definition and with the gradients of autodiff."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, alignments, masking, queries, scorers, softmax_attention
from tests.backends import BACKEND, assert_close, compiled_by_xla, differentiated, fast

TQ, TV, DIM, VALUE_DIM = 7, 5, 3, 4
MASKS = {
    "unmasked": None,
    "keys": (2, 1, TV),
    "pairs": (2, TQ, TV),
    "pairs_alike_in_the_batch": (1, TQ, TV),
}


def by_definition(query, key, value, mask=None):
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2))
    return ops.matmul(masking.masked_softmax(scores, mask), value)


def arrays_of(rng, *leading, scale=1.0):
    shapes = (TQ, DIM), (TV, DIM), (TV, VALUE_DIM)
    return [scale * rng.normal(size=(*leading, *shape)).astype("float32") for shape in shapes]


def mask_of(shape, rng):
    """Booleans among which a row has nothing real."""
    if shape is None:
        return None
    mask = rng.random(shape) < 0.6
    mask[-1, -1] = False
    return ops.convert_to_tensor(mask)


def squares(x):
    return ops.sum(x**2)


@pytest.mark.parametrize("block", [1, 2, 3, 4, TQ, 100])
@pytest.mark.parametrize("shape", MASKS.values(), ids=MASKS)
def test_context_and_gradients(shape, block, rng, monkeypatch):
    monkeypatch.setattr(softmax_attention, "BLOCK", block)
    arrays, mask = arrays_of(rng, 2), mask_of(shape, rng)
    expected = differentiated(lambda *x: by_definition(*x, mask), squares)(*arrays)
    assert_close(differentiated(lambda *x: softmax_attention.attend(*x, mask), squares)(*arrays), expected, 1e-5)


def test_heads(rng, monkeypatch):
    monkeypatch.setattr(softmax_attention, "BLOCK", 2)
    arrays, mask = arrays_of(rng, 2, 3), mask_of((2, 1, 1, TV), rng)
    expected = differentiated(lambda *x: by_definition(*x, mask), squares)(*arrays)
    assert_close(differentiated(lambda *x: softmax_attention.attend(*x, mask), squares)(*arrays), expected, 1e-5)


def test_scores_of_thousands(rng):
    arrays = arrays_of(rng, 2, scale=100.0)
    context, gradients = differentiated(softmax_attention.attend, squares)(*arrays)
    assert_close(context, by_definition(*arrays), 1e-5)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="compiles for TensorFlow")
def test_compiled(rng, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(softmax_attention, "BLOCK", 2)
    arrays = arrays_of(rng, 2)

    def gradients(attend):
        def run(*arrays):
            with tf.GradientTape() as tape:
                tape.watch(arrays)
                loss = squares(attend(*arrays))
            return tape.gradient(loss, arrays)

        return run

    actual = compiled_by_xla(gradients(softmax_attention.attend))(*arrays)
    assert_close(actual, gradients(by_definition)(*(ops.convert_to_tensor(x) for x in arrays)), 1e-5)


SCORERS = {
    "dot": "dot",
    "scaled_dot": "scaled_dot",
    "general": scorers.General(use_scale=True),
    "cosine": "cosine",
    "listen_attend_spell": "listen_attend_spell",
    "multi_head": scorers.MultiHead(scorers.ProjectedDot(units=3), heads=2),
}


def both_ways(layer, arrays, monkeypatch, **options):
    """Context and gradients of a call to `layer`, by the definition and in blocks."""

    def run():
        return differentiated(lambda *x: layer(*x, **options), squares, layer.trainable_variables)(*arrays)

    expected = run()
    monkeypatch.setattr(softmax_attention, "BLOCK", 3)
    monkeypatch.setattr(queries, "FEWEST_INNER_PRODUCTS", 1)
    monkeypatch.setattr(queries.compiled, "by_xla", lambda: True)
    monkeypatch.setattr(queries, "attend_at_once", lambda *_: pytest.fail("blocks expected"))
    monkeypatch.setattr(queries, "attend_in_blocks", lambda *_, **__: pytest.fail("inner products expected"))
    return run(), expected


@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("masked", [False, True])
def test_layers(name, masked, rng, monkeypatch):
    layer = Attention(SCORERS[name], alignments.Softmax(temperature=0.7), value_projection=keras.layers.Dense(4))
    layer.build((2, TQ, 4), (2, TV, 4))
    arrays = [rng.normal(size=(2, time, 4)).astype("float32") for time in (TQ, TV)]
    options = {}
    if masked:
        real = np.arange(TV) < [[TV], [2]]
        options = {"value_mask": real, "query_mask": np.arange(TQ) < [[TQ], [4]], "use_causal_mask": True}
        arrays[1][~real] = np.nan
    actual, expected = both_ways(layer, arrays, monkeypatch, **options)
    assert_close(actual, expected, 1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_dtypes(dtype, rng, monkeypatch):
    if dtype == "float64" and BACKEND == "jax":
        pytest.skip("JAX has no float64 unless asked for")
    layer = Attention("scaled_dot", output_projection=keras.layers.Dense(4, dtype=dtype), dtype=dtype)
    layer.build((2, TQ, 4), (2, TV, 4))
    arrays = [rng.normal(size=(2, time, 4)).astype("float32") for time in (TQ, TV)]
    actual, expected = both_ways(layer, arrays, monkeypatch)
    assert_close(actual, expected, 0.02 if "mixed" in dtype else 1e-6)


def test_who_gets_all_queries_at_once(rng, monkeypatch):
    monkeypatch.setattr(queries, "FEWEST_INNER_PRODUCTS", 1)
    monkeypatch.setattr(queries.compiled, "by_xla", lambda: True)
    monkeypatch.setattr(queries, "attend_to_inner_products", lambda *_: pytest.fail("all queries at once expected"))
    query, value = ops.ones((1, TQ, 4)), ops.ones((1, TV, 4))
    different = [scorers.ProjectedDot(units=units) for units in (2, 3)]
    Attention("dot")(query, value, return_attention_scores=True)
    Attention("dot", alignments.Softmax(dropout=0.5))(query, value, training=True)
    Attention("dot", "sparsemax")(query, value)
    Attention("additive")(query, value)
    Attention(scorers.MultiHead(different))(query, value)


@pytest.mark.skipif(BACKEND == "torch", reason="nothing is compiled")
def test_long_self_attention(rng):
    layer = Attention("dot")
    x = rng.normal(size=(1, 4096, 8)).astype("float32")
    run = compiled_by_xla(layer) if BACKEND == "tensorflow" else fast(layer)
    assert_close(run(x)[0, :5], by_definition(x[:, :5], x, x)[0], 1e-5)
