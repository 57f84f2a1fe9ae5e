"""What holds for every alignment function on the simplex, and what they share."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments import simplex
from keras_attn.alignments.entmax import Entmax
from keras_attn.alignments.entmax15 import Entmax15
from keras_attn.alignments.sparsemax import Sparsemax
from tests.contract import gradients, to_numpy, weighed

SCORES = np.array([[0.3, -1.0, 0.6, 0.0, -0.2], [5.0, 5.0, 4.5, -3.0, 4.1]], "float32")
MASK = np.array([[True, True, True, False, True], [True, False, True, True, True]])
# Every member with the alpha it stands for.
MEMBERS = [(Sparsemax(), 2), (Entmax15(), 1.5), (Entmax(1.1), 1.1), (Entmax(1.7), 1.7), (Entmax(2.0), 2)]

every_member = pytest.mark.parametrize(("member", "alpha"), MEMBERS, ids=[f"{x.name}-{alpha}" for x, alpha in MEMBERS])


def align(member, scores=SCORES, mask=MASK):
    return to_numpy(member.align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask)))


def gradient_oracle(weights, upstream, alpha):
    """``(diag(s) - s s^T / sum(s)) upstream`` of one row, with ``s = a^(2 - alpha)`` on the support."""
    s = np.array([a ** (2 - alpha) if a > 0 else 0.0 for a in weights.astype("float64")])
    return (np.diag(s) - np.outer(s, s) / s.sum()) @ upstream


@pytest.mark.parametrize("excess", [1e-6, 0.3, 1.0])
def test_deformed_exponential(excess):
    x = np.linspace(-4, 0, 9)
    expected = [(1 + excess * value) ** (1 / excess) if 1 + excess * value > 0 else 0 for value in x]
    x = ops.cast(x, "float32")
    values = to_numpy(simplex.deformed_exponential(x, ops.convert_to_tensor(excess, dtype="float32")))
    np.testing.assert_allclose(values, expected, atol=1e-6)
    if excess == 1e-6:
        np.testing.assert_allclose(values, np.exp(to_numpy(x)), atol=1e-5)


def test_deformed_exponential_has_a_finite_gradient_where_it_is_0():
    x, excess = keras.Variable([-9.0, -2.0, -0.5]), keras.Variable(0.5)
    grads = gradients(lambda: ops.sum(simplex.deformed_exponential(x.value[:], excess.value * 1)), [x, excess])
    np.testing.assert_allclose(grads[0], [0, 0, 0.75], rtol=1e-6)
    # d/dc (1 - c / 2)^(1 / c) at c = 1/2
    base = 0.75
    np.testing.assert_allclose(grads[1], base**2 * (-4 * np.log(base) - 0.5 * 2 / base), rtol=1e-5)


def test_descending():
    values, rank = simplex.descending(ops.convert_to_tensor([[2.0, 5.0, -1.0]]))
    assert to_numpy(values).tolist() == [[5, 2, -1]] and to_numpy(rank).tolist() == [1, 2, 3]


@every_member
def test_the_weights_are_optimal(member, alpha):
    """There is one tau with ``a_j^(alpha - 1) = (alpha - 1) e_j - tau`` on the support, and below 0 elsewhere."""
    weights = align(member)
    for row in range(2):
        energies = (alpha - 1) * SCORES[row].astype("float64")
        support = weights[row] > 0
        tau = (energies - weights[row].astype("float64") ** (alpha - 1))[support]
        np.testing.assert_allclose(tau, tau[0], atol=1e-5)
        assert np.all(energies[MASK[row] & ~support] <= tau[0] + 1e-5)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


@every_member
def test_gradient_is_the_jacobian_of_the_exact_solution(member, alpha):
    scores = keras.Variable(np.where(MASK, SCORES, np.nan).astype("float32"))
    (gradient,) = gradients(lambda: weighed([member.align(scores.value[:], ops.convert_to_tensor(MASK))]), [scores])
    upstream = np.random.default_rng(2).normal(size=SCORES.shape)  # as `weighed` draws it
    expected = [gradient_oracle(*row, alpha) for row in zip(align(member), upstream, strict=True)]
    np.testing.assert_allclose(gradient, expected, atol=2e-6)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="Keras promotes float64 to float32 elsewhere")
@every_member
def test_gradient_equals_finite_differences_in_float64(member, alpha, rng):
    scores = keras.Variable(rng.normal(size=(3, 6)), dtype="float64")
    mask = rng.random((3, 6)) < 0.8

    def loss():
        return weighed([member.align(scores.value * 1, ops.convert_to_tensor(mask))])

    (gradient,) = gradients(loss, [scores])
    assert gradient.dtype == "float64"
    values = to_numpy(scores.value).copy()
    for place in np.ndindex(values.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = values.copy()
            moved[place] += step
            scores.assign(moved)
            ends.append(float(to_numpy(loss())))
        scores.assign(values)
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, gradient[place], rtol=1e-6, atol=1e-8)


@every_member
def test_masked_scores_take_no_part(member, alpha):
    expected = align(member)
    assert np.all(expected[~MASK] == 0)
    for filling in (np.nan, 1e30, -1e30, 100):
        np.testing.assert_array_equal(align(member, np.where(MASK, SCORES, np.float32(filling))), expected)
    for row in range(2):  # as if they were not there
        kept = SCORES[row : row + 1, MASK[row]]
        np.testing.assert_allclose(
            align(member, kept, np.ones_like(kept, bool))[0], expected[row, MASK[row]], atol=1e-6
        )


@every_member
@pytest.mark.parametrize("filling", [0, 1e30, np.nan])
def test_a_row_without_real_elements_is_0_and_has_no_gradient(member, alpha, filling):
    mask = MASK & [[False], [True]]
    values = np.where(mask, SCORES, np.float32(filling))
    np.testing.assert_array_equal(align(member, values, mask), align(member) * [[0], [1]])
    scores = keras.Variable(values)
    (gradient,) = gradients(lambda: weighed([member.align(scores.value[:], ops.convert_to_tensor(mask))]), [scores])
    assert np.isfinite(gradient).all() and np.all(gradient[0] == 0) and np.any(gradient[1] != 0)


@every_member
def test_the_largest_of_far_scores_takes_all(member, alpha):
    scores = keras.Variable([[-1e30, 1e4, -1e4, 9.9e3], [-1e30, -1e30, -1e30, -1e30]], dtype="float32")
    mask = np.ones((2, 4), bool)
    np.testing.assert_allclose(align(member, scores.value[:], mask), [[0, 1, 0, 0], [0.25] * 4], rtol=1e-6)
    (gradient,) = gradients(lambda: weighed([member.align(scores.value[:], mask)]), [scores])
    assert np.isfinite(gradient).all() and np.all(gradient[0] == 0)


@every_member
def test_adding_a_constant_changes_nothing(member, alpha):
    np.testing.assert_allclose(align(member, SCORES + 7), align(member), atol=2e-6)


@every_member
def test_equal_scores_share(member, alpha):
    for size in (1, 3, 10_000):
        weights = align(member, np.full((1, size), 3, "float32"), np.ones((1, size), bool))
        np.testing.assert_allclose(weights, 1 / size, rtol=1e-5)


@every_member
@pytest.mark.parametrize("scale", [1e-3, 1, 1e4])
def test_long_rows_add_up_to_1(member, alpha, scale, rng):
    scores = (scale * rng.normal(size=(2, 10_000))).astype("float32")
    weights = align(member, scores, np.ones_like(scores, bool))
    np.testing.assert_allclose(weights.astype("float64").sum(-1), 1, atol=1e-5)
    assert np.all(weights >= 0) and np.all(weights.argmax(-1) == scores.argmax(-1))


@every_member
def test_an_empty_memory(member, alpha):
    assert align(member, np.zeros((2, 3, 0), "float32"), np.ones((2, 1, 0), bool)).shape == (2, 3, 0)


@every_member
def test_leading_axes_and_broadcast_masks(member, alpha, rng):
    scores = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    weights = align(member, scores, MASK[:, None, None, :])
    np.testing.assert_allclose(weights[1, 2, 3], align(member, scores[1:, 2, 3], MASK[1:])[0], atol=1e-6)
