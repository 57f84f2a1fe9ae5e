"""Strings of 3 to 7 digits, joined from the single recordings of TFDS's `spoken_digit` (8 kHz, five speakers).

A string has one speaker. Before, between and after its clips stand silences of 0 to 0.125 s (noise of at most two
quantisation steps, for digital zeros do not occur in recordings). The true boundaries are kept.

The recordings 0 to 4 of each speaker and digit are the official test set and occur in test strings only; 45 to 49 occur
in validation strings only, and 5 to 44 in training strings.
"""

import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ..errors import UserError

SAMPLE_RATE = 8_000  # Hz
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZES = {"train": 2500, "validation": 250, "test": 250, "enrolment": 250}
RECORDINGS = {"train": range(5, 45), "validation": range(45, 50), "test": range(5), "enrolment": range(5, 50)}
SHORTEST, LONGEST = 3, 7  # digits
MAX_SILENCE = SAMPLE_RATE // 8  # samples
ARCHIVE = "free-spoken-digit-dataset-1.0.9.tar.gz"
_NOISE = 8_000  # samples of noise that silences are cut from
_FIXED_KEYS = {"validation": 1, "test": 2, "enrolment": 3}
_OF_THE_TEST_SPEAKER = ("test", "enrolment")


class Clips(NamedTuple):
    """All recordings in one array, `samples` int16 `(total,)`, which ends with `_NOISE` samples of noise.

    `starts` and `lengths`, int32 `(speakers, 10, recordings)`, say where in it each recording lies.
    """

    samples: tf.Tensor
    starts: tf.Tensor
    lengths: tf.Tensor
    speakers: tuple


class Strings:
    """The corpus of digit strings, as `demos.speech.corpora` describes it.

    Training strings are a function of `(seed, epoch, index)`; all others never change.

    Args:
        clips: the recordings.
        test_speaker: a speaker. The test strings are then made of the test recordings of this speaker alone, and
            training and validation strings of the other speakers' training and validation recordings. There is one more
            split, `"enrolment"`, of the other recordings of this speaker.
        name: the name of the corpus.

    Raises:
        UserError: the speaker is unknown.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, clips, test_speaker=None, name="spoken_digit"):
        if test_speaker is not None and test_speaker not in clips.speakers:
            known = ", ".join(clips.speakers)
            raise UserError(f"Expected a speaker of spoken_digit: {known}. Received: test_speaker={test_speaker!r}")
        self.name = name
        self.splits = tuple(split for split in SIZES if test_speaker or split != "enrolment")
        self._clips, self._test_speaker = clips, test_speaker

    def size(self, split):
        """The number of strings in a split (per epoch)."""
        return SIZES[split]

    def utterances(self, split, seed=0, epoch=0):
        """The strings of a split; `epoch` is an integer or a scalar integer tensor."""
        prefix = split
        if split == "train":
            key = tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
            prefix = tf.strings.join(["train", tf.strings.as_string(key[0]), tf.strings.as_string(key[1])], "-")
        else:
            key = tf.constant([_FIXED_KEYS[split], 0], tf.int64)
        speakers = tf.constant(self._speakers(split))

        def string(index):
            number = tf.strings.as_string(index, width=5, fill="0")
            made = compose(self._clips, speakers, RECORDINGS[split], tf.random.fold_in(key, index))
            return {"id": tf.strings.join([prefix, number], "-"), **made}

        return tf.data.Dataset.range(SIZES[split]).map(string, num_parallel_calls=tf.data.AUTOTUNE)

    def _speakers(self, split):
        """The numbers of the speakers of a split."""
        everybody = range(len(self._clips.speakers))
        if self._test_speaker is None:
            return list(everybody)
        of_them = split in _OF_THE_TEST_SPEAKER
        return [s for s in everybody if (self._clips.speakers[s] == self._test_speaker) == of_them]


def compose(clips, speakers, recordings, key):
    """One string of digits.

    Args:
        clips: the recordings.
        speakers: int32 `(n,)`, the speakers to draw from.
        recordings: a range, the recordings to draw from.
        key: int64 `(2,)`. The string depends on nothing else.

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


def load_clips(data_dir=None):
    """The recordings of TFDS's `spoken_digit`, which is downloaded and built on first use.

    Raises:
        UserError: there is no archive and no network.
    """
    recordings = {}
    for example in _builder(data_dir).as_dataset(split="train").as_numpy_iterator():
        digit, speaker, number = re.fullmatch(r"(\d)_(\w+)_(\d+)\.wav", example["audio/filename"].decode()).groups()
        recordings[speaker, int(digit), int(number)] = example["audio"].astype(np.int16)
    return pack(recordings)


def _builder(data_dir):
    import tensorflow_datasets as tfds

    from .prepare import prepare

    builder = tfds.builder("spoken_digit", data_dir=data_dir)
    prepare(builder, f"Put {ARCHIVE} into {builder._data_dir_root}/downloads/manual and try again.")
    return builder
