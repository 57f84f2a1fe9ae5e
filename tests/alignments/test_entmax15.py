import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.entmax15 import Entmax15
from keras_attn.alignments.softmax import Softmax
from keras_attn.alignments.sparsemax import Sparsemax


def align(scores, alignment=None):
    alignment = alignment or Entmax15()
    return ops.convert_to_numpy(alignment.align(ops.cast(scores, "float32"), ops.ones(scores.shape, dtype="bool")))


def oracle(scores):
    """The threshold at which the k largest alone add up to 1, of the one k that agrees with its own support."""
    z = np.asarray(scores) / 2
    ordered = np.sort(z)[::-1]
    for k in range(1, len(z) + 1):
        mean, variance = ordered[:k].mean(), ordered[:k].var()
        if k * variance > 1:
            continue
        tau = mean - np.sqrt((1 - k * variance) / k)
        if np.sum(z > tau) == k:
            return np.array([max(value - tau, 0) ** 2 for value in z])


@pytest.mark.parametrize("scale", [0.01, 0.3, 1, 30])
def test_numpy_oracle(rng, scale):
    scores = scale * rng.normal(size=(20, 9))
    np.testing.assert_allclose(align(scores), [oracle(row) for row in scores], atol=2e-6)


def test_two_scores():
    """With p and 1 - p, ``sqrt(p) - sqrt(1 - p)`` is half the difference of the scores."""
    weights = np.linspace(0, 1, 11)
    differences = 2 * (np.sqrt(weights) - np.sqrt(1 - weights))
    np.testing.assert_allclose(align(np.stack([differences, np.zeros(11)], axis=-1))[:, 0], weights, atol=1e-6)


def test_sparser_than_softmax_and_denser_than_sparsemax(rng):
    scores = rng.normal(size=(50, 12))
    soft, middle, sparse = (np.sum(align(scores, x()) > 0, axis=-1) for x in (Softmax, Entmax15, Sparsemax))
    assert np.all(sparse <= middle) and np.all(middle <= soft)
    assert sparse.sum() < middle.sum() < soft.sum()
