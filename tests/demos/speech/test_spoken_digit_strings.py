"""Strings of spoken digits, composed of made-up clips whose samples say which clip they are."""

import numpy as np
import pytest
import tensorflow as tf

from demos.speech.datasets import spoken_digit_strings
from demos.speech.datasets.spoken_digit_strings import DIGITS, MAX_SILENCE, RECORDINGS, SAMPLE_RATE, Strings, pack
from demos.speech.errors import UserError

SPEAKERS = ("george", "jackson", "theo")


def _value(speaker, digit, number):
    """The value of all samples of a clip."""
    return 1000 + SPEAKERS.index(speaker) * 500 + digit * 50 + number


@pytest.fixture(scope="module")
def clips():
    return pack(
        {
            (speaker, digit, number): np.full(200 + 7 * digit + number, _value(speaker, digit, number), np.int16)
            for speaker in SPEAKERS
            for digit in range(10)
            for number in range(50)
        }
    )


def _numpy(corpus, split, count=60, **arguments):
    return list(corpus.utterances(split, **arguments).take(count).as_numpy_iterator())


def _samples(seconds):
    return round(float(seconds) * SAMPLE_RATE)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_clips_are_where_the_words_say_and_silence_is_around_them(clips, split):
    for element in _numpy(Strings(clips), split):
        words = element["text"].decode().split()
        assert 3 <= len(words) <= 7
        assert [word.decode() for word in element["words"]["text"]] == words
        assert element["audio"].dtype == np.int16
        assert element["words"]["start"].dtype == element["words"]["end"].dtype == np.float32
        end = 0
        for word, *times in zip(words, element["words"]["start"], element["words"]["end"], strict=True):
            start, (silence_start, end) = _samples(times[0]), (end, _samples(times[1]))
            assert 0 <= start - silence_start <= MAX_SILENCE
            assert np.abs(element["audio"][silence_start:start]).max(initial=0) <= 2
            (value,) = set(element["audio"][start:end].tolist())
            digit, number = DIGITS.index(word), (value - 1000) % 50
            assert value == _value(element["speaker"].decode(), digit, number)
            assert number in RECORDINGS[split]
            assert end - start == 200 + 7 * digit + number
        assert 0 <= len(element["audio"]) - end <= MAX_SILENCE
        assert np.abs(element["audio"][end:]).max(initial=0) <= 2


def test_sizes_speakers_and_distinct_names(clips):
    corpus = Strings(clips)
    assert (corpus.name, corpus.sample_rate, corpus.splits) == ("spoken_digit", 8000, ("train", "validation", "test"))
    elements = _numpy(corpus, "test", count=-1)
    assert len(elements) == corpus.size("test") == 250
    assert len({element["id"] for element in elements}) == 250
    assert {element["speaker"].decode() for element in elements} == set(SPEAKERS)
    assert {len(element["words"]["text"]) for element in elements} == {3, 4, 5, 6, 7}


def _same(first, second):
    flat = [tf.nest.flatten(elements) for elements in (first, second)]
    return len(flat[0]) == len(flat[1]) and all(map(np.array_equal, *flat))


def test_training_strings_depend_on_seed_and_epoch_alone(clips):
    corpus = Strings(clips)
    first = _numpy(corpus, "train", count=9, seed=3, epoch=5)
    assert _same(first, _numpy(Strings(clips), "train", count=9, seed=3, epoch=5))
    for other in ({"seed": 3, "epoch": 6}, {"seed": 4, "epoch": 5}):
        texts = [element["text"] for element in _numpy(corpus, "train", count=9, **other)]
        assert texts != [element["text"] for element in first]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_validation_and_test_strings_never_change(clips, split):
    assert _same(_numpy(Strings(clips), split, 9), _numpy(Strings(clips), split, 9, seed=7, epoch=2))


def test_the_epoch_may_be_a_variable_read_inside_the_graph(clips):
    corpus, epoch = Strings(clips), tf.Variable(0, dtype=tf.int64)
    pipeline = tf.data.Dataset.range(1).flat_map(
        lambda _: corpus.utterances("train", seed=1, epoch=epoch.read_value()).take(5)
    )
    for number in (0, 1):
        epoch.assign(number)
        assert _same(list(pipeline.as_numpy_iterator()), _numpy(corpus, "train", count=5, seed=1, epoch=number))


def test_a_test_speaker_is_heard_in_test_and_enrolment_alone(clips):
    corpus = Strings(clips, test_speaker="theo")
    heard = {split: {element["speaker"] for element in _numpy(corpus, split)} for split in corpus.splits}
    others, theo = {b"george", b"jackson"}, {b"theo"}
    assert heard == {"train": others, "validation": others, "test": theo, "enrolment": theo}


def test_enrolment_has_other_strings_of_other_recordings_than_the_test(clips):
    corpus = Strings(clips, test_speaker="theo")
    said, enrolled = ([one["text"] for one in _numpy(corpus, split)] for split in ("test", "enrolment"))
    assert not set(RECORDINGS["test"]) & set(RECORDINGS["enrolment"])
    assert np.mean([one in said for one in enrolled]) < 0.2  # short strings may occur in both


def test_an_unknown_speaker_is_a_user_error(clips):
    with pytest.raises(
        UserError, match=r"speaker of spoken_digit: george, jackson, theo. Received: test_speaker='bob'"
    ):
        Strings(clips, test_speaker="bob")


def test_without_network_the_error_says_where_the_archive_goes(monkeypatch, tmp_path):
    import requests
    import tensorflow_datasets as tfds

    def fail(builder):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(UserError) as error:
        spoken_digit_strings.load_clips(tmp_path)
    assert str(error.value) == (
        "Cannot download spoken_digit. Put free-spoken-digit-dataset-1.0.9.tar.gz into "
        f"{tmp_path}/downloads/manual and try again."
    )
