import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.sparsemax import Sparsemax


def align(scores):
    return ops.convert_to_numpy(Sparsemax().align(ops.cast(scores, "float32"), ops.ones(scores.shape, dtype="bool")))


def oracle(z):
    """Algorithm 1 of the paper."""
    ordered = sorted(z, reverse=True)
    size = max(k for k in range(1, len(z) + 1) if 1 + k * ordered[k - 1] > sum(ordered[:k]))
    tau = (sum(ordered[:size]) - 1) / size
    return np.array([max(value - tau, 0) for value in z])


@pytest.mark.parametrize("scale", [0.01, 0.3, 1, 30])
def test_numpy_oracle(rng, scale):
    scores = scale * rng.normal(size=(20, 9))
    np.testing.assert_allclose(align(scores), [oracle(row) for row in scores], atol=2e-6)


def test_scores_that_are_weights_stay_as_they_are(rng):
    """A projection leaves the points of the simplex where they are."""
    weights = rng.dirichlet(np.ones(6), size=4)
    np.testing.assert_allclose(align(weights), weights, atol=1e-6)
    np.testing.assert_array_equal(align(np.array([[0.0, 1.0, 0.0]])), [[0, 1, 0]])


def test_two_scores_are_a_piecewise_linear_sigmoid():
    differences = np.linspace(-3, 3, 25)
    weights = align(np.stack([differences, np.zeros(25)], axis=-1))[:, 0]
    np.testing.assert_allclose(weights, np.clip((differences + 1) / 2, 0, 1), atol=1e-6)
