import itertools

import numpy as np
import pytest

from demos.speech import word_edges

HOP, OFFSET = 0.01, 0.0025


def by_hand(times, heard, frames, offset=OFFSET):
    """Edges of the words of one utterance, frame by frame, from the description."""
    top, bottom = max(heard[:frames]), min(heard[:frames])
    threshold = max(top - 3.5 * np.log(10), bottom + 0.2 * (top - bottom))
    quiet = [t >= frames or heard[t] < threshold for t in range(len(heard))]
    place = [[min(max(int(np.floor((x - offset) / HOP)), 0), len(heard) - 1) for x in word] for word in times]
    borders = []
    for (_, end), (start, _) in itertools.pairwise(place):
        between = range(min(end, start), max(end, start) + 1)
        borders.append(min(between, key=lambda t: heard[t]))
    result = np.array(times, "float32")
    for word, (start, end) in enumerate(place):
        first, last = start, end
        lowest = max(start - 20, borders[word - 1] if word else 0)
        highest = min(end + 20, borders[word] - 1 if word < len(place) - 1 else len(heard) - 1)
        while first > lowest and not quiet[first - 1]:
            first -= 1
        while last < highest and not quiet[last + 1]:
            last += 1
        if first < start:
            result[word, 0] = offset + HOP * first
        if last > end:
            result[word, 1] = offset + HOP * (last + 1)
    return result


@pytest.mark.parametrize("seed", range(10))
def test_equals_a_walk_frame_by_frame(seed):
    rng = np.random.default_rng(seed)
    frames, num_words = [90, 61, 40], [4, 0, 2]
    heard = rng.choice([-12.0, -3.0, 0.0, 1.0], (3, 90), p=[0.05, 0.1, 0.3, 0.55]) + 0.1 * rng.random((3, 90))
    mask = np.arange(90) < np.array(frames)[:, None]
    times = np.zeros((3, 4, 2), "float32")
    for row, words in enumerate(num_words):
        times[row, :words] = np.sort(rng.uniform(OFFSET, HOP * frames[row], 2 * words)).reshape(-1, 2)
    heard = heard.astype("float32")
    moved = np.asarray(word_edges.to_quiet(times, num_words, heard, mask, HOP, OFFSET))
    for row, words in enumerate(num_words):
        expected = by_hand(times[row, :words], heard[row], frames[row]) if words else times[row, :0]
        np.testing.assert_allclose(moved[row, :words], expected, atol=1e-6)


def test_reaches_the_pauses_and_no_further_than_the_neighbour():
    heard = np.full((1, 60), -30.0, "float32")
    heard[0, 10:40] = 0.0  # two words without a pause between them
    heard[0, 25] = -2.0
    times = np.array([[[0.15, 0.22], [0.28, 0.35]]], "float32")
    moved = np.asarray(word_edges.to_quiet(times, [2], heard, np.ones((1, 60), bool), HOP, 0.0))
    np.testing.assert_allclose(moved, [[[0.10, 0.25], [0.25, 0.40]]], atol=1e-6)


def test_a_long_sound_moves_an_edge_by_the_reach_alone():
    heard = np.zeros((1, 100), "float32")
    heard[0, :2] = -30.0
    moved = word_edges.to_quiet(np.array([[[0.5, 0.55]]], "float32"), [1], heard, np.ones((1, 100), bool), HOP, 0.0)
    np.testing.assert_allclose(moved, [[[0.30, 0.76]]], atol=1e-6)


def test_nothing_heard_and_no_words():
    silence, nothing = np.zeros((1, 1), "float32"), np.zeros((1, 1), bool)
    moved = word_edges.to_quiet(np.zeros((1, 0, 2), "float32"), [0], silence, nothing, HOP, OFFSET)
    assert moved.shape == (1, 0, 2)
    times = np.full((1, 2, 2), OFFSET, "float32")
    np.testing.assert_array_equal(word_edges.to_quiet(times, [0], silence, nothing, HOP, OFFSET), times)


def test_loudness_is_the_power_of_all_bands():
    powers = np.array([[[1.0, 3.0], [0.5, 0.5]]])
    np.testing.assert_allclose(np.exp(word_edges.loudness(np.log(powers))), [[4.0, 1.0]])
