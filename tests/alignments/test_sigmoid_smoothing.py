import keras
import numpy as np
from keras import ops

from keras_attn.alignments import SigmoidSmoothing, Softmax
from tests.contract import gradients

SCORES = np.array([[0.3, -1.0, 2.0, 0.0], [5.0, 5.0, 1.0, -3.0]], "float32")
MASK = np.array([[True, True, True, False], [True, False, True, True]])


def align(scores=SCORES, mask=MASK, alignment=None):
    alignment = alignment or SigmoidSmoothing()
    return ops.convert_to_numpy(alignment.align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask)))


def test_numpy_oracle():
    expected = np.zeros_like(SCORES)
    for row in range(2):
        sigmoids = [1 / (1 + np.exp(-e)) if real else 0 for e, real in zip(SCORES[row], MASK[row], strict=True)]
        expected[row] = np.array(sigmoids) / sum(sigmoids)
    np.testing.assert_allclose(align(), expected, rtol=1e-5)


def test_high_scores_share_and_low_scores_compete_as_in_softmax():
    np.testing.assert_allclose(align(SCORES + 100), MASK / MASK.sum(-1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(align(SCORES - 30), align(alignment=Softmax()), rtol=1e-4)


def test_very_low_scores_are_still_normalised():
    """The quotient of the paper would be 0 / 0 here."""
    np.testing.assert_allclose(align(SCORES - 1000).sum(-1), 1, rtol=1e-5)


def test_smoother_than_softmax():
    assert align()[0].max() < align(alignment=Softmax())[0].max()


def test_a_row_without_real_elements_is_0():
    np.testing.assert_array_equal(align(mask=np.zeros_like(MASK)), 0)


def test_masked_scores_take_no_part():
    scores = keras.Variable(np.where(MASK, SCORES, 99).astype("float32"))
    np.testing.assert_array_equal(align(scores.value[:]), align())
    (gradient,) = gradients(
        lambda: ops.sum(SigmoidSmoothing().align(scores.value[:], ops.convert_to_tensor(MASK))[:, 0]), [scores]
    )
    assert np.isfinite(gradient).all() and np.all(gradient[~MASK] == 0)
