"""Batches: full, of like lengths, a pure function of seed and epoch, and of one kind for the graph."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

from demos.speech import pipeline
from demos.speech.pipeline import TrainingBatches, bucket_boundaries, evaluation_batches
from tests.demos.speech.tones import TINY, VOCABULARY, Tones, random_texts, tones

NEUTRAL = TINY.replace(
    edge_silence=None, augmentation={"speed": (1.0, 1.0), "snr_db": (200.0, 200.0), "gain_db": (0.0, 0.0)}
)


def epoch(batches, number):
    batches.epoch = number
    return list(batches.dataset.as_numpy_iterator())


def same(first, second):
    flat = [tf.nest.flatten(batches) for batches in (first, second)]
    return len(flat[0]) == len(flat[1]) and all(map(np.array_equal, *flat))


def texts(batches):
    return [
        VOCABULARY.decode(tokens[:length])
        for batch in batches
        for tokens, length in zip(batch["tokens"], batch["num_tokens"], strict=True)
    ]


@pytest.fixture(scope="module")
def corpus():
    return Tones(random_texts(50, lengths=(1, 9)), random_texts(11))


@pytest.fixture(scope="module")
def batches(corpus):
    return TrainingBatches(corpus, VOCABULARY, TINY)


def test_an_epoch_is_a_pure_function_of_seed_and_number(corpus, batches):
    first, second = epoch(batches, 0), epoch(batches, 1)
    assert not same(first, second)
    assert sorted(texts(first)) != texts(first) != texts(second)
    other = TrainingBatches(corpus, VOCABULARY, TINY)
    assert same(second, epoch(other, 1)) and same(first, epoch(batches, 0))
    assert not same(first, epoch(TrainingBatches(corpus, VOCABULARY, TINY.replace(training={"seed": 4})), 0))


def test_an_epoch_does_not_depend_on_what_was_drawn_before(batches):
    first = epoch(batches, 0)
    keras.random.uniform((3,))
    tf.random.uniform((3,))
    np.random.random(3)
    next(iter(batches.dataset))
    assert same(first, epoch(batches, 0))


def test_batches_are_full_and_each_utterance_comes_about_once():
    corpus = Tones(random_texts(500, lengths=(3, 6)))
    batches = TrainingBatches(corpus, VOCABULARY, TINY)
    assert len(batches.dataset) == batches.steps == 125
    counts = collections.Counter(texts(epoch(batches, 0)))
    assert sum(counts.values()) == 500
    expected = collections.Counter(corpus.texts["train"])
    # At most `batch_size - 1` are left over in each bucket.
    assert (expected - counts).total() <= pipeline.BUCKETS * 3


def test_a_batch_is_what_the_model_takes(batches):
    for batch in epoch(batches, 0):
        assert {name: value.dtype for name, value in batch.items()} == {
            "waveform": "float32", "num_samples": "int32", "tokens": "int32", "num_tokens": "int32",
        }  # fmt: skip
        assert {len(value) for value in batch.values()} == {4}
        assert batch["waveform"].shape[1] == batch["num_samples"].max()
        assert batch["tokens"].shape[1] == batch["num_tokens"].max()
        padding = np.arange(batch["waveform"].shape[1]) >= batch["num_samples"][:, None]
        assert not batch["waveform"][padding].any() and np.abs(batch["waveform"]).max() <= 1


@pytest.mark.parametrize(("config", "changed"), [(NEUTRAL, False), (TINY, True)], ids=["off", "on"])
def test_augmentation_can_be_turned_off(corpus, config, changed):
    batches = epoch(TrainingBatches(corpus, VOCABULARY, config), 0)
    pairs = [pair for batch in batches for pair in zip(batch["waveform"], batch["num_samples"], strict=True)]
    for (waveform, length), text in zip(pairs, texts(batches), strict=True):
        original = tones(text) / 32768
        assert changed == (length != len(original) or np.abs(waveform[:length] - original).max() > 1e-4)


def test_words_are_cut_short(corpus):
    whole = {text: len(tones(text)) for text in corpus.texts["train"]}
    batches = epoch(TrainingBatches(corpus, VOCABULARY, NEUTRAL.replace(word_cut=0.9)), 0)
    lengths = np.concatenate([batch["num_samples"] for batch in batches])
    shares = np.array([length / whole[text] for length, text in zip(lengths, texts(batches), strict=True)])
    assert np.all(shares <= 1) and np.all(shares >= 0.5) and 0.7 < np.mean(shares) < 0.95


def test_batches_hold_like_lengths():
    corpus = Tones(random_texts(200, lengths=(1, 13)))
    lengths = [batch["num_samples"] for batch in epoch(TrainingBatches(corpus, VOCABULARY, NEUTRAL), 0)]
    assert bucket_boundaries(corpus) == sorted(bucket_boundaries(corpus))
    spread = np.mean([length.max() - length.min() for length in lengths])
    assert spread < np.ptp(np.concatenate(lengths)) / 3


@pytest.mark.parametrize(("count", "batch_size"), [(1, 4), (5, 4), (4, 16)])
def test_corpora_of_few_utterances(count, batch_size):
    corpus = Tones(random_texts(count), random_texts(count))
    batches = TrainingBatches(corpus, VOCABULARY, TINY.replace(training={"batch_size": batch_size}))
    assert [len(batch["tokens"]) for batch in epoch(batches, 0)] == [batch_size] * -(-count // batch_size)
    validation = evaluation_batches(corpus, "validation", VOCABULARY, batch_size)
    assert sorted(texts(validation.as_numpy_iterator())) == sorted(corpus.texts["validation"])


def test_evaluation_has_each_utterance_once_and_as_it_is(corpus):
    batches = list(evaluation_batches(corpus, "validation", VOCABULARY, 4).as_numpy_iterator())
    assert sorted(texts(batches)) == sorted(corpus.texts["validation"])
    assert all(len(batch["tokens"]) <= 4 for batch in batches)
    batch = batches[0]
    audio = batch["waveform"][0][: batch["num_samples"][0]]
    np.testing.assert_array_equal(audio, tones(texts([batch])[0]).astype("float32") / 32768)


def test_batches_are_of_one_kind_for_the_graph(corpus, batches):
    validation = evaluation_batches(corpus, "validation", VOCABULARY, 4)
    assert batches.dataset.element_spec == validation.element_spec
    assert len(validation) == len(list(validation))
    shapes = {batch["waveform"].shape for number in (0, 1) for batch in epoch(batches, number)}
    assert len(shapes) > pipeline.BUCKETS
    assert batches.dataset.element_spec["waveform"].shape.as_list() == [None, None]
