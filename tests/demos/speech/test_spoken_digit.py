"""Strings of `spoken_digit`: who and what occurs in which split, of clips whose samples say which they are."""

import numpy as np
import pytest

from demos.speech.datasets.digit_strings import pack
from demos.speech.datasets.spoken_digit import RECORDINGS, load_clips, strings
from demos.speech.errors import UserError

SPEAKERS = ("george", "jackson", "theo")


@pytest.fixture(scope="module")
def clips():
    keys = [(speaker, digit, number) for speaker in SPEAKERS for digit in range(10) for number in range(50)]
    return pack({(*who, number): np.full(9, 100 + number, np.int16) for *who, number in keys})


def _numpy(corpus, split):
    return list(corpus.utterances(split).take(60).as_numpy_iterator())


@pytest.mark.parametrize("test_speaker", [None, "theo"])
def test_no_recording_of_one_split_occurs_in_another_of_the_same_speaker(clips, test_speaker):
    corpus = strings("spoken_digit", clips, test_speaker)
    for split in corpus.splits:
        heard = {sample - 100 for one in _numpy(corpus, split) for sample in one["audio"].tolist() if sample > 2}
        assert heard <= set(RECORDINGS[split])
    assert {split: corpus.size(split) for split in corpus.splits} == {
        **{"train": 2500, "validation": 250, "test": 250},
        **({"enrolment": 250} if test_speaker else {}),
    }


def test_a_test_speaker_is_heard_in_test_and_enrolment_alone(clips):
    corpus = strings("spoken_digit", clips, "theo")
    heard = {split: {element["speaker"] for element in _numpy(corpus, split)} for split in corpus.splits}
    others, theo = {b"george", b"jackson"}, {b"theo"}
    assert heard == {"train": others, "validation": others, "test": theo, "enrolment": theo}


def test_enrolment_has_other_strings_of_other_recordings_than_the_test(clips):
    corpus = strings("spoken_digit", clips, "theo")
    said, enrolled = ([one["text"] for one in _numpy(corpus, split)] for split in ("test", "enrolment"))
    assert not set(RECORDINGS["test"]) & set(RECORDINGS["enrolment"])
    assert np.mean([one in said for one in enrolled]) < 0.2  # short strings may occur in both


def test_an_unknown_speaker_is_a_user_error(clips):
    with pytest.raises(
        UserError, match=r"speaker of spoken_digit: george, jackson, theo. Received: test_speaker='bob'"
    ):
        strings("spoken_digit", clips, "bob")


def test_without_network_the_error_says_where_the_archive_goes(monkeypatch, tmp_path):
    import requests
    import tensorflow_datasets as tfds

    def fail(builder):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(UserError) as error:
        load_clips(tmp_path)
    assert str(error.value) == (
        "Cannot download spoken_digit. Put free-spoken-digit-dataset-1.0.9.tar.gz into "
        f"{tmp_path}/downloads/manual and try again."
    )
