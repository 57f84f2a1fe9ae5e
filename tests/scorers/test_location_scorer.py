import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Additive
from keras_attn.scorers.location_scorer import LocationScorer


class Constant(LocationScorer):
    """The same location term everywhere."""

    def location(self, state):
        return ops.full((1, 1, self.units), 0.5)


def test_the_location_term_is_added_inside_the_tanh(rng):
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    scorer, additive = Constant(units=8), Additive(units=8)
    for each in (scorer, additive):
        each.build(query.shape, value.shape)
    additive.set_weights(scorer.get_weights())
    additive.query_projection.bias.assign_add(np.full(8, 0.5))
    contexts = (ops.convert_to_numpy(Attention(each)(query, value)) for each in (scorer, additive))
    np.testing.assert_allclose(*contexts, atol=1e-6)


def test_a_member_without_location_says_so():
    with pytest.raises(NotImplementedError, match=r"LocationScorer must implement location\(state\)"):
        LocationScorer().location({})
