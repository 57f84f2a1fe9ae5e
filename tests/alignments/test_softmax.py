import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments import Softmax

SCORES = np.array([[0.3, -1.0, 2.0, 0.0], [5.0, 5.0, 1.0, -3.0]], "float32")
MASK = np.array([[True, True, True, False], [True, False, True, True]])


def align(scores=SCORES, mask=MASK, training=None, **options):
    return ops.convert_to_numpy(
        Softmax(**options).align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask), training=training)
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_numpy_oracle(temperature):
    expected = np.zeros_like(SCORES)
    for row in range(2):
        exponentials = [np.exp(e / temperature) if real else 0 for e, real in zip(SCORES[row], MASK[row], strict=True)]
        expected[row] = np.array(exponentials) / sum(exponentials)
    np.testing.assert_allclose(align(temperature=temperature), expected, rtol=1e-5)


def test_temperature_limits():
    cold, hot = align(temperature=1e-4), align(temperature=1e6)
    np.testing.assert_allclose(cold, [[0, 0, 1, 0], [1, 0, 0, 0]], atol=1e-6)  # the largest real score takes all
    np.testing.assert_allclose(hot, MASK / MASK.sum(-1, keepdims=True), atol=1e-5)  # the real elements share


def test_scores_may_be_large_and_masked_ones_anything():
    scores = np.where(MASK, SCORES * 1e4, np.nan).astype("float32")
    np.testing.assert_allclose(align(scores), [[0, 0, 1, 0], [1, 0, 0, 0]], atol=1e-6)
    np.testing.assert_array_equal(align(SCORES - 1000, MASK)[~MASK], 0)


def test_adding_a_constant_changes_nothing():
    np.testing.assert_allclose(align(SCORES + 7), align(), rtol=1e-5)


def test_a_row_without_real_elements_is_0():
    np.testing.assert_array_equal(align(mask=np.zeros_like(MASK)), 0)


def test_leading_axes_and_broadcast_masks():
    scores = np.random.normal(size=(2, 3, 5, 4)).astype("float32")
    weights = align(scores, MASK[:, None, None, :])
    assert weights.shape == scores.shape
    np.testing.assert_allclose(weights[1, 2, 4], align(scores[1:, 2, 4], MASK[1:])[0], rtol=1e-6)


def test_dropout_in_training_alone():
    scores, mask = np.zeros((1, 10_000), "float32"), np.ones((1, 10_000), bool)
    assert np.all(align(scores, mask, dropout=0.25, seed=1) > 0)
    assert np.all(align(scores, mask, dropout=0.0, training=True) > 0)
    dropped = align(scores, mask, dropout=0.25, seed=1, training=True)
    assert abs(np.mean(dropped == 0) - 0.25) < 0.02
    np.testing.assert_allclose(dropped[dropped > 0], 1e-4 / 0.75, rtol=1e-5)
    np.testing.assert_array_equal(dropped, align(scores, mask, dropout=0.25, seed=1, training=True))
    assert np.any(dropped != align(scores, mask, dropout=0.25, seed=2, training=True))


def test_dropout_differs_from_call_to_call():
    softmax = Softmax(dropout=0.5, seed=1)
    first, second = (
        ops.convert_to_numpy(softmax.align(ops.zeros((1, 100)), ops.ones((1, 100), dtype="bool"), training=True))
        for _ in range(2)
    )
    assert np.any(first != second)


def test_the_alignment_before_the_first_query_is_uniform_over_real_elements():
    initial = ops.convert_to_numpy(Softmax().initial_alignment(ops.convert_to_tensor(MASK & [[True], [False]])))
    np.testing.assert_allclose(initial, [[1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 0, 0]])


def test_seeded_config_survives():
    config = Softmax(temperature=0.5, dropout=0.1, seed=3).get_config()
    assert (config["temperature"], config["dropout"], config["seed"]) == (0.5, 0.1, 3)
    assert Softmax.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, r"a positive number. Received: temperature=0"),
        ({"temperature": float("nan")}, r"a positive number. Received: temperature=nan"),
        ({"dropout": 1}, r"from 0 to below 1. Received: dropout=1"),
        ({"dropout": -0.1}, r"from 0 to below 1. Received: dropout=-0.1"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        Softmax(**options)


def test_gradient_is_that_of_softmax():
    """d a_j / d e_k = a_j (1[j = k] - a_k), and 0 for masked elements."""
    from tests.contract import gradients

    scores = keras.Variable(np.where(MASK, SCORES, np.nan).astype("float32"))
    weights = align()
    (gradient,) = gradients(lambda: Softmax().align(scores.value[:], ops.convert_to_tensor(MASK))[0, 1], [scores])
    expected = np.zeros_like(SCORES)
    expected[0] = weights[0, 1] * ((np.arange(4) == 1) - weights[0])
    np.testing.assert_allclose(gradient, expected, atol=1e-6)
