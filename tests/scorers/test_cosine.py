import numpy as np
import pytest
from keras import ops

from keras_attn.scorers import Cosine
from tests.contract import to_numpy


def scores(query, key, **options):
    scorer = Cosine(**options)
    scorer.build(query.shape, key.shape)
    query, key = (ops.convert_to_tensor(x, dtype="float32") for x in (query, key))
    return to_numpy(scorer.score(query, scorer.prepare(key), {}))


def test_numpy_oracle(rng):
    query, key = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4))
    key[1, 2] = 0
    expected = np.zeros((2, 3, 5))
    for row in range(2):
        for i in range(3):
            for j in range(5):
                lengths = np.linalg.norm(query[row, i]) * np.linalg.norm(key[row, j])
                expected[row, i, j] = 10 * query[row, i] @ key[row, j] / lengths if lengths else 0
    np.testing.assert_allclose(scores(query, key), expected, atol=1e-5)
    np.testing.assert_allclose(scores(query, key, use_scale=False), expected / 10, atol=1e-6)


def test_lengths_do_not_matter(rng):
    query, key = rng.normal(size=(1, 3, 4)), rng.normal(size=(1, 5, 4))
    np.testing.assert_allclose(scores(7 * query, 0.1 * key), scores(query, key), atol=1e-5)


def test_weights():
    for use_scale in (True, False):
        scorer = Cosine(use_scale)
        scorer.build((None, None, 4), (None, None, 4))
        assert [to_numpy(weight.value).tolist() for weight in scorer.weights] == [10.0] * use_scale


def test_dims_must_be_equal():
    with pytest.raises(ValueError, match=r"Cosine expected query_dim and key_dim to be equal .*Received: "):
        Cosine().build((None, None, 4), (None, None, 3))
