import numpy as np
from keras import ops

from keras_attn.scorers import Dot, General


def build(query_dim, key_dim, **options):
    scorer = General(**options)
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


def test_scale_is_a_factor_that_starts_at_1(rng):
    query, key = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    plain, scaled = build(4, 4), build(4, 4, use_scale=True)
    scaled.key_projection.set_weights(plain.key_projection.get_weights())

    def scores(scorer):
        return ops.convert_to_numpy(scorer.score(query, scorer.prepare(key), {}))

    np.testing.assert_array_equal(scores(scaled), scores(plain))
    scaled.scale.assign(-2.5)
    np.testing.assert_allclose(scores(scaled), -2.5 * scores(plain), rtol=1e-6)
    assert len(scaled.trainable_variables) == 2 and len(plain.trainable_variables) == 1
