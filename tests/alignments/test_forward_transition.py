import numpy as np
import pytest

from keras_attn import Attention
from keras_attn.alignments.forward import Forward
from keras_attn.alignments.forward_transition import ForwardTransition
from tests.alignments.given_scores import MASK, attend, one_hot, random_scores, real, sigmoid
from tests.alignments.test_forward import step
from tests.backends import to_numpy


def with_agent(weights, bias):
    """A function of which the agent has the given weights for context and query, and bias."""
    alignment = ForwardTransition()
    shape = (None, None, len(weights) // 2)
    alignment.build(shape, shape, shape)
    kernel, start = alignment.trainable_weights
    kernel.assign(np.reshape(weights, kernel.shape))
    start.assign([bias])
    return alignment


def test_numpy_oracle(rng):
    scores, weights, bias = random_scores(rng), rng.normal(size=12), 0.3
    expected = np.zeros_like(scores)
    for row, frames in enumerate(MASK):
        previous, move = one_hot(0, frames.sum()), 0.5
        for i, query in enumerate(scores[row]):
            expected[row, i, frames] = previous = step(query[frames], previous, move)
            # The values are unit vectors, so the context is the alignment.
            move = sigmoid(weights @ np.concatenate([expected[row, i], query]) + bias)
    np.testing.assert_allclose(attend(with_agent(weights, bias), scores), expected, rtol=1e-4, atol=1e-7)


def test_an_agent_that_does_not_care_is_forward_attention(rng):
    scores = random_scores(rng)
    np.testing.assert_allclose(attend(with_agent(np.zeros(12), 0), scores), attend(Forward(), scores), rtol=1e-5)


@pytest.mark.parametrize("bias", [-50, 50])
def test_the_agent_says_when_to_move_on(bias):
    """After the first query, for which the probability to move is 1/2; and from the last frame it cannot."""
    moves = int(bias > 0)
    for row in real(attend(with_agent(np.zeros(12), bias), np.zeros((2, 8, 6), "float32"))):
        last = row.shape[1] - 1
        for i, alignment in enumerate(row):
            expected = one_hot(min(i * moves, last), last + 1) + one_hot(min(1 + i * moves, last), last + 1)
            np.testing.assert_allclose(alignment, expected / 2, atol=1e-4)


def test_heads_share_the_agent(rng):
    attention = Attention("multi_head", "forward_transition")
    query, value = (rng.normal(size=(2, 5, 8)).astype("float32") for _ in range(2))
    alignment = to_numpy(attention(query, value, return_attention_scores=True)[1])
    assert alignment.shape == (2, 4, 5, 5) and np.ptp(alignment, axis=1).max() > 0.01
    np.testing.assert_allclose(alignment.sum(-1), 1, rtol=1e-5)
    assert sorted(tuple(weight.shape) for weight in attention.alignment.weights) == [(1,), (16, 1)]
