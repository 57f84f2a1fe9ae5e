"""Subtitles: SubRip and WebVTT, in cues that can be read in time."""

import dataclasses
import html
import textwrap
from typing import NamedTuple

import numpy as np

# What is usual: two lines of at most 42 characters, shown for one to seven seconds.
LINES, CHARACTERS = 2, 42
SHORTEST, LONGEST = 1.0, 7.0
# Seconds without a word after which a cue ends.
LONGEST_PAUSE = 1.0


class Cue(NamedTuple):
    """Lines of text that are shown from `start` to `end`, seconds."""

    start: float
    end: float
    lines: list


def to_srt(recording):
    """A `Recording` as SubRip.

    >>> from demos.speech.recognition import Word
    >>> from demos.speech.recording import Recording, Segment
    >>> words = (Word("good", 3599.2, 3599.6), Word("day", 3599.7, 3600.9))
    >>> print(to_srt(Recording("a.wav", 3700.0, (Segment(3599.0, 3601.1, "good day", words, -0.1, True),))))
    1
    00:59:59,200 --> 01:00:00,900
    good day
    <BLANKLINE>
    """
    blocks = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n" + "".join(f"{line}\n" for line in cue.lines)
        for number, cue in enumerate(cues(recording), 1)
    )
    return "\n".join(blocks)


def to_vtt(recording):
    """A `Recording` as WebVTT."""
    blocks = (
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        + "".join(f"{html.escape(line, quote=False)}\n" for line in cue.lines)
        for cue in cues(recording)
    )
    return "\n".join(["WEBVTT\n", *blocks])


def cues(recording):
    """The `Cue`s of a `Recording`: each holds words of one segment, as many as fit."""
    groups = [group for segment in recording.segments for group in _groups(_short(segment.words))]
    starts = [group[0].start for group in groups]
    return [
        Cue(start, min(max(group[-1].end, start + SHORTEST), start + LONGEST, following), _lines(group))
        for group, start, following in zip(groups, starts, [*starts, recording.duration][1:], strict=True)
    ]


def _groups(words):
    """The words of each cue."""
    group = []
    for word in words:
        if group and not _fits(group, word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _fits(group, word):
    near = word.start - group[-1].end <= LONGEST_PAUSE and word.end - group[0].start <= LONGEST
    return near and len(_lines([*group, word])) <= LINES


def _lines(words):
    return textwrap.wrap(" ".join(word.text for word in words), CHARACTERS, break_on_hyphens=False)


def _short(words):
    """The words, each in parts that fit on a line: where words are not written apart, a whole text is one."""
    for word in words:
        parts = [word.text[first : first + CHARACTERS] for first in range(0, len(word.text), CHARACTERS)]
        times = np.linspace(word.start, word.end, len(parts) + 1).tolist()
        for part, start, end in zip(parts, times[:-1], times[1:], strict=True):
            yield dataclasses.replace(word, text=part, start=start, end=end)


def _clock(seconds, point):
    """
    >>> _clock(3723.0625, ",")
    '01:02:03,062'
    """
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
