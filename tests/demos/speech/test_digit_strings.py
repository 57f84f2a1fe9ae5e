"""Strings of spoken digits, composed of made-up clips whose samples say which clip they are."""

import numpy as np
import pytest
import tensorflow as tf

from demos.speech.datasets.digit_strings import DIGITS, MAX_SILENCE, SAMPLE_RATE, DigitStrings, Part, pack

SPEAKERS = ("george", "jackson", "theo")
PARTS = {
    "train": Part(2500, SPEAKERS, range(3, 7)),
    "validation": Part(90, SPEAKERS[:1], range(1, 3), key=1),
    "test": Part(250, SPEAKERS, range(1), key=2),
}


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
            for number in range(7)
        }
    )


def _corpus(clips):
    return DigitStrings("digits", clips, PARTS)


def _numpy(corpus, split, count=60, **arguments):
    return list(corpus.utterances(split, **arguments).take(count).as_numpy_iterator())


def _samples(seconds):
    return round(float(seconds) * SAMPLE_RATE)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_clips_are_where_the_words_say_and_silence_is_around_them(clips, split):
    for element in _numpy(_corpus(clips), split):
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
            assert number in PARTS[split].recordings
            assert element["speaker"].decode() in PARTS[split].speakers
            assert end - start == 200 + 7 * digit + number
        assert 0 <= len(element["audio"]) - end <= MAX_SILENCE
        assert np.abs(element["audio"][end:]).max(initial=0) <= 2


def test_sizes_speakers_and_distinct_names(clips):
    corpus = _corpus(clips)
    assert (corpus.name, corpus.sample_rate, corpus.splits) == ("digits", 8000, ("train", "validation", "test"))
    elements = _numpy(corpus, "test", count=-1)
    assert len(elements) == corpus.size("test") == 250
    assert len({element["id"] for element in elements}) == 250
    assert {element["speaker"].decode() for element in elements} == set(SPEAKERS)
    assert {len(element["words"]["text"]) for element in elements} == {3, 4, 5, 6, 7}


def _same(first, second):
    flat = [tf.nest.flatten(elements) for elements in (first, second)]
    return len(flat[0]) == len(flat[1]) and all(map(np.array_equal, *flat))


def test_training_strings_depend_on_seed_and_epoch_alone(clips):
    corpus = _corpus(clips)
    first = _numpy(corpus, "train", count=9, seed=3, epoch=5)
    assert _same(first, _numpy(_corpus(clips), "train", count=9, seed=3, epoch=5))
    for other in ({"seed": 3, "epoch": 6}, {"seed": 4, "epoch": 5}):
        texts = [element["text"] for element in _numpy(corpus, "train", count=9, **other)]
        assert texts != [element["text"] for element in first]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_validation_and_test_strings_never_change(clips, split):
    assert _same(_numpy(_corpus(clips), split, 9), _numpy(_corpus(clips), split, 9, seed=7, epoch=2))


def test_the_epoch_may_be_a_variable_read_inside_the_graph(clips):
    corpus, epoch = _corpus(clips), tf.Variable(0, dtype=tf.int64)
    pipeline = tf.data.Dataset.range(1).flat_map(
        lambda _: corpus.utterances("train", seed=1, epoch=epoch.read_value()).take(5)
    )
    for number in (0, 1):
        epoch.assign(number)
        assert _same(list(pipeline.as_numpy_iterator()), _numpy(corpus, "train", count=5, seed=1, epoch=number))


def test_recordings_may_be_made_quieter_each_by_itself(clips):
    quiet = DigitStrings("digits", clips, {"train": PARTS["train"]._replace(quieter=12.0)})
    levels = []
    for one, other in zip(_numpy(quiet, "train"), _numpy(_corpus(clips), "train"), strict=True):
        assert _same([{**one, "audio": 0}], [{**other, "audio": 0}]) and one["audio"].dtype == np.int16
        end = 0
        for times in zip(one["words"]["start"], one["words"]["end"], strict=True):
            silence, (start, end) = end, map(_samples, times)
            assert np.array_equal(one["audio"][silence:start], other["audio"][silence:start])
            levels.append(20 * np.log10(one["audio"][start] / other["audio"][start]))
            assert len(set(one["audio"][start:end])) == 1
        assert np.array_equal(one["audio"][end:], other["audio"][end:])
    assert -12.05 < min(levels) < -11 and -1 < max(levels) <= 0 and abs(np.mean(levels) + 6) < 0.7
