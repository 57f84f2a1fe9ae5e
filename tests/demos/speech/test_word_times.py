"""Times of words, with alignments whose times are known."""

import numpy as np
import pytest

from demos.speech.recognition import Transcript
from demos.speech.word_times import (
    TAIL,
    Word,
    compare_times,
    frame_grid,
    matching_words,
    read_words,
    split_words,
    true_words,
)

# As the default model has it: frames of 40 ms, of windows that reach 15 ms further.
DURATION, OFFSET = 0.04, 0.0075


def planted(text, frames_of_characters, frames=20):
    """A transcript each of whose characters attends to given frames alike."""
    alignment = np.zeros((len(text), frames), "float32")
    for row, attended in zip(alignment, frames_of_characters, strict=True):
        row[list(attended)] = 1 / len(attended)
    times = OFFSET + DURATION * (np.arange(frames) + 0.5)
    return Transcript(text, np.zeros(len(text), "int32"), 0.0, alignment, times.astype("float32"))


@pytest.mark.parametrize(
    "text, words, ids",
    [
        ("", [], []),
        (" ", [], [-1]),
        ("a", ["a"], [0]),
        (" ab  c ", ["ab", "c"], [-1, 0, 0, -1, -1, 1, -1]),
        ("één 二", ["één", "二"], [0, 0, 0, -1, 1]),
    ],
)
def test_split_words(text, words, ids):
    texts, word_ids = split_words(text)
    assert texts == words and word_ids.tolist() == ids


def test_the_grid_starts_half_a_frame_before_the_first_middle():
    grid = frame_grid(planted("a", [[0]]))
    assert grid == pytest.approx({"frame_duration": DURATION, "offset": OFFSET})


def test_read_words():
    # "go" on frames 2 to 4, "on" on frames 5 to 9; the space elsewhere must not count.
    transcript = planted("go on", [[2], [3, 4], [15], [5, 6], [7, 8, 9]])
    words = read_words(transcript)
    assert [word.text for word in words] == ["go", "on"]
    # A share of the mass of 2 tokens is twice that share of the first one's.
    assert words[0].start == pytest.approx(OFFSET + DURATION * (2 + 2 * TAIL), abs=1e-5)
    assert words[0].end == pytest.approx(OFFSET + DURATION * (5 - 2 * TAIL * 2), abs=1e-5)
    assert words[1].start == pytest.approx(OFFSET + DURATION * (5 + 2 * TAIL * 2), abs=1e-5)


def test_nothing_recognised_has_no_words():
    transcript = planted("", [])
    assert read_words(transcript) == []
    assert compare_times(transcript, [Word("go", 0.0, 1.0)])["boundary_error"].shape == (0, 2)


def test_planted_errors_are_found():
    # Each word fills its frames evenly, so that what is read is a known share of its length inside.
    transcript = planted("go on", [[2, 3, 4, 5], [2, 3, 4, 5], [0], [6, 7], [6, 7]])
    words = [Word("go", OFFSET + 2 * DURATION, OFFSET + 6 * DURATION), Word("on", 0.3675, 0.3675 + DURATION)]
    result = compare_times(transcript, words)
    expected = [
        [TAIL * 4 * DURATION] * 2,
        [0.3675 - OFFSET - DURATION * (6 + 2 * TAIL), 0.3675 + DURATION - OFFSET - DURATION * (8 - 2 * TAIL)],
    ]
    np.testing.assert_allclose(result["boundary_error"], np.abs(expected), atol=1e-5)
    # The true "on" is frame 9, where nothing is attended to.
    np.testing.assert_allclose(result["mass_inside"], [1.0, 0.0], atol=1e-5)


def test_half_a_frame_counts_half():
    transcript = planted("a", [[4]])
    middle = float(transcript.frame_times[4])
    result = compare_times(transcript, [Word("a", middle, 10.0)])
    assert result["mass_inside"] == pytest.approx([0.5], abs=1e-4)


def test_only_words_recognised_right_count():
    transcript = planted("call rome now", [[i] for i in range(13)])
    words = [Word("please", 0.0, 0.1), Word("call", 0.1, 0.2), Word("home", 0.2, 0.3), Word("now", 0.3, 0.4)]
    assert matching_words([word.text for word in words], ["call", "rome", "now"]) == [(1, 0), (3, 2)]
    result = compare_times(transcript, words)
    assert result["boundary_error"].shape == (2, 2) and result["mass_inside"].shape == (2,)
    now = read_words(transcript)[2]
    np.testing.assert_allclose(result["boundary_error"][1], [abs(now.start - 0.3), abs(now.end - 0.4)], atol=1e-5)


@pytest.mark.parametrize("reference, hypothesis", [([], ["a"]), (["a"], []), ([], [])])
def test_nothing_matches_nothing(reference, hypothesis):
    assert matching_words(reference, hypothesis) == []


def test_true_words():
    words = {"text": np.array([b"go", b"on"], object), "start": np.float32([0.25, 0.5]), "end": np.float32([0.5, 0.75])}
    assert true_words({"words": words}) == [Word("go", 0.25, 0.5), Word("on", 0.5, 0.75)]
    assert true_words({}) == []
