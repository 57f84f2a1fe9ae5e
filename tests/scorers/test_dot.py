import numpy as np
import pytest
from keras import ops

from keras_attn.scorers import Dot, ScaledDot


def test_numpy_oracle(rng):
    query, key = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4))
    expected = np.empty((2, 3, 5))
    for row in range(2):
        for i in range(3):
            for j in range(5):
                expected[row, i, j] = sum(query[row, i, d] * key[row, j, d] for d in range(4))
    scores = Dot().score(ops.cast(query, "float32"), {"key": ops.cast(key, "float32")}, {})
    np.testing.assert_allclose(ops.convert_to_numpy(scores), expected, rtol=1e-5)


def test_half_precision_is_summed_in_float32():
    query, key = ops.full((1, 1, 1000), 10.0, dtype="float16"), ops.full((1, 1, 1000), 10.0, dtype="float16")
    scores = Dot().score(query, {"key": key}, {})  # 100,000 is beyond float16
    assert ops.convert_to_numpy(scores).item() == 100_000


@pytest.mark.parametrize("scorer", [Dot, ScaledDot])
def test_dims_must_be_equal(scorer):
    message = (
        rf"{scorer.__name__} expected query_dim and key_dim to be equal .*'general'.*"
        r"Received: query_shape=\(None, None, 4\), key_shape=\(None, None, 3\)"
    )
    with pytest.raises(ValueError, match=message):
        scorer().build((None, None, 4), (None, None, 3))


@pytest.mark.parametrize("scorer", [Dot, ScaledDot])
def test_no_weights(scorer):
    scorer = scorer()
    scorer.build((None, None, 4), (None, None, 4))
    assert scorer.weights == []
