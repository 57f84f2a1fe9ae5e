import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, scorers
from keras_attn.scorers import Additive


def build(**options):
    scorer = Additive(units=8, **options)
    scorer.build((None, None, 4), (None, None, 6))
    return scorer


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("use_bias", [True, False])
def test_numpy_oracle(rng, use_bias, normalize):
    query, key = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((3, 4), (5, 6)))
    scorer = build(use_bias=use_bias, normalize=normalize)
    for weight in scorer.weights:
        weight.assign(rng.normal(size=weight.shape))
    weights = {weight.path.split("/", 1)[1]: ops.convert_to_numpy(weight) for weight in scorer.weights}
    u, w, v = weights["query_projection/kernel"].T, weights["key_projection/kernel"].T, weights["energy"]
    b = weights.get("query_projection/bias", 0)
    if normalize:
        v = weights["scale"] * v / np.linalg.norm(v)
    expected = np.empty((2, 3, 5))
    for row in range(2):
        for i in range(3):
            for j in range(5):
                expected[row, i, j] = v @ np.tanh(u @ query[row, i] + w @ key[row, j] + b)
    scores = scorer.score(ops.convert_to_tensor(query), scorer.prepare(ops.convert_to_tensor(key)), {})
    np.testing.assert_allclose(ops.convert_to_numpy(scores), expected, atol=1e-5)


def test_weights_are_those_of_the_paper():
    shapes = {weight.path.split("/", 1)[1]: tuple(weight.shape) for weight in build().trainable_variables}
    assert shapes == {
        "energy": (8,),
        "query_projection/kernel": (4, 8),
        "query_projection/bias": (8,),
        "key_projection/kernel": (6, 8),
    }
    assert len(build(use_bias=False).weights) == 3
    normalized = build(normalize=True)
    assert len(normalized.trainable_variables) == 5
    np.testing.assert_allclose(ops.convert_to_numpy(normalized.scale), 8**-0.5, rtol=1e-6)


def test_normalized_scores_do_not_depend_on_the_length_of_v(rng):
    query, key = (ops.cast(rng.normal(size=(1, t, dim)), "float32") for t, dim in ((3, 4), (5, 6)))
    scorer = build(normalize=True)
    before = scorer.score(query, scorer.prepare(key), {})
    scorer.energy.assign(7 * scorer.energy)
    after = scorer.score(query, scorer.prepare(key), {})
    np.testing.assert_allclose(ops.convert_to_numpy(after), ops.convert_to_numpy(before), atol=1e-6)


def test_luongs_name():
    """v . tanh(W [q; h]) with W = [U W] is the same function."""
    assert type(scorers.get("concat")) is Additive


def test_keras_additive_attention_is_the_special_case_of_identity_projections(rng):
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    theirs = keras.layers.AdditiveAttention()
    expected = theirs([query, value])
    ours = Attention(Additive(units=4, use_bias=False))
    ours.build((None, None, 4), (None, None, 4))
    ours.scorer.energy.assign(theirs.scale)
    for projection in (ours.scorer.query_projection, ours.scorer.key_projection):
        projection.kernel.assign(np.eye(4))
    np.testing.assert_allclose(ops.convert_to_numpy(ours(query, value)), ops.convert_to_numpy(expected), atol=1e-5)


def test_scores_do_not_grow_with_units(rng):
    query, key = (ops.cast(rng.normal(size=(1, 50, 32)), "float32") for _ in range(2))
    for units in (16, 1024):
        scorer = Additive(units)
        scorer.build(query.shape, key.shape)
        scores = ops.convert_to_numpy(scorer.score(query, scorer.prepare(key), {}))
        assert 0.2 < scores.std() < 1.5
