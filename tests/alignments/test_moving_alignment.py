import numpy as np
import pytest
from keras import ops

from keras_attn import alignments
from keras_attn.alignments.moving_alignment import last_place, to_the_next_frame
from tests.alignments.given_scores import MASK, attend, random_scores, real
from tests.backends import to_numpy

MOVING = {
    "monotonic": lambda: alignments.Monotonic(),
    "monotonic_by_frame": lambda: alignments.Monotonic("recursive"),
    "monotonic_hard": lambda: alignments.Monotonic("hard"),
    "stepwise_monotonic": lambda: alignments.StepwiseMonotonic(),
    "forward": lambda: alignments.Forward(),
    "forward_transition": lambda: alignments.ForwardTransition(),
    "mocha": lambda: alignments.MoChA(2, "dot"),
    "milk": lambda: alignments.MoChA(None, "dot"),
    "window": lambda: alignments.Window("softmax", back=1, forward=1),
    "window_of_monotonic": lambda: alignments.Window("monotonic", back=1, forward=1),
}
every_member = pytest.mark.parametrize("make", MOVING.values(), ids=MOVING)


def test_to_the_next_frame(rng):
    weights, mask = rng.random((50, 2, 7)).astype("float32"), rng.random((50, 1, 7)) < 0.6
    expected = np.zeros_like(weights)
    for row, head, j in np.ndindex(weights.shape):
        after = [k for k in range(j + 1, 7) if mask[row, 0, k]]
        if after:
            expected[row, head, after[0]] += weights[row, head, j]
    moved = to_numpy(to_the_next_frame(ops.convert_to_tensor(weights), ops.convert_to_tensor(mask)))
    np.testing.assert_allclose(moved, expected, rtol=1e-5)


def test_the_last_place_is_that_of_the_last_query_with_any_weight():
    alignment, before = ops.array([[0.0, 0.25], [0.0, 0.0]]), ops.array([[1.0, 0.0], [0.5, 0.5]])
    np.testing.assert_array_equal(to_numpy(last_place(alignment, before)), [[0, 0.25], [0.5, 0.5]])


@every_member
def test_it_starts_from_the_first_real_frame(make, rng):
    """A masked beginning or end changes nothing."""
    scores = random_scores(rng)
    padded = np.pad(scores, [[0, 0], [0, 0], [3, 2]], constant_values=9)
    mask = np.ones(scores.shape[::2], bool)
    alone, among = attend(make(), scores, mask), attend(make(), padded, np.pad(mask, [[0, 0], [3, 2]]))
    np.testing.assert_allclose(among[:, 0, 3:-2], alone[:, 0], rtol=1e-5)
    if make is not MOVING["forward_transition"]:  # Its context and query are longer too, and so its weights others.
        np.testing.assert_allclose(among[..., 3:-2], alone, rtol=1e-5, atol=1e-7)
    assert np.all(among[..., :3] == 0) and np.all(among[..., -2:] == 0)


@every_member
def test_a_query_that_may_attend_to_nothing_leaves_the_place(make, rng):
    scores = random_scores(rng)
    pairs = np.ones(scores.shape, bool)
    pairs[:, 1] = False
    alignment, without = attend(make(), scores, attention_mask=pairs), attend(make(), scores[:, [0, 2, 3]])
    assert np.all(alignment[:, 1] == 0)
    if make is MOVING["forward_transition"]:  # The agent has seen the query, so only what can be reached is the same.
        alignment, without = alignment > 0, without > 0
    np.testing.assert_allclose(alignment[:, [0, 2, 3]], without, rtol=1e-5, atol=1e-7)


@every_member
@pytest.mark.parametrize("tv", [0, 1, 10_000])
def test_memories_of_any_length(make, rng, tv):
    if make is MOVING["monotonic_by_frame"]:
        tv = min(tv, 100)  # a step for every frame takes its time
    scores = rng.normal(size=(1, 2, tv)).astype("float32")
    alignment = _attend_any(make(), scores)
    assert alignment.shape == (1, 2, tv) and np.isfinite(alignment).all()
    assert np.all(alignment >= 0) and np.all(alignment.sum(-1) < 1 + 1e-5)


def _attend_any(alignment, scores):
    """`attend`, without unit vectors of 10,000 dimensions: one feature is the score."""
    from keras_attn import Attention

    key = np.moveaxis(scores[:, :1], 1, 2)
    query = np.ones((1, scores.shape[1], 1), "float32")
    attention = Attention("dot", alignment)
    return to_numpy(attention(query, key, return_attention_scores=True)[1])


@every_member
@pytest.mark.parametrize("size", [1, 100, 1e4])
def test_weights_are_not_negative_and_add_up_to_at_most_1(make, rng, size):
    alignment = attend(make(), random_scores(rng, queries=8, size=size))
    assert np.isfinite(alignment).all() and np.all(alignment >= 0) and np.all(alignment.sum(-1) < 1 + 1e-5)
    assert np.all(alignment.transpose(0, 2, 1)[~MASK] == 0)
    assert all(np.any(row[0] > 0) for row in real(alignment)) or make is MOVING["monotonic_hard"]
