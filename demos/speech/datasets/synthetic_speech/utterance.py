"""One utterance: a sentence, a voice and a way to speak it, drawn from a key; spoken, levelled and resampled."""

from typing import NamedTuple

import numpy as np
import soxr

from .. import ctc_room
from . import espeak
from .draws import Draws
from .voices import ACCENTS, VOICES

SAMPLE_RATE = 16_000  # Hz
SLOWER, TRIES = 0.8, 4  # an utterance without room for CTC is spoken again at 0.8 x its rate, up to 4 times in all


class Manner(NamedTuple):
    """How a sentence is spoken. Rate in words a minute, silences in seconds, peak as a share of full scale."""

    accent: str
    speaker: str
    rate: float
    pitch: int
    pitch_range: int
    word_gap: int
    silence_before: float
    silence_after: float
    peak: float


class Utterance(NamedTuple):
    """int16 samples at 16 kHz with the spans of words and phonemes, in seconds from the first sample."""

    samples: np.ndarray
    text: str
    voice: str
    words: list
    phonemes: list


def utterance(config, split, index, text):
    """Speaks a sentence in a manner drawn from `(config, split, index)`.

    Raises:
        ValueError: there are fewer encoder frames than CTC needs, however slowly it is spoken.
    """
    manner = draw_manner(split, Draws(f"{config}/{split}/{index}"))
    for _ in range(TRIES):
        spoken = speak(text, manner)
        if ctc_room.fits(text, len(spoken.samples) / SAMPLE_RATE):
            return spoken
        manner = manner._replace(rate=manner.rate * SLOWER)
    raise ValueError(
        f"Expected at least {ctc_room.frames_needed(text)} encoder frames for {config}/{split}/{index}, "
        f"even when spoken slowly. Received: text={text!r}, manner={manner}"
    )


def draw_manner(split, draws):
    """A manner of speaking with a voice of the split."""
    return Manner(
        accent=draws.choice(tuple(ACCENTS)),
        speaker=draws.choice(VOICES[split]),
        rate=draws.uniform(130, 190),
        pitch=draws.integer(35, 65),
        pitch_range=draws.integer(30, 75),
        word_gap=draws.choice((0, 0, 0, 1, 2)),
        silence_before=draws.uniform(0.05, 0.2),
        silence_after=draws.uniform(0.05, 0.2),
        peak=draws.uniform(0.25, 0.9),
    )


def speak(text, manner):
    """Speaks a sentence in a given manner; returns an `Utterance`."""
    voice = f"{ACCENTS[manner.accent]}+{manner.speaker}"
    speech = espeak.speak(text, voice, manner.rate, manner.pitch, manner.pitch_range, manner.word_gap)
    samples = soxr.resample(speech.samples.astype(np.float32), speech.sample_rate, SAMPLE_RATE)
    samples *= 32767 * manner.peak / np.abs(samples).max()
    before, after = (round(seconds * SAMPLE_RATE) for seconds in (manner.silence_before, manner.silence_after))
    samples = np.pad(np.rint(samples).astype(np.int16), (before, after))
    words, phonemes = (_delayed(spans, before / SAMPLE_RATE) for spans in (speech.words, speech.phonemes))
    return Utterance(samples, text, f"{manner.accent}+{manner.speaker}", words, phonemes)


def _delayed(spans, seconds):
    return [espeak.Span(span.text, span.start + seconds, span.end + seconds) for span in spans]
