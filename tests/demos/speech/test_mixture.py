"""Corpora to train on together."""

import collections

import numpy as np
import pytest

from demos.speech import corpora, pipeline
from demos.speech.datasets.mixture import Mixture
from tests.demos.speech.tones import TINY, VOCABULARY, Tones, random_texts

FIRST, OTHER = random_texts(20, seed=1), random_texts(60, seed=2)


@pytest.fixture
def mixture():
    other = Tones(OTHER, ["a"])
    other.name, other.sample_rate = "other", 2 * other.sample_rate
    return Mixture([Tones(FIRST, ["b", "c"]), other])


def texts(corpus, split, **options):
    return [one["text"].decode() for one in corpus.utterances(split, **options).as_numpy_iterator()]


def test_all_utterances_to_train_on_and_the_others_of_the_first(mixture):
    assert sorted(texts(mixture, "train")) == sorted(FIRST + OTHER) and mixture.size("train") == 80
    assert texts(mixture, "validation") == ["b", "c"] and mixture.size("validation") == 2
    assert texts(mixture, "train") == texts(mixture, "train")


def test_they_are_mixed_evenly(mixture):
    counts = collections.Counter(text in set(FIRST) for text in texts(mixture, "train")[:40])
    assert 4 <= counts[True] <= 18


def test_what_the_others_say_has_the_sample_rate_of_the_first(mixture):
    own = {one["text"]: one["audio"] for one in Tones(OTHER, ["a"]).utterances("train").as_numpy_iterator()}
    heard = {one["text"]: one["audio"] for one in mixture.utterances("train").as_numpy_iterator()}
    for text, audio in own.items():
        assert heard[text].dtype == np.int16
        assert abs(2 * len(heard[text]) - len(audio)) <= 1 or text.decode() in FIRST


def test_only_the_words_of_the_first_have_times(mixture):
    utterances = list(mixture.utterances("train").as_numpy_iterator())
    timed = [one for one in utterances if len(one["words"]["start"])]
    assert sorted(one["text"].decode() for one in timed) == sorted(FIRST)
    assert all(len(one["words"]["end"]) == len(one["text"].split()) for one in timed)


def test_a_mixture_makes_batches(mixture):
    batches = pipeline.TrainingBatches(mixture, VOCABULARY, TINY)
    batches.epoch = 1
    assert sum(len(batch["num_tokens"]) for batch in batches.dataset) == batches.steps * TINY.training.batch_size


def test_a_mixture_by_its_name(monkeypatch, mixture):
    first, other = mixture._corpora
    monkeypatch.setitem(corpora._CORPORA, "first", lambda name, data_dir, voice=None: first)
    monkeypatch.setitem(corpora._CORPORA, "other", lambda name, data_dir: other)
    assert corpora.options_of("first+other") == ["voice"]
    assert corpora.get("first+other", voice="any").size("train") == 80
