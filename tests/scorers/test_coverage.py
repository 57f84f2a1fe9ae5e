import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Additive, Coverage, LocationAware
from tests.scorers import unrolled


def test_numpy_oracle_over_several_queries(rng):
    def oracle(weights, queries, key, mask, alignments):
        coverage = sum(alignments[1:], np.zeros(len(key)))
        return unrolled.additive(
            weights, queries[-1], key, lambda j: coverage[j] * weights["location_projection/kernel"][0]
        )

    unrolled.assert_attends_as(oracle, Coverage(units=8), rng)


def test_with_location_weights_of_0_it_is_additive(rng):
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    coverage, additive = Attention(Coverage(units=8)), Attention(Additive(units=8))
    for attention in (coverage, additive):
        attention.build(query.shape, value.shape)
    coverage.scorer.location_projection.kernel.assign(np.zeros((1, 8)))
    additive.scorer.set_weights(coverage.scorer.get_weights()[:-1])
    np.testing.assert_allclose(*(ops.convert_to_numpy(each(query, value)) for each in (coverage, additive)), atol=1e-6)


def test_it_is_location_aware_with_one_filter_of_one_frame(rng):
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    coverage = Attention(Coverage(units=8))
    location = Attention(LocationAware(units=8, filters=1, kernel_size=1, features="cumulative"))
    for attention in (coverage, location):
        attention.build(query.shape, value.shape)
    weights = coverage.scorer.get_weights()
    location.scorer.set_weights([*weights[:-1], np.ones((1, 1, 1)), weights[-1]])
    np.testing.assert_allclose(*(ops.convert_to_numpy(each(query, value)) for each in (coverage, location)), atol=1e-6)


@pytest.mark.parametrize(("weight", "most"), [(0.0, 9), (-1.0, 3.5)])
def test_negative_weights_spread_attention(weight, most):
    """Of three frames, one is better; it gets everything unless what was attended to loses score."""
    attention = Attention(Coverage(units=1, use_bias=False))
    attention.build((1, None, 1), (1, None, 1))
    attention.scorer.energy.assign([50.0])
    attention.scorer.key_projection.kernel.assign([[1.0]])
    attention.scorer.location_projection.kernel.assign([[weight]])
    value = ops.array([[[0.5], [0.0], [0.0]]])
    _, alignment = attention(ops.zeros((1, 9, 1)), value, return_attention_scores=True)
    total = ops.convert_to_numpy(alignment).sum(axis=1)
    np.testing.assert_allclose(total.max(), most, atol=0.5)
