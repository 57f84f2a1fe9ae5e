import numpy as np
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Coverage, FertilityLocation
from tests.scorers import unrolled


def test_numpy_oracle_over_several_queries(rng):
    def oracle(weights, queries, key, mask, alignments):
        fertility = [2 * (1 + np.exp(-(weights["fertility/kernel"][:, 0] @ h))) for h in key]
        usage = sum((alignment / fertility for alignment in alignments[1:]), np.zeros(len(key)))
        return unrolled.additive(
            weights, queries[-1], key, lambda j: usage[j] * weights["location_projection/kernel"][0]
        )

    unrolled.assert_attends_as(oracle, FertilityLocation(units=8), rng)


def test_with_equal_fertilities_it_is_coverage(rng):
    """sigmoid(0) / 2 = 1 / 4 of the coverage, of four times the weight."""
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    location, coverage = Attention(FertilityLocation(units=8)), Attention(Coverage(units=8))
    for attention in (location, coverage):
        attention.build(query.shape, value.shape)
    weights = coverage.scorer.get_weights()
    location.scorer.set_weights([*weights[:-1], np.zeros((4, 1)), 4 * weights[-1]])
    np.testing.assert_allclose(*(ops.convert_to_numpy(each(query, value)) for each in (location, coverage)), atol=1e-6)
