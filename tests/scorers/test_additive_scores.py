import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, compiled
from keras_attn.scorers import additive_scores as module
from keras_attn.scorers import additive_tile
from keras_attn.scorers.additive_scores import additive_scores, whole
from tests.backends import assert_close, assert_same, compiled_by_xla, differentiated, fast

on_tensorflow = pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="says something of TensorFlow")


@pytest.fixture
def always_tiles(monkeypatch):
    monkeypatch.setattr(module, "FEWEST_QUERIES", 1)
    monkeypatch.setattr(module, "FEWEST_NUMBERS", 1)


def arrays(rng, tq, tv, units=8, dtype="float32", batch=2):
    return [rng.normal(size=shape).astype(dtype) for shape in ((batch, tq, units), (batch, tv, units), (units,))]


def by_numpy(query, key, weights):
    return np.tanh(query[:, :, None, :].astype("float64") + key[:, None, :, :]) @ weights.astype("float64")


def curved(scores):
    """A scalar whose gradient is another one for every score."""
    return ops.sum(ops.sin(scores))


def with_gradients(function, *tensors):
    return differentiated(function, curved)(*tensors)


def relative(gradients, expected):
    return max(np.abs(g - e).max() / np.abs(e).max() for g, e in zip(gradients, expected, strict=True))


# Less than a tile, a tile, a little more than one, one query and one key.
@pytest.mark.parametrize(("tq", "tv"), [(50, 100), (64, 64), (65, 129), (1, 70), (70, 1)])
def test_tiles_are_exact(rng, always_tiles, tq, tv):
    tensors = arrays(rng, tq, tv)
    scores, gradients = with_gradients(additive_scores, *tensors)
    assert_close(scores, by_numpy(*tensors), 2e-6)
    expected, expected_gradients = with_gradients(whole, *tensors)
    assert_close(scores, expected, 2e-6)
    assert relative(gradients, expected_gradients) < 1e-5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spread", [1e-3, 10, 40, 1e4])
@pytest.mark.parametrize("offset", [0, 300])
def test_numbers_of_any_size(rng, always_tiles, dtype, spread, offset):
    query, key, weights = arrays(rng, 40, 70, dtype=dtype)
    query, key = (spread * query + offset).astype(dtype), (spread * key - offset).astype(dtype)
    scores, gradients = with_gradients(additive_scores, query, key, weights)
    # JAX makes float32 of float64. The sum of two numbers is rounded to the precision of the larger one.
    tolerance = 1e-5 + np.finfo(scores.dtype).eps * 100 * (spread + offset)
    assert_close(scores, by_numpy(query, key, weights), tolerance)
    _, expected_gradients = with_gradients(whole, query, key, weights)
    assert np.isfinite(gradients[0]).all() and np.isfinite(gradients[1]).all()
    assert relative(gradients, expected_gradients) < 10 * tolerance


def test_infinities_and_what_is_no_number_stay_where_they_are(rng, always_tiles):
    query, key, weights = arrays(rng, 20, 30)
    expected = by_numpy(query, key, weights)
    query[0, 3] = np.inf
    query[1, 4, 2] = key[0, 5, 1] = np.nan
    scores = fast(additive_scores)(query, key, weights)
    assert np.isnan(scores[1, 4]).all() and np.isnan(scores[0, :, 5]).all()
    np.testing.assert_allclose(np.delete(scores[0, 3], 5), weights.sum(), rtol=1e-5)
    expected[1, 4] = expected[0, 3] = expected[0, :, 5] = scores[1, 4] = scores[0, 3] = scores[0, :, 5] = 0
    assert_close(scores, expected)


