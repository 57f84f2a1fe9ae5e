"""CTM files of NIST's scoring tools: a word on each line, and when it is said.

    recording channel start duration word [confidence]

in seconds, with white space between; what follows `;;` is a comment. A recording is called by its path or, as is
usual, by its name without folder and suffix.
"""

import math
from pathlib import Path
from typing import NamedTuple

from demos.speech.errors import UserError


class TimedWord(NamedTuple):
    """A word and its times in seconds of the recording."""

    text: str
    start: float
    end: float


def read_ctm(path):
    """Read a CTM file.

    Returns:
        A dict from the name of a recording to its list of `TimedWord` in the order of time.

    Raises:
        UserError: the file cannot be read, or lines are wrong, with a line for each of them.
    """
    try:
        lines = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UserError(f"Cannot read the word times {path}: {error.strerror}") from None
    recordings, problems = {}, []
    for number, line in enumerate(lines, start=1):
        if fields := line.partition(b";;")[0].split():
            try:
                recordings.setdefault(fields[0].decode(), []).append(_timed_word(fields))
            except ValueError:
                problems.append(
                    f"{path}:{number}: Expected recording, channel, start, duration in seconds, and word, in UTF-8. "
                    f"Received: {line.decode(errors='replace').strip()!r}"
                )
    if problems:
        raise UserError("\n".join(problems))
    return {name: sorted(words, key=lambda word: word.start) for name, words in recordings.items()}


def _timed_word(fields):
    _, _, start, duration, word, *_ = fields
    start, duration = float(start), float(duration)
    if not (math.isfinite(start + duration) and start >= 0 and duration >= 0):
        raise ValueError
    return TimedWord(word.decode(), start, round(start + duration, 6))


def to_ctm(recording):
    """The words of a `Recording` as lines of a CTM file, channel 1.

    >>> from demos.speech.recognition import Word
    >>> from demos.speech.recording import Recording, Segment
    >>> words = (Word("good", 0.5, 0.74, 0.9), Word("day", 0.75, 1.0, 0.8))
    >>> print(to_ctm(Recording("talks/a.wav", 1.0, (Segment(0.5, 1.0, "good day", words, -0.1, True),))), end="")
    a 1 0.500 0.240 good 0.900
    a 1 0.750 0.250 day 0.800
    """
    # White space in a name would move the columns.
    name = "_".join(Path(recording.path).stem.split()) or "-"
    words = [word for segment in recording.segments for word in segment.words]
    return "".join(
        f"{name} 1 {word.start:.3f} {word.end - word.start:.3f} {word.text} {word.confidence:.3f}\n" for word in words
    )
