"""TFDS's `spoken_digit`, the Free Spoken Digit Dataset (8 kHz, five speakers), as strings of digits.

The recordings 0 to 4 of each speaker and digit are the official test set and occur in test strings only; 45 to 49 occur
in validation strings only, and 5 to 44 in training strings.
"""

import re

import numpy as np

from ..errors import UserError
from .digit_strings import DigitStrings, Part, pack

RECORDINGS = {"train": range(5, 45), "validation": range(45, 50), "test": range(5), "enrolment": range(5, 50)}
ARCHIVE = "free-spoken-digit-dataset-1.0.9.tar.gz"
_SIZES = {"train": 2500, "validation": 250, "test": 250, "enrolment": 250}
_KEYS = {"train": None, "validation": 1, "test": 2, "enrolment": 3}
_OF_THE_TEST_SPEAKER = ("test", "enrolment")


def strings(name, clips, test_speaker=None):
    """The corpus.

    Args:
        name: the name of the corpus.
        clips: the recordings.
        test_speaker: a speaker. The test strings are then made of the test recordings of this speaker alone, and
            training and validation strings of the other speakers' training and validation recordings. There is one more
            split, `"enrolment"`, of the other recordings of this speaker.

    Raises:
        UserError: the speaker is unknown.
    """
    if test_speaker is not None and test_speaker not in clips.speakers:
        known = ", ".join(clips.speakers)
        raise UserError(f"Expected a speaker of spoken_digit: {known}. Received: test_speaker={test_speaker!r}")
    parts = {}
    for split, size in _SIZES.items():
        speakers = clips.speakers
        if test_speaker is not None:
            held_out = split in _OF_THE_TEST_SPEAKER
            speakers = tuple(one for one in speakers if (one == test_speaker) == held_out)
        if test_speaker or split != "enrolment":
            parts[split] = Part(size, speakers, RECORDINGS[split], _KEYS[split])
    return DigitStrings(name, clips, parts)


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
