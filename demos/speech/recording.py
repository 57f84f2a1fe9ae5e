"""What is said in a recording: its segments and their words, in the time of the recording."""

import dataclasses

import numpy as np

# Milliseconds that a word lasts at least.
_SHORTEST_WORD = 1


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of a recording that was recognised by itself; times in seconds from the start of the recording.

    `words` are a tuple of `recognition.Word` that follow each other without overlap; for `score` and `ended` see
    `recognition.Transcript`.
    """

    start: float
    end: float
    text: str
    words: tuple
    score: float
    ended: bool

    @classmethod
    def of(cls, transcript, start, end):
        """The segment from `start` to `end` with this `Transcript`; times are rounded to milliseconds."""
        words = transcript.words
        spans = in_order([(word.start + start, word.end + start) for word in words], start, end)
        words = tuple(
            dataclasses.replace(word, start=first, end=last) for word, (first, last) in zip(words, spans, strict=True)
        )
        return cls(round(start, 3), round(end, 3), transcript.text, words, transcript.score, transcript.ended)


@dataclasses.dataclass(frozen=True)
class Recording:
    """An audio file of `duration` seconds, and the `Segment`s in which something is said, a tuple."""

    path: str
    duration: float
    segments: tuple

    @property
    def text(self):
        """The texts of the segments, with a space between them."""
        return " ".join(segment.text for segment in self.segments if segment.text)

    @property
    def score(self):
        """The mean score of the segments, None where there are none."""
        return float(np.mean([segment.score for segment in self.segments])) if self.segments else None


def in_order(spans, start, end):
    """Bring spans of words into an order in which each lasts for some time and none overlaps with the next.

    The words of a text follow each other; the spans that attention gives them may not. Where two overlap, they meet in
    the middle.

    Args:
        spans: list of pairs of start and end in seconds.
        start, end: seconds between which all of them lie.

    Returns:
        list of pairs, in seconds, whole milliseconds.

    >>> in_order([(0.1, 0.3), (0.2, 0.5), (0.5, 0.5)], 0.0, 0.5)
    [(0.1, 0.25), (0.25, 0.499), (0.499, 0.5)]
    """
    times = np.rint(1000 * np.asarray(spans, "float64")).astype("int64").reshape(-1, 2)
    ends, starts = times[:-1, 1], times[1:, 0]
    overlap, middles = ends > starts, (ends + starts) // 2
    ends[overlap] = starts[overlap] = middles[overlap]
    # Earliest times that leave room for the words before, and latest for those behind.
    room = _SHORTEST_WORD * np.ceil(np.arange(times.size) / 2).astype("int64")
    first, last = round(1000 * start), round(1000 * end)
    times = np.maximum.accumulate(np.maximum(times.ravel(), first) - room)
    times = np.minimum(times + room, last - room[-1:] + room)
    return [tuple(span) for span in (times.reshape(-1, 2) / 1000).tolist()]
