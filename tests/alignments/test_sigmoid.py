import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.sigmoid import Sigmoid
from tests.contract import gradients

SCORES = np.array([[0.3, -1.0, 2.0, 0.0], [5.0, 5.0, 1.0, -3.0]], "float32")
MASK = np.array([[True, True, True, False], [True, False, False, True]])


def align(scores=SCORES, mask=MASK, bias=None):
    return ops.convert_to_numpy(Sigmoid(bias).align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask)))


@pytest.mark.parametrize("bias", [None, -2.5, 0])
def test_numpy_oracle(bias):
    expected = np.zeros_like(SCORES)
    for row, j in np.argwhere(MASK):
        b = -np.log(MASK[row].sum()) if bias is None else bias
        expected[row, j] = 1 / (1 + np.exp(-(SCORES[row, j] + b)))
    np.testing.assert_allclose(align(bias=bias), expected, rtol=1e-5)


def test_the_default_bias_keeps_the_sum_when_the_memory_grows():
    for size in (1, 10, 10_000):
        total = align(np.zeros((1, size), "float32"), np.ones((1, size), bool)).sum()
        np.testing.assert_allclose(total, size / (size + 1), rtol=1e-4)


def test_the_size_is_that_of_each_row_and_query(rng):
    scores = rng.normal(size=(2, 3, 4)).astype("float32")
    weights = align(scores, MASK[:, None, :])
    np.testing.assert_allclose(weights[1, 2], align(scores[1:, 2], MASK[1:])[0], rtol=1e-6)
    broadcast = align(SCORES, np.ones((2, 1), bool))
    np.testing.assert_array_equal(broadcast, align(SCORES, np.ones((2, 4), bool)))


def test_with_a_given_bias_no_element_competes_with_another():
    higher = SCORES + 9 * (np.arange(4) == 0).astype("float32")
    np.testing.assert_array_equal(align(higher, bias=-1)[:, 1:], align(bias=-1)[:, 1:])


def test_extreme_scores():
    weights = align(np.array([[1e4, -1e4, -1e30, 1e30]], "float32"), np.ones((1, 4), bool))
    np.testing.assert_array_equal(weights, [[1, 0, 0, 1]])


@pytest.mark.parametrize("bias", [None, -1.0])
def test_masked_scores_and_empty_rows(bias):
    mask = MASK & [[True], [False]]
    scores = keras.Variable(np.where(mask, SCORES, np.nan).astype("float32"))
    np.testing.assert_array_equal(align(scores.value[:], mask, bias), align(SCORES, mask, bias))
    assert np.all(align(SCORES, mask, bias)[~mask] == 0)
    (gradient,) = gradients(
        lambda: ops.sum(Sigmoid(bias).align(scores.value[:], ops.convert_to_tensor(mask))), [scores]
    )
    weights = align(SCORES, mask, bias)
    np.testing.assert_allclose(gradient, weights * (1 - weights), atol=1e-6)


def test_an_empty_memory():
    assert align(np.zeros((2, 0), "float32"), np.ones((2, 0), bool)).shape == (2, 0)


@pytest.mark.parametrize("bias", [float("nan"), float("inf")])
def test_errors(bias):
    with pytest.raises(ValueError, match=rf"a finite number or None. Received: bias={bias}"):
        Sigmoid(bias)