@on_tensorflow  # as only there float64 stays what it is, in every operation
def test_finite_differences(rng, always_tiles):
    tensors = arrays(rng, 3, 4, units=2, dtype="float64", batch=1)
    _, gradients = with_gradients(additive_scores, *tensors)
    for i, x in enumerate(tensors):
        for index in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[index] = 1e-6
            up, down = (
                np.sin(by_numpy(*[y + sign * step if y is x else y for y in tensors])).sum() for sign in (1, -1)
            )
            np.testing.assert_allclose(gradients[i][index], (up - down) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(rng, always_tiles, dtype):
    tensors = [ops.cast(x, dtype) for x in arrays(rng, 20, 30)]
    expected = by_numpy(*(ops.convert_to_numpy(ops.cast(x, "float32")) for x in tensors))
    scores = additive_scores(*tensors)
    assert keras.utils.standardize_dtype(scores.dtype) == "float32"
    assert_close(ops.convert_to_numpy(scores), expected, 2e-6)
    assert_close(
        fast(lambda x: ops.cast(additive_scores(*(ops.cast(y, dtype) for y in tensors)), "float32"))(0.0), expected
    )


def test_few_queries_or_few_numbers_are_computed_at_once(rng, monkeypatch):
    monkeypatch.setattr(module, "_by_hand", lambda tiled: pytest.fail("no tiles expected"))
    monkeypatch.setattr(module, "FEWEST_NUMBERS", 16 * 10 * 8 * 2 + 8)
    for tq, tv in ((16, 10), (1, 1000), (0, 5), (20, 0)):
        tensors = arrays(rng, tq, tv)
        assert_same(fast(additive_scores)(*tensors), fast(whole)(*tensors))
    symbolic = additive_scores(
        keras.KerasTensor((None, None, 8)), keras.KerasTensor((None, 9, 8)), np.ones(8, "float32")
    )
    assert symbolic.shape == (None, None, 9)


@on_tensorflow
def test_lengths_that_are_not_known_before(rng, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(module, "FEWEST_NUMBERS", 30 * 40 * 8)
    unknown = tf.TensorSpec((None, None, 8))

    @tf.function(input_signature=[unknown, unknown, tf.TensorSpec((8,))])
    def function(query, key, weights):
        return additive_scores(query, key, weights)

    for tq, tv in ((50, 100), (70, 130), (20, 3), (1, 500), (0, 3), (3, 0)):
        tensors = arrays(rng, tq, tv)
        scores, gradients = with_gradients(function, *tensors)
        expected, expected_gradients = with_gradients(whole, *tensors)
        assert_close(scores, expected, 2e-6)
        assert_close(gradients, expected_gradients, 1e-4)


@on_tensorflow
def test_new_lengths_are_not_compiled_anew(rng, always_tiles):
    tile = compiled.of_backend(additive_tile.gradients.__wrapped__, "tensorflow")
    counts = []
    for tq, tv in ((20, 30), (70, 130), (40, 9)):
        with_gradients(additive_scores, *arrays(rng, tq, tv, units=5))
        counts.append(tile.experimental_get_tracing_count())
    assert counts[0] == counts[1] == counts[2] > 0


@on_tensorflow
def test_inside_a_function_compiled_by_xla(rng, always_tiles):
    import tensorflow as tf

    def gradient(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = curved(additive_scores(*tensors))
        return tape.gradient(value, tensors)

    tensors = arrays(rng, 20, 30)
    assert relative(compiled_by_xla(gradient)(*tensors), with_gradients(whole, *tensors)[1]) < 1e-5


@on_tensorflow
def test_a_model_is_trained_and_exported(rng, monkeypatch, tmp_path):
    import tensorflow as tf

    monkeypatch.setattr(module, "FEWEST_NUMBERS", 20 * 30 * 8)
    query, value = keras.Input((None, 4)), keras.Input((None, 4))
    model = keras.Model([query, value], Attention("additive")(query, value))
    model.compile("sgd", "mse")
    data = [rng.normal(size=(2, t, 4)).astype("float32") for t in (20, 30)]
    before = model.predict_on_batch(data)
    first, second = (model.train_on_batch(data, np.zeros((2, 20, 4), "float32")) for _ in range(2))
    assert second < first and np.isfinite(before).all()
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    assert_close(loaded.serve(data).numpy(), model.predict_on_batch(data), 1e-6)
