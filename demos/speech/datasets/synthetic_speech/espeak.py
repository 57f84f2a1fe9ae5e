"""Speech from eSpeak NG: text to samples, with the times of every word and phoneme.

The library and its data come from the package `espeakng-loader`; nothing has to be installed on the system. eSpeak NG
remembers things between utterances (the phase of its pitch flutter, gain control, noise), which no call resets. So the
library is loaded afresh for each utterance, which takes a millisecond, and an utterance depends on its arguments alone.
"""

import _ctypes
import contextlib
import ctypes
import re
import threading
from typing import NamedTuple

import espeakng_loader
import numpy as np

from . import espeak_data
from .phoneme_times import EVENT_PHONEME, EVENT_WORD, Event, phoneme_times

# From speak_lib.h of eSpeak NG 1.52.
_OUTPUT_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 1, 2, 0x8000
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_EVENT_END_OF_LIST = 0
_RATE, _VOLUME, _PITCH, _RANGE, _PUNCTUATION, _CAPITALS, _WORD_GAP = 1, 2, 3, 4, 5, 6, 7

_unload = _ctypes.FreeLibrary if hasattr(_ctypes, "FreeLibrary") else _ctypes.dlclose  # Windows has the first
_lock = threading.Lock()  # eSpeak NG keeps its state in global variables


class Span(NamedTuple):
    """A word or a phoneme with the time it takes, in seconds from the start of the samples."""

    text: str
    start: float
    end: float


class Speech(NamedTuple):
    """What was spoken: int16 samples `(samples,)`, their rate in Hz, and the spans of words and phonemes."""

    samples: np.ndarray
    sample_rate: int
    words: list
    phonemes: list


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


def speak(text, voice, rate=160, pitch=50, pitch_range=50, word_gap=0, volume=60):
    """Speaks one sentence.

    Args:
        text: words of a-z and apostrophes, with single spaces between.
        voice: an English voice file and perhaps a variant, for example `"gmw/en-us+m3"`.
        rate: words a minute, 80 to 450.
        pitch, pitch_range: 0 to 99, relative to the voice (50 leaves it as it is).
        word_gap: extra pause between words, in units of 10 ms at the normal rate.
        volume: 0 to 200. The loudest variants clip at 100.

    Returns:
        A `Speech` at 22,050 Hz. A word ends where its last phoneme ends, even when a pause follows.

    Raises:
        ValueError: the voice or its variant is unknown, or eSpeak NG ran two words into one.
    """
    settings = {_RATE: rate, _VOLUME: volume, _PITCH: pitch, _RANGE: pitch_range, _WORD_GAP: word_gap}
    if not (
        espeak_data.folder() / "voices/!v" / voice.partition("+")[2]
    ).exists():  # eSpeak NG says nothing and speaks without the variant
        raise ValueError(f"Expected a variant of eSpeak NG after the plus. Received: voice={voice!r}")
    with _lock, _library() as (library, sample_rate, audio, events):
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"Expected a voice of eSpeak NG. Received: voice={voice!r}")
        for parameter, value in {**settings, _PUNCTUATION: 0, _CAPITALS: 0}.items():
            library.espeak_SetParameter(parameter, int(value), 0)
        library.espeak_ng_SetRandSeed(1)
        # Between zero-width spaces each word has its own times; between plain ones "in the" is spoken as one word.
        data = text.replace(" ", "\u200b").encode()
        library.espeak_Synth(data, len(data) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        samples = np.frombuffer(b"".join(audio), np.int16)
    phonemes = [
        (position, Span(symbol, start / sample_rate, end / sample_rate))
        for position, symbol, start, end in phoneme_times(events, samples, round(0.005 * sample_rate))
        if end > start
    ]
    return Speech(samples, sample_rate, _words(text, phonemes), [span for _, span in phonemes])


@contextlib.contextmanager
def _library():
    """Loads eSpeak NG with fresh variables; yields the library, its sample rate, and the lists that it fills."""
    audio, events = [], []

    def receive(samples, count, event):
        if count > 0:
            audio.append(ctypes.string_at(samples, 2 * count))
        for index in range(1_000_000):
            item = event[index]
            if item.type == _EVENT_END_OF_LIST:
                break
            if item.type in (EVENT_WORD, EVENT_PHONEME):
                symbol = item.id.string.decode("utf-8", "ignore") if item.type == EVENT_PHONEME else ""
                events.append(Event(item.type, item.text_position, item.sample, symbol))
        return 0

    callback = _Callback(receive)  # must outlive the library's use of it
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    options = _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
    folder = str(espeak_data.folder())
    try:
        sample_rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, folder.encode(), options)
        if sample_rate <= 0:
            raise RuntimeError(f"eSpeak NG cannot read its data. Received: folder={folder!r}")
        library.espeak_SetSynthCallback(callback)
        yield library, sample_rate, audio, events
        library.espeak_Terminate()
    finally:
        _unload(library._handle)


def _words(text, phonemes):
    """The span of each word of the text, from its first phoneme to its last."""
    words = []
    for match in re.finditer(r"\S+", text):
        spans = [span for position, span in phonemes if match.start() < position <= match.end()]
        if not spans:
            raise ValueError(f"eSpeak NG gave no phonemes of its own to the word {match[0]!r}. Received: text={text!r}")
        words.append(Span(match[0], spans[0].start, spans[-1].end))
    return words
