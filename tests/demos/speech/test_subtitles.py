"""Subtitles, read back by another program."""

import html
import itertools

import numpy as np
import pytest
import webvtt

from demos.speech.recognition import Word
from demos.speech.recording import Recording, Segment
from demos.speech.subtitles import to_srt, to_vtt


@pytest.fixture(params=["srt", "vtt"])
def read(request, tmp_path):
    """A function that writes a recording and reads the cues: start, end and lines."""
    path = tmp_path / f"a.{request.param}"

    def cues(recording):
        if request.param == "srt":
            path.write_text(to_srt(recording), encoding="utf-8")
            found = [(cue.start, cue.end, cue.lines) for cue in webvtt.from_srt(path)]
        else:
            path.write_text(to_vtt(recording), encoding="utf-8")
            found = [(cue.start, cue.end, [html.unescape(line) for line in cue.lines]) for cue in webvtt.read(path)]
        return [(seconds(start), seconds(end), lines) for start, end, lines in found]

    return cues


def seconds(clock):
    hours, minutes, rest = clock.split(":")
    return round(3600 * int(hours) + 60 * int(minutes) + float(rest), 3)


def segment(*words):
    words = tuple(Word(text, start, end, 0.5) for text, start, end in words)
    return Segment(words[0].start, words[-1].end, " ".join(word.text for word in words), words, -0.1, True)


def recording(*segments, duration=None):
    return Recording("a.wav", duration or segments[-1].end + 10, segments)


def test_a_cue_for_each_segment_with_the_times_of_its_words(read):
    found = read(recording(segment(("go", 1.25, 1.5), ("on", 1.6, 2.875)), segment(("stop", 3599.5, 3601.125))))
    assert found == [(1.25, 2.875, ["go on"]), (3599.5, 3601.125, ["stop"])]


def test_long_speech_is_cut_into_what_can_be_read(read):
    rng = np.random.default_rng(0)
    times = np.round(np.cumsum(rng.uniform(0.05, 0.5, 400)), 3)
    texts = ["".join(rng.choice(list("abcdeäß")) for _ in range(rng.integers(1, 15))) for _ in range(200)]
    words = [(text, *span) for text, span in zip(texts, times.reshape(-1, 2).tolist(), strict=True)]
    found = read(recording(segment(*words[:90]), segment(*words[90:])))
    assert " ".join(" ".join(lines) for _, _, lines in found).split() == texts
    starts = {start for _, start, _ in words}
    for start, end, lines in found:
        assert start in starts and 0.05 < end - start <= 7.0
        assert len(lines) <= 2 and max(map(len, lines)) <= 42
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))
    assert np.mean([len(" ".join(lines)) for _, _, lines in found]) > 42  # not a word a cue


def test_a_cue_ends_where_nothing_is_said_and_a_short_one_stays_for_a_second(read):
    found = read(recording(segment(("go", 1.0, 1.2), ("on", 4.0, 4.1), ("now", 6.5, 6.6)), duration=7.0))
    assert found == [(1.0, 2.0, ["go"]), (4.0, 5.0, ["on"]), (6.5, 7.0, ["now"])]
    found = read(recording(segment(("go", 1.0, 1.2)), segment(("on", 1.5, 20.0))))
    assert found == [(1.0, 1.5, ["go"]), (1.5, 8.5, ["on"])]


def test_every_character_comes_through(read):
    text = 'naïve <i>&amp; "Größe" 你好 ١٢ 👍'
    found = read(recording(segment(*((word, i + 0.0, i + 0.5) for i, word in enumerate(text.split(" "))))))
    assert " ".join(" ".join(lines) for _, _, lines in found) == text


def test_a_text_without_spaces_is_cut_into_lines_and_shares_its_time(read):
    text = "".join(chr(ord("一") + i) for i in range(200))
    found = read(recording(segment((text, 10.0, 20.0))))
    assert "".join("".join(lines) for _, _, lines in found) == text
    assert [start for start, _, _ in found] == [10.0, 14.0, 18.0]
    assert all(len(line) <= 42 for _, _, lines in found for line in lines)


def test_nothing_said():
    assert to_srt(Recording("a.wav", 3.0, ())) == ""
    assert to_vtt(Recording("a.wav", 3.0, ())) == "WEBVTT\n"
    empty = Segment(0.0, 1.0, "", (), -0.1, True)
    assert to_srt(Recording("a.wav", 3.0, (empty,))) == ""
