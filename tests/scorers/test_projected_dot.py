import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import scorers
from keras_attn.scorers import Dot, ProjectedDot
from tests.contract import to_numpy


def build(**options):
    scorer = ProjectedDot(units=8, **options)
    scorer.build((None, None, 4), (None, None, 6))
    return scorer


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", [None, "tanh"])
def test_numpy_oracle(rng, activation, use_bias, scaled):
    query, key = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((3, 4), (5, 6)))
    scorer = build(activation=activation, use_bias=use_bias, scaled=scaled)
    for weight in scorer.weights:
        weight.assign(rng.normal(size=weight.shape))
    f = np.tanh if activation == "tanh" else lambda x: x
    (u, *b), (w, *c) = scorer.query_projection.get_weights(), scorer.key_projection.get_weights()
    expected = np.empty((2, 3, 5))
    for row in range(2):
        for i in range(3):
            for j in range(5):
                products = f(u.T @ query[row, i] + sum(b)) * f(w.T @ key[row, j] + sum(c))
                expected[row, i, j] = products.sum() / (np.sqrt(8) if scaled else 1)
    scores = scorer.score(ops.convert_to_tensor(query), scorer.prepare(ops.convert_to_tensor(key)), {})
    np.testing.assert_allclose(to_numpy(scores), expected, atol=1e-5)


def test_with_identities_it_is_dot(rng):
    query, key = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    scorer = ProjectedDot(units=4, use_bias=False, scaled=False)
    scorer.build(query.shape, key.shape)
    for weight in scorer.weights:
        weight.assign(np.eye(4))
    expected = Dot().score(query, {"key": key}, {})
    np.testing.assert_allclose(to_numpy(scorer.score(query, scorer.prepare(key), {})), to_numpy(expected), atol=1e-6)


def test_listen_attend_spell():
    scorer = scorers.get("listen_attend_spell")
    assert type(scorer) is ProjectedDot and not scorer.scaled
    assert scorer.activation is keras.activations.tanh


def test_any_activation_comes_back():
    for activation in (None, "relu", keras.activations.gelu):
        again = scorers.get(scorers.serialize(ProjectedDot(activation=activation)))
        assert again.activation is keras.activations.get(activation)


def test_scores_do_not_grow_with_units(rng):
    query, key = (ops.cast(rng.normal(size=(1, 50, 32)), "float32") for _ in range(2))
    for units in (16, 1024):
        scorer = ProjectedDot(units)
        scorer.build(query.shape, key.shape)
        scores = to_numpy(scorer.score(query, scorer.prepare(key), {}))
        assert scores.std() < 2
