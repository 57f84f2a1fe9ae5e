import numpy as np
from keras import ops

from keras_attn.scorers import Dot, General


def build(query_dim, key_dim):
    scorer = General()
    scorer.build((None, None, query_dim), (None, None, key_dim))
    return scorer


def test_numpy_oracle(rng):
    query, key = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((3, 4), (5, 6)))
    scorer = build(4, 6)
    (kernel,) = (ops.convert_to_numpy(weight) for weight in scorer.weights)
    assert kernel.shape == (6, 4)  # the transposed W_a of the paper
    expected = np.empty((2, 3, 5))
    for row in range(2):
        for i in range(3):
            for j in range(5):
                expected[row, i, j] = query[row, i] @ kernel.T @ key[row, j]
    scores = scorer.score(ops.convert_to_tensor(query), scorer.prepare(ops.convert_to_tensor(key)), {})
    np.testing.assert_allclose(ops.convert_to_numpy(scores), expected, atol=1e-5)


def test_with_the_identity_it_is_dot(rng):
    query, key = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    scorer = build(4, 4)
    scorer.weights[0].assign(np.eye(4))
    scores = scorer.score(query, scorer.prepare(key), {})
    expected = Dot().score(query, {"key": key}, {})
    np.testing.assert_allclose(ops.convert_to_numpy(scores), ops.convert_to_numpy(expected), atol=1e-6)
