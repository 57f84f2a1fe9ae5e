"""When each phoneme sounds, from eSpeak NG's events and the samples.

A phoneme's event stands where its sound starts, with two exceptions at the start of a word. The word's event stands
before the pause in front of the word, and ends the phoneme before. But a vowel after a nasal, a liquid or a vowel gets
its event only after the transition into it; and a nasal or liquid at the end of a word is sounded after the next word's
event when that word follows at once. There the boundary is read off the samples, or set halfway where one sound glides
into the other; it is then true to about 30 ms. Inside words the late events of such vowels are left as they are.
"""

from typing import NamedTuple

import numpy as np

EVENT_WORD, EVENT_PHONEME = 1, 7
_VOWELS = "aeiouyæɐɑɒɔəɚɛɜɝɪʊʌʉɨøœᵻ"  # noqa: RUF001
_SILENCE = 0.05  # of the root mean square of the utterance; pauses are zeros, but some variants have a faint echo


class Event(NamedTuple):
    """An event of eSpeak NG: its kind, the position of its word in the text (from 1), its sample, its symbol."""

    kind: int
    position: int
    sample: int
    symbol: str


def phoneme_times(events, samples, window):
    """Start and end of every phoneme, in samples.

    Args:
        events: word and phoneme events in order; a phoneme without a symbol is a pause.
        samples: the utterance, `(samples,)`.
        window: the shortest silence that counts as a pause, in samples.

    Returns:
        A list of `(position, symbol, start, end)`.
    """
    starts = [event.sample for event in events]
    ends = [*starts[1:], len(samples)]
    for index, event in enumerate(events):
        if event.kind == EVENT_WORD and 0 < index < len(events) - 1:
            vowel = events[index + 1].symbol.lstrip("ˈˌ")[:1] in _VOWELS
            late = events[index - 1].symbol and starts[index - 1] == event.sample
            pause = _pause(samples, event.sample, starts[index + 1], window)
            end, start = _boundary(event.sample, starts[index + 1], pause, late, vowel)
            ends[index - 1], starts[index + 1] = end, start
    times = zip(events, starts, ends, strict=True)
    return [(event.position, event.symbol, start, end) for event, start, end in times if event.symbol]


def _boundary(word, following, pause, late, vowel):
    """The end of one word and the start of the next, given the samples of the word's event and its first phoneme's."""
    if pause:
        return (pause[0] if late else word), pause[1]
    if late:  # the last phoneme of the word before has yet to sound
        middle = (word + following) // 2 if vowel else following
        return middle, middle
    return (word, word) if vowel else (word, following)


def _pause(samples, start, end, window):
    """The first and the last silent sample between two samples, or None."""
    count = (end - start) // window
    if count < 1:
        return None
    pieces = samples[start : start + count * window].astype(np.float64).reshape(count, window)
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2))
    (silent,) = np.nonzero(np.sqrt(np.mean(pieces**2, axis=1)) < _SILENCE * level)
    return (start + silent[0] * window, start + (silent[-1] + 1) * window) if silent.size else None
