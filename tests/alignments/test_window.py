import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, alignments, scorers
from keras_attn.alignments.window import Window
from tests.alignments.given_scores import MASK, attend, random_scores, real, softmax
from tests.backends import to_numpy


def oracle(scores, mask, back, forward):
    """Softmax in a window over the real frames of every row."""
    expected = np.zeros_like(scores)
    for row, frames in enumerate(mask):
        centre = 0
        for i, query in enumerate(scores[row]):
            window = np.flatnonzero(frames)[max(centre - back, 0) : centre + forward + 1]
            expected[row, i, window] = softmax(query[window])
            centre = np.argmax(expected[row, i, frames])
    return expected


@pytest.mark.parametrize(("back", "forward"), [(0, 1), (1, 0), (1, 1), (1, 3), (2, 1), (9, 2), (0, 0)])
def test_numpy_oracle(rng, back, forward):
    scores = random_scores(rng, queries=8, size=3)
    alignment = attend(Window(back=back, forward=forward), scores)
    np.testing.assert_allclose(alignment, oracle(scores, MASK, back, forward), rtol=1e-5)


INNER = {
    "softmax": lambda: alignments.Softmax(),
    "sparsemax": lambda: alignments.Sparsemax(),
    "monotonic": lambda: alignments.Monotonic(),
    "forward_transition": lambda: alignments.ForwardTransition(),
    "mocha": lambda: alignments.MoChA(2, "dot"),
    "window": lambda: Window("monotonic", back=1, forward=2),
}
every_inner = pytest.mark.parametrize("make", INNER.values(), ids=INNER)


@every_inner
def test_a_window_that_holds_everything_changes_nothing(rng, make):
    scores = random_scores(rng, queries=6)
    inner = make()
    expected = attend(inner, scores)
    np.testing.assert_allclose(attend(Window(inner, back=9, forward=9), scores), expected, rtol=1e-5)


@every_inner
def test_nothing_outside(rng, make):
    scores = random_scores(rng, queries=6)
    for row in real(attend(Window(make(), back=1, forward=2), scores)):
        centre = 0
        for alignment in row:
            assert np.all(alignment[: max(centre - 1, 0)] == 0) and np.all(alignment[centre + 3 :] == 0)
            centre = np.argmax(alignment) if np.any(alignment > 0) else centre


def test_every_head_has_a_window_of_its_own(rng):
    scores = np.concatenate([random_scores(rng, 8, size=3), random_scores(rng, 8, size=3)])
    window = Window(back=1, forward=2)
    window.build((None, None, 3), (None, None, 3), (None, None, 3))
    mask = ops.convert_to_tensor(MASK)
    memory, previous = window.prepare(ops.zeros((2, 6, 3)), mask), window.initial_alignment(mask)
    previous = ops.repeat(previous[:, None], 2, axis=1)
    state = window.initial_state(memory, previous)
    for i in range(8):
        query = ops.convert_to_tensor(scores[:, i].reshape(2, 2, 6).swapaxes(0, 1))
        previous, state = window.step(query, mask[:, None], previous, state, None, memory)
        expected = [oracle(scores[2 * head : 2 * head + 2], MASK, 1, 2)[:, i] for head in range(2)]
        np.testing.assert_allclose(to_numpy(previous), np.stack(expected, axis=1), rtol=1e-5)


def test_a_window_without_a_frame_stays(rng):
    scores, pairs = random_scores(rng, queries=5, size=3), np.ones((2, 5, 6), bool)
    scores[:, :2, 3] = 20  # all look at frame 3 of the memory,
    pairs[:, 2] = False  # one may look at nothing, another only far away
    pairs[:, 3, 1:] = False
    alignment = attend(Window(back=0, forward=2), scores, attention_mask=pairs)
    assert np.all(alignment[:, :2].argmax(-1) == 3) and np.all(alignment[:, 2:4] == 0)
    np.testing.assert_array_equal(alignment[0, 4, :3], 0)
    np.testing.assert_allclose(alignment[:, 4, 3:].sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(alignment[0, 4, 3:], softmax(scores[0, 4, 3:]), rtol=1e-5)


def test_what_the_inner_function_takes_and_starts_from():
    mask = ops.convert_to_tensor(MASK)
    for inner in (alignments.Softmax(), alignments.Monotonic(), alignments.Exponential()):
        window = Window(inner)
        assert window.scores == inner.scores
        expected = to_numpy(inner.initial_alignment(mask))
        np.testing.assert_array_equal(to_numpy(window.initial_alignment(mask)), expected)
    with pytest.raises(ValueError, match=r"Monotonic needs scores whose sign has a meaning"):
        Attention("gaussian_mixture", Window("monotonic"))
    with pytest.raises(ValueError, match=r"chunk scorer without heads"):
        Attention("dot", Window(alignments.MoChA(chunk_scorer=scorers.MultiHead("general", 2))))
    Attention("gaussian_mixture", Window("exponential"))


def test_config_survives():
    config = Window(alignments.Softmax(temperature=0.5), back=2, forward=5).get_config()
    again = Window.from_config(config)
    assert (again.alignment.temperature, again.back, again.forward) == (0.5, 2, 5)
    assert again.get_config() == config


@pytest.mark.parametrize("options", [{"back": -1}, {"forward": -1}])
def test_errors(options):
    with pytest.raises(ValueError, match=r"that are not negative. Received: back=.*, forward="):
        Window(**options)
