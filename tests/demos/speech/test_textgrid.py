"""TextGrid files, read back by another program."""

import itertools

import numpy as np
import pytest
from praatio import textgrid

from demos.speech.recognition import Word
from demos.speech.recording import Recording, Segment, in_order
from demos.speech.textgrid import to_textgrid


@pytest.fixture
def read(tmp_path):
    """A function that writes a recording and reads its tiers: name, and intervals of start, end and text."""

    def tiers(recording):
        path = tmp_path / "a.TextGrid"
        path.write_text(to_textgrid(recording), encoding="utf-8", newline="\n")
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="error")
        assert (grid.minTimestamp, grid.maxTimestamp) == (0, recording.duration)
        return {tier.name: [tuple(entry) for entry in tier.entries] for tier in grid.tiers}

    return tiers


def test_segments_and_words_with_what_is_between_them(read):
    words = (Word("go", 1.25, 1.5), Word("on", 1.5, 1.75))
    segments = (
        Segment(1.0, 2.0, "go on", words, -0.1, True),
        Segment(3.5, 4.0, "go", (Word("go", 3.5, 3.9),), -1, True),
    )
    tiers = read(Recording("a.wav", 4.0, segments))
    assert list(tiers) == ["segments", "words"]
    assert tiers["segments"] == [(0, 1, ""), (1, 2, "go on"), (2, 3.5, ""), (3.5, 4, "go")]
    assert tiers["words"] == [
        (0, 1.25, ""),
        (1.25, 1.5, "go"),
        (1.5, 1.75, "on"),
        (1.75, 3.5, ""),
        (3.5, 3.9, "go"),
        (3.9, 4, ""),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_intervals_fill_hours_without_gaps_and_grow(read, seed):
    rng = np.random.default_rng(seed)
    bounds = np.cumsum(rng.uniform(0.5, 90, 200)).reshape(-1, 2).tolist()
    segments = []
    for start, end in bounds:
        spans = in_order(rng.uniform(start - 0.1, end + 0.1, (4, 2)).tolist(), start, end)
        words = tuple(Word(f"w{i}", *span) for i, span in enumerate(spans))
        segments.append(Segment(round(start, 3), round(end, 3), "", words, -0.1, True))
    duration = round(bounds[-1][1] + 1, 3)
    for intervals in read(Recording("a.wav", duration, tuple(segments))).values():
        assert intervals[0][0] == 0 and intervals[-1][1] == duration > 3600
        assert all(start < end for start, end, _ in intervals)
        assert all(one[1] == other[0] for one, other in itertools.pairwise(intervals))


def test_every_character_comes_through(read):
    text = 'say "Größe" 你好 👍 \\ ""'
    words = (Word('"', 0.0, 0.5), Word('""', 0.5, 1.0))
    tiers = read(Recording("a.wav", 1.0, (Segment(0.0, 1.0, text, words, -0.1, True),)))
    assert tiers == {"segments": [(0, 1, text)], "words": [(0, 0.5, '"'), (0.5, 1, '""')]}


def test_nothing_said(read):
    assert read(Recording("a.wav", 1.5, ())) == {"segments": [(0, 1.5, "")], "words": [(0, 1.5, "")]}
