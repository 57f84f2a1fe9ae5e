import numpy as np
from keras import ops

from keras_attn.scorers import Dot, ScaledDot


def test_is_dot_divided_by_the_root_of_the_dimension(rng):
    query, key = (ops.cast(rng.normal(size=(2, t, 9)), "float32") for t in (3, 5))
    dot, scaled = (scorer.score(query, {"key": key}, {}) for scorer in (Dot(), ScaledDot()))
    np.testing.assert_allclose(ops.convert_to_numpy(scaled), ops.convert_to_numpy(dot) / 3, rtol=1e-5)


def test_scores_of_independent_unit_variables_have_unit_variance(rng):
    query, key = (ops.cast(rng.normal(size=(1, 300, 64)), "float32") for _ in range(2))
    scores = ops.convert_to_numpy(ScaledDot().score(query, {"key": key}, {}))
    assert abs(scores.std() - 1) < 0.05
