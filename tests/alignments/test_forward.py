import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.forward import Forward, forward
from tests.alignments.given_scores import MASK, align_once, attend, one_hot, random_scores, real, softmax
from tests.backends import gradients


def step(scores, previous, move=0.5):
    """Algorithms 1 (where `move` is 1/2) and 2 of the paper, over real frames alone."""
    y, alignment = softmax(scores), np.zeros_like(previous)
    for j in range(len(y)):
        alignment[j] = ((1 - move) * previous[j] + (move * previous[j - 1] if j else 0)) * y[j]
    return alignment / alignment.sum()


def oracle(scores, mask=MASK):
    expected = np.zeros_like(scores)
    for row, frames in enumerate(mask):
        previous = one_hot(0, frames.sum())
        for i, query in enumerate(scores[row]):
            expected[row, i, frames] = previous = step(query[frames], previous)
    return expected


@pytest.mark.parametrize("size", [0.1, 1.0, 5.0])
def test_numpy_oracle(rng, size):
    scores = random_scores(rng, size=size)
    np.testing.assert_allclose(attend(Forward(), scores), oracle(scores), rtol=1e-4, atol=1e-7)


def test_rows_add_up_to_1_and_move_by_one_frame_at_most(rng):
    scores = random_scores(rng)
    scores[:, :, -3:] += 1000  # however much they call
    for row in real(attend(Forward(), scores)):
        np.testing.assert_allclose(row.sum(-1), 1, rtol=1e-5)
        reach = np.tri(len(row), row.shape[1], 1)
        assert np.all(row[reach == 0] == 0)


@pytest.mark.parametrize("low", [-100, -1e4])
def test_where_only_unlikely_frames_are_left_the_best_of_them_win(low):
    """Their softmax among all frames is 0 in float32."""
    scores = np.array([[low, low + 1, low + 2, 0]], "float32")
    alignment = align_once(Forward(), scores, np.ones((1, 4), bool), np.array([[0.5, 0.5, 0, 0]]))
    expected = step(np.array([0, 1, 2, -np.inf]), np.array([0.5, 0.5, 0, 0]))
    np.testing.assert_allclose(alignment[0], expected, rtol=1e-3)


def test_weight_comes_back_from_next_to_nothing():
    previous = np.array([[1.0, 1e-20, 0, 0]])
    alignment = align_once(Forward(), np.zeros((1, 4), "float32"), np.array([[False, True, True, True]]), previous)
    np.testing.assert_allclose(alignment[0], [0, 1, 1e-20, 0], rtol=1e-4, atol=1e-30)


def test_a_query_with_nothing_within_reach_gets_zeros_and_leaves_the_place(rng):
    scores, mask, pairs = random_scores(rng, queries=3), np.ones((2, 6), bool), np.ones((2, 3, 6), bool)
    scores[:, 0, 0] = -200  # Attention moves on from the first frame at once ...
    pairs[:, 1, 1:] = False  # ... which is all that the second query may attend to.
    alignment = attend(Forward(), scores, mask, attention_mask=pairs)
    assert np.all(alignment[:, 1] == 0)
    np.testing.assert_allclose(alignment[:, [0, 2]], oracle(scores[:, [0, 2]], mask), rtol=1e-4, atol=1e-7)


def test_weight_moves_over_what_a_query_may_not_attend_to():
    scores, pairs = np.zeros((1, 2, 4), "float32"), np.array([[[True] * 4, [True, False, False, True]]])
    alignment = attend(Forward(), scores, np.ones((1, 4), bool), attention_mask=pairs)
    np.testing.assert_allclose(alignment[0], [[1 / 2, 1 / 2, 0, 0], [1 / 3, 0, 0, 2 / 3]], atol=1e-6)


@pytest.mark.parametrize("smallest", [1.0, 1e-20, 1e-35, 0.0])
def test_gradients_are_finite(rng, smallest):
    previous = keras.Variable([[smallest, 1 - smallest, smallest, 0.0, 0.0]] * 2, dtype="float32")
    scores = keras.Variable(1000 * rng.normal(size=(2, 5)), dtype="float32")
    mask = ops.convert_to_tensor([[True, True, True, False, True], [False] * 5])

    def loss():
        alignment = forward(scores.value[:], mask, previous.value[:], 0.5, 0.5)
        return ops.sum(alignment * ops.arange(5, dtype="float32"))

    of_scores, of_previous = gradients(loss, [scores, previous])
    assert np.isfinite(of_scores).all() and np.isfinite(of_previous).all()
    assert np.all(of_scores[1] == 0) and np.all(of_previous[1] == 0)
