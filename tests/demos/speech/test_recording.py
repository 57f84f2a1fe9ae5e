"""Segments: their words in the time of the recording, in order and without overlap."""

import numpy as np
import pytest

from demos.speech.recognition import Word
from demos.speech.recording import Recording, Segment, in_order
from tests.demos.speech.transcripts import transcript


def test_words_are_in_the_time_of_the_recording():
    words = [Word("on", 0.1, 0.3, 0.9), Word("off", 0.4, 1.4, 0.8)]
    made = transcript("on off", np.eye(6), np.arange(6.0), -0.25, ended=False, words=words)
    segment = Segment.of(made, 60.0, 61.23456)
    assert segment.words == (Word("on", 60.1, 60.3, 0.9), Word("off", 60.4, 61.235, 0.8))  # no word outlasts it
    assert segment == Segment(60.0, 61.235, "on off", segment.words, -0.25, False)


def test_text_and_score_of_a_recording():
    parts = [Segment(0.0, 1.0, "on", (), -0.2, True), Segment(2.0, 3.0, "", (), -0.4, True)]
    parts += [Segment(4.0, 5.0, "off", (), -0.6, True)]
    assert Recording("a", 9.0, tuple(parts)).text == "on off"
    assert Recording("a", 9.0, tuple(parts)).score == pytest.approx(-0.4)
    assert (Recording("a", 9.0, ()).text, Recording("a", 9.0, ()).score) == ("", None)


def test_spans_in_order_stay_as_they_are():
    times = np.sort(np.random.default_rng(0).choice(10_000, 40, replace=False)) / 1000
    spans = [tuple(span) for span in times.reshape(-1, 2).tolist()]
    assert in_order(spans, 0.0, 10.0) == spans
    assert in_order([], 1.0, 2.0) == []


@pytest.mark.parametrize("seed", range(20))
def test_spans_of_anything_come_into_order(seed):
    rng = np.random.default_rng(seed)
    start, end = 7000.1234, 7000.1234 + rng.uniform(0.1, 2)
    spans = rng.uniform(start - 1, end + 1, (rng.integers(1, 30), 2)).tolist()  # some end before they start
    ordered = np.array(in_order(spans, start, end))
    assert ordered.min() >= round(start, 3) and ordered.max() <= round(end, 3)
    milliseconds = 1000 * ordered
    np.testing.assert_allclose(milliseconds, milliseconds.round(), atol=1e-6)
    assert (milliseconds[:, 1] - milliseconds[:, 0] > 0.9).all()
    assert (ordered[1:, 0] >= ordered[:-1, 1]).all()
