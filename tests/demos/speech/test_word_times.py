"""Times of words against true times, with words and alignments that are known."""

import numpy as np
import pytest

from demos.speech.recognition import Word
from demos.speech.word_times import compare_times, frame_grid, matching_words, time_figures, true_words
from tests.demos.speech import transcripts

# As the default model has it: frames of 40 ms, of windows that reach 15 ms further.
DURATION, OFFSET = 0.04, 0.0075


def planted(text, frames_of_characters, times=(), frames=20):
    """A transcript each of whose characters attends to given frames alike, with given times of its words."""
    alignment = np.zeros((len(text), frames), "float32")
    for row, attended in zip(alignment, frames_of_characters, strict=True):
        row[list(attended)] = 1 / len(attended)
    frame_times = (OFFSET + DURATION * (np.arange(frames) + 0.5)).astype("float32")
    words = [Word(word, *span, 0.5) for word, span in zip(text.split(), times, strict=True)]
    return transcripts.transcript(text, alignment, frame_times, words=words)


def test_the_grid_starts_half_a_frame_before_the_first_middle():
    grid = frame_grid(planted("a", [[0]], [(0.0, 0.1)]))
    assert grid == pytest.approx({"frame_duration": DURATION, "offset": OFFSET})


def test_nothing_recognised_has_no_words():
    assert compare_times(planted("", []), [Word("go", 0.0, 1.0)])["boundary_error"].shape == (0, 2)


def test_planted_errors_are_found():
    transcript = planted("go on", [[2, 3], [4, 5], [0], [6, 7], [6, 7]], [(0.1, 0.3), (0.4, 0.7)])
    words = [Word("go", OFFSET + 2 * DURATION, OFFSET + 6 * DURATION), Word("on", 0.3675, 0.3675 + DURATION)]
    result = compare_times(transcript, words)
    expected = [[0.1 - words[0].start, 0.3 - words[0].end], [0.4 - words[1].start, 0.7 - words[1].end]]
    np.testing.assert_allclose(result["boundary_error"], np.abs(expected), atol=1e-5)
    # The true "on" is frame 9, where nothing is attended to.
    np.testing.assert_allclose(result["mass_inside"], [1.0, 0.0], atol=1e-5)
    np.testing.assert_array_equal(result["misplaced"], [False, False, True, True])


def test_a_token_is_misplaced_when_its_largest_weight_is_outside_of_its_word():
    transcript = planted("ab c", [[3], [8], [0], [5, 6, 7]], [(0.1, 0.3), (0.4, 0.7)])
    transcript.alignment[1, 2] = 0.9  # The frame 8 of "b" has more.
    start = lambda frame: OFFSET + frame * DURATION  # noqa: E731
    # Of frame 5, the first of equal ones, a quarter is in the word.
    words = [Word("ab", start(2), start(5)), Word("c", start(5.75), start(9))]
    result = compare_times(transcript, words)
    np.testing.assert_array_equal(result["misplaced"], [False, True, False])
    other = compare_times(planted("a", [[4]], [(0.0, 0.1)]), [Word("a", start(4), start(5))])
    figures = time_figures([result, other])
    assert figures["alignment_error_rate"] == pytest.approx(1 / 4)
    inside = [*result["mass_inside"], 1.0]
    assert figures["mass_inside"] == pytest.approx(np.mean(inside))
    errors = np.concatenate([result["boundary_error"], other["boundary_error"]])
    assert figures["boundary_error_ms"] == pytest.approx(1000 * np.median(errors))


def test_of_no_words_there_are_no_figures():
    assert set(time_figures([compare_times(planted("", []), [])]).values()) == {None}


def test_half_a_frame_counts_half():
    transcript = planted("a", [[4]], [(0.0, 0.1)])
    middle = float(transcript.frame_times[4])
    result = compare_times(transcript, [Word("a", middle, 10.0)])
    assert result["mass_inside"] == pytest.approx([0.5], abs=1e-4)


def test_only_words_recognised_right_count():
    times = [(0.1, 0.2), (0.2, 0.25), (0.33, 0.45)]
    transcript = planted("call rome now", [[i] for i in range(13)], times)
    words = [Word("please", 0.0, 0.1), Word("call", 0.1, 0.2), Word("home", 0.2, 0.3), Word("now", 0.3, 0.4)]
    assert matching_words([word.text for word in words], ["call", "rome", "now"]) == [(1, 0), (3, 2)]
    result = compare_times(transcript, words)
    np.testing.assert_allclose(result["boundary_error"], [[0, 0], [0.03, 0.05]], atol=1e-5)


@pytest.mark.parametrize("reference, hypothesis", [([], ["a"]), (["a"], []), ([], [])])
def test_nothing_matches_nothing(reference, hypothesis):
    assert matching_words(reference, hypothesis) == []


def test_true_words():
    words = {"text": np.array([b"go", b"on"], object), "start": np.float32([0.25, 0.5]), "end": np.float32([0.5, 0.75])}
    assert true_words({"words": words}) == [Word("go", 0.25, 0.5), Word("on", 0.5, 0.75)]
    assert true_words({}) == []
