import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.exponential import Exponential
from keras_attn.alignments.softmax import Softmax
from tests.contract import gradients

LOG_WEIGHTS = np.array([[0.3, -1.0, -1e30, 0.0], [-2.0, -90.0, -0.5, 0.1]], "float32")
MASK = np.array([[True, True, True, False], [True, False, True, True]])


def align(scores=LOG_WEIGHTS, mask=MASK, alignment=None):
    alignment = alignment or Exponential()
    return ops.convert_to_numpy(alignment.align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask)))


def test_numpy_oracle():
    np.testing.assert_allclose(align(), np.where(MASK, np.exp(LOG_WEIGHTS), 0), rtol=1e-6)


def test_normalised_it_is_softmax():
    np.testing.assert_allclose(align() / align().sum(-1, keepdims=True), align(alignment=Softmax()), rtol=1e-5)


@pytest.mark.parametrize("filling", [np.nan, 1e30])
def test_masked_scores_and_empty_rows(filling):
    mask = MASK & [[True], [False]]
    scores = keras.Variable(np.where(mask, LOG_WEIGHTS, filling).astype("float32"))
    weights = align(scores.value[:], mask)
    np.testing.assert_array_equal(weights, align(LOG_WEIGHTS, mask))
    assert np.all(weights[~mask] == 0)
    mask = ops.convert_to_tensor(mask)
    (gradient,) = gradients(lambda: ops.sum(Exponential().align(scores.value[:], mask)), [scores])
    np.testing.assert_allclose(gradient, weights, rtol=1e-6)
