import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import compiled, scorers
from keras_attn.scorers import additive_step
from keras_attn.scorers.additive_scores import whole
from tests.backends import BACKEND, assert_close, compiled_by_xla, differentiated, fast


def arrays(rng, dtype="float32", tv=7, batch=3):
    return [rng.normal(size=shape).astype(dtype) for shape in ((batch, 1, 5), (batch, tv, 5), (5,))]


def scores(query, key, weights):
    return additive_step.scores(query, additive_step.prepare(key), weights)


def by_numpy(query, key, weights):
    return np.tanh(query.astype("float64") + key)[:, None] @ weights.astype("float64")


def curved(scores):
    """A scalar whose gradient is another one for every score."""
    return ops.sum(ops.sin(scores))


def relative(gradients, expected):
    return max(np.abs(g - e).max() / np.abs(e).max() for g, e in zip(gradients, expected, strict=True))


@pytest.mark.parametrize("spread", [1e-3, 1, 5])
def test_by_numpy_and_autodiff(rng, spread):
    query, key, weights = arrays(rng)
    tensors = spread * query, spread * key, weights
    found, gradients = differentiated(scores, curved)(*tensors)
    assert_close(found, by_numpy(*tensors), 1e-6)
    assert_close(gradients, differentiated(whole, curved)(*tensors)[1], 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("distance", [19, 21, 45, 300, 1e30])
@pytest.mark.parametrize("far", [[0, 1, 2], [1]])
def test_keys_and_queries_that_are_far_away_and_close_to_each_other(rng, dtype, distance, far):
    query, key, weights = arrays(rng, dtype)
    query[far, :, 1:3] += np.array([distance, -distance], dtype)
    key[far, :4, 1:3] -= np.array([distance, -distance], dtype)
    found, gradients = differentiated(scores, curved)(query, key, weights)
    # Before the sum, both are rounded to the precision of the distance; JAX makes float32 of float64.
    tolerance = 1e-6 + np.finfo(found.dtype).eps * min(distance, 1e6)
    if distance < 1e6:
        assert_close(found, by_numpy(query, key, weights), 10 * tolerance)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert relative(gradients, differentiated(whole, curved)(query, key, weights)[1]) < 1e-5 + 10 * tolerance


def test_infinities_and_what_is_no_number_stay_where_they_are(rng):
    query, key, weights = arrays(rng)
    expected = by_numpy(query, key, weights)
    query[0], query[1, 0, 2] = np.inf, np.nan
    found = fast(scores)(query, key, weights)
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[0], weights.sum(), rtol=1e-5)
    assert_close(found[2], expected[2], 1e-6)
    key[2, 3, 1], key[2, 4, 1] = np.nan, -np.inf
    found = fast(scores)(query, key, weights)
    assert np.isnan(found[2, 0, 3])
    assert_close(np.delete(found[2, 0], [3, 4]), np.delete(expected[2, 0], [3, 4]), 1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(rng, dtype):
    tensors = [ops.cast(x, dtype) for x in arrays(rng)]
    found = scores(*tensors)
    assert keras.utils.standardize_dtype(found.dtype) == "float32"
    expected = by_numpy(*(ops.convert_to_numpy(ops.cast(x, "float32")) for x in tensors))
    assert_close(ops.convert_to_numpy(found), expected, 1e-6)


def test_no_keys_at_all(rng):
    found, gradients = differentiated(scores, curved)(*arrays(rng, tv=0))
    assert found.shape == (3, 1, 0)
    assert not any(np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize("normalize", [False, True])
def test_the_scorer_gives_the_same_compiled_and_not(rng, monkeypatch, normalize):
    scorer = scorers.Additive(5, normalize=normalize)
    scorer.build((None, None, 4), (None, None, 3))

    def score(query, key):
        memory = scorer.prepare(key)
        assert ("step" in memory) == compiled.by_xla()
        return scorer.score(query, memory, {})

    query, key = rng.normal(size=(2, 1, 4)).astype("float32"), rng.normal(size=(2, 6, 3)).astype("float32")
    found = (compiled_by_xla if BACKEND == "tensorflow" else fast)(score)(query, key)
    monkeypatch.setattr(compiled, "by_xla", lambda: False)
    assert_close(found, fast(score)(query, key), 1e-6)
