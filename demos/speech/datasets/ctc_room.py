"""Is there room for CTC? It needs a frame for every character, and one more between two that are the same."""

import itertools

SECONDS_PER_FRAME = 0.040  # of the encoder's output
SPEED_UP = 1.1  # the most that training speeds an utterance up


def frames(seconds):
    """The whole encoder frames that an utterance has at the least, the incomplete one at its end not counted."""
    return int(seconds / SPEED_UP / SECONDS_PER_FRAME) - 1


def frames_needed(text):
    """The frames that CTC needs to emit a text: its characters, and a blank between two equal ones."""
    return len(text) + sum(first == second for first, second in itertools.pairwise(text))


def fits(text, seconds):
    """Whether CTC can emit a text over an utterance of so many seconds."""
    return frames(seconds) >= frames_needed(text)
