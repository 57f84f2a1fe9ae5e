"""Strings of 3 to 7 digits, joined from recordings of single ones (8 kHz).

A string has one speaker. Before, between and after its clips stand silences of 0 to 0.125 s (noise of at most two
quantisation steps, for digital zeros do not occur in recordings). The true boundaries are kept.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

SAMPLE_RATE = 8_000  # Hz
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SHORTEST, LONGEST = 3, 7  # digits
MAX_SILENCE = SAMPLE_RATE // 8  # samples
_NOISE = 8_000  # samples of noise that silences are cut from


class Clips(NamedTuple):
    """All recordings in one array, `samples` int16 `(total,)`, which ends with `_NOISE` samples of noise.

    `starts` and `lengths`, int32 `(speakers, 10, recordings)`, say where in it each recording lies.
    """

    samples: tf.Tensor
    starts: tf.Tensor
    lengths: tf.Tensor
    speakers: tuple


class Part(NamedTuple):
    """What a split is made of: its number of strings, and the names of the speakers and a range of their recordings.

    `key` None: the strings are a function of `(seed, epoch, index)`; a number: they never change, and those of two
    numbers differ. Each recording is made quieter by up to `quieter` dB.
    """

    size: int
    speakers: tuple
    recordings: range
    key: int | None = None
    quieter: float = 0.0


class DigitStrings:
    """A corpus of digit strings, as `demos.speech.corpora` describes it.

    Args:
        name: the name of the corpus.
        clips: the recordings.
        parts: a dict from splits to the `Part` of each.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, name, clips, parts):
        self.name, self.splits = name, tuple(parts)
        self._clips, self._parts = clips, parts

    def size(self, split):
        """The number of strings in a split (per epoch)."""
        return self._parts[split].size

    def utterances(self, split, seed=0, epoch=0):
        """The strings of a split; `epoch` is an integer or a scalar integer tensor."""
        part, prefix = self._parts[split], split
        if part.key is None:
            key = tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
            prefix = tf.strings.join([split, tf.strings.as_string(key[0]), tf.strings.as_string(key[1])], "-")
        else:
            key = tf.constant([part.key, 0], tf.int64)
        speakers = tf.constant([self._clips.speakers.index(speaker) for speaker in part.speakers])

        def string(index):
            number = tf.strings.as_string(index, width=5, fill="0")
            made = compose(self._clips, speakers, part.recordings, tf.random.fold_in(key, index), part.quieter)
            return {"id": tf.strings.join([prefix, number], "-"), **made}

        return tf.data.Dataset.range(part.size).map(string, num_parallel_calls=tf.data.AUTOTUNE)


def compose(clips, speakers, recordings, key, quieter=0.0):
    """One string of digits.

    Args:
        clips: the recordings.
        speakers: int32 `(n,)`, the speakers to draw from.
        recordings: a range, the recordings to draw from.
        key: int64 `(2,)`. The string depends on nothing else.
        quieter: dB by which each recording is made quieter at most, a float.

    Returns:
        A dict of `audio`, `text`, `speaker` and `words` (see `demos.speech.corpora`), times in seconds.
    """
    key, *keys = tf.unstack(tf.random.split(key, 6))
    count = _integers(key, [], SHORTEST, LONGEST + 1)
    speaker = tf.gather(speakers, _integers(keys[0], [], 0, tf.size(speakers)))
    digits = _integers(keys[1], [count], 0, 10)
    numbers = _integers(keys[2], [count], recordings.start, recordings.stop)
    which = tf.stack([tf.fill([count], speaker), digits, numbers], axis=1)
    silences = _integers(keys[3], [count + 1], 0, MAX_SILENCE + 1)
    noise = tf.size(clips.samples) - _NOISE + _integers(keys[4], [count + 1], 0, _NOISE - MAX_SILENCE)
    audio, starts, ends = _join(
        clips.samples, tf.gather_nd(clips.starts, which), tf.gather_nd(clips.lengths, which), noise, silences
    )
    if quieter:
        levels = -quieter * tf.random.stateless_uniform([count], tf.random.fold_in(keys[4], 0))
        audio = _amplify(audio, levels, starts, ends)
    names = tf.gather(tf.constant(DIGITS), digits)
    return {
        "audio": audio,
        "text": tf.strings.reduce_join(names, separator=" "),
        "speaker": tf.gather(tf.constant(clips.speakers), speaker),
        "words": {"text": names, "start": _seconds(starts), "end": _seconds(ends)},
    }


def _join(samples, clips, clip_lengths, silences, silence_lengths):
    """Silence, clip, silence, ..., silence, each given by its place in `samples`; with starts and ends of the clips."""
    # Silences and clips in turn; a last clip of length 0 makes the rows even.
    sources = tf.reshape(tf.stack([silences, tf.pad(clips, [[0, 1]])], axis=1), [-1])
    lengths = tf.reshape(tf.stack([silence_lengths, tf.pad(clip_lengths, [[0, 1]])], axis=1), [-1])
    ends = tf.cumsum(lengths)
    places = tf.repeat(sources - (ends - lengths), lengths) + tf.range(ends[-1])
    return tf.gather(samples, places), (ends - lengths)[1:-1:2], ends[1:-1:2]


def _amplify(audio, levels, starts, ends):
    """Spans of int16 audio amplified by so many dB each; between them it is as it was."""
    gains = tf.reshape(tf.stack([tf.ones_like(levels), 10.0 ** (levels / 20)], axis=1), [-1])
    edges = tf.reshape(tf.stack([starts, ends], axis=1), [-1])
    lengths = edges - tf.pad(edges[:-1], [[1, 0]])
    gains = tf.repeat(tf.concat([gains, [1.0]], 0), tf.concat([lengths, [tf.size(audio) - edges[-1]]], 0))
    return tf.cast(tf.round(tf.cast(audio, tf.float32) * gains), tf.int16)


def _integers(key, shape, low, high):
    return tf.random.stateless_uniform(shape, key, low, high, tf.int32)


def _seconds(samples):
    return tf.cast(samples, tf.float32) / SAMPLE_RATE


def pack(recordings):
    """Puts recordings into one array.

    Args:
        recordings: a dict from `(speaker, digit, number)` to int16 samples. Every speaker has the same numbers.

    Returns:
        `Clips`, the speakers in alphabetical order.
    """
    speakers = tuple(sorted({speaker for speaker, _, _ in recordings}))
    count = 1 + max(number for _, _, number in recordings)
    order = [(speaker, digit, number) for speaker in speakers for digit in range(10) for number in range(count)]
    noise = np.random.RandomState(0).randint(-2, 3, _NOISE).astype(np.int16)  # RandomState's streams never change
    lengths = np.array([len(recordings[key]) for key in order], np.int32)
    starts = np.cumsum(lengths, dtype=np.int32) - lengths
    samples = np.concatenate([*(recordings[key] for key in order), noise]).astype(np.int16)
    shape = (len(speakers), 10, count)
    starts, lengths = (tf.constant(array.reshape(shape)) for array in (starts, lengths))
    return Clips(tf.constant(samples), starts, lengths, speakers)
