import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.hardmax import Hardmax
from keras_attn.alignments.softmax import Softmax
from tests.contract import gradients, weighed

SCORES = np.array([[0.3, -1.0, 2.0, 2.0, 9.0], [5.0, 5.0, 6.0, -3.0, 1.0]], "float32")
MASK = np.array([[True, True, True, True, False], [True, True, False, True, True]])


def align(scores=SCORES, mask=MASK, **options):
    return ops.convert_to_numpy(Hardmax(**options).align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask)))


@pytest.mark.parametrize("straight_through", [True, False])
def test_the_first_of_the_largest_real_scores_takes_all(straight_through):
    np.testing.assert_array_equal(align(straight_through=straight_through), [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0]])


def test_numpy_oracle(rng):
    scores, mask = rng.normal(size=(30, 3, 8)).astype("float32"), rng.random((30, 1, 8)) < 0.7
    expected = np.zeros_like(scores)
    for row, query in np.ndindex(30, 3):
        real = np.flatnonzero(mask[row, 0])
        if len(real):
            expected[row, query, real[np.argmax(scores[row, query, real])]] = 1
    np.testing.assert_array_equal(align(scores, mask), expected)


@pytest.mark.parametrize("lowest", [-1e30, -3e38])
def test_very_low_scores_are_ordinary(lowest):
    scores = np.array([[np.nan, lowest, lowest]], "float32")
    np.testing.assert_array_equal(align(scores, np.array([[False, True, True]])), [[0, 1, 0]])


def test_it_is_softmax_of_temperature_0(rng):
    scores, mask = rng.normal(size=(30, 8)).astype("float32"), np.ones((30, 8), bool)
    cold = Softmax(temperature=1e-5).align(ops.convert_to_tensor(scores), mask)
    np.testing.assert_allclose(align(scores, mask), ops.convert_to_numpy(cold), atol=1e-6)


def test_gradient_is_that_of_softmax_or_none():
    scores = keras.Variable(np.where(MASK, SCORES, np.nan).astype("float32"))

    def gradient(alignment):
        return gradients(lambda: weighed([alignment.align(scores.value[:], ops.convert_to_tensor(MASK))]), [scores])[0]

    np.testing.assert_array_equal(gradient(Hardmax()), gradient(Softmax()))
    assert np.any(gradient(Hardmax()) != 0)
    if keras.config.backend() != "torch":  # where backward() of what has no gradient is an error
        np.testing.assert_array_equal(gradient(Hardmax(straight_through=False)), 0)


@pytest.mark.parametrize("straight_through", [True, False])
def test_empty_rows_and_an_empty_memory(straight_through):
    weights = align(mask=np.zeros_like(MASK), straight_through=straight_through)
    np.testing.assert_array_equal(weights, np.zeros_like(SCORES))
    assert align(np.zeros((2, 0), "float32"), np.ones((2, 0), bool), straight_through=straight_through).shape == (2, 0)
