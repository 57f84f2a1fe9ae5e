"""The speller: all steps at once equal one step at a time, and what is padded is not heard."""

import json

import keras
import numpy as np
import pytest

from demos.speech.speller import Speller

SIZES = {"vocabulary_size": 7, "embedding": 4, "units": 6}


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    mask = np.arange(9) < np.array([[9], [4], [0]])
    encoded = random.normal(size=(3, 9, 5)).astype("float32")
    return random.integers(0, 7, (3, 8)).astype("int32"), np.where(mask[..., None], encoded, np.nan), mask


@pytest.mark.parametrize(
    ("scorer", "alignment", "levels"),
    [
        ("location_aware", "softmax", 1),
        ("additive", "sigmoid_smoothing", 3),
        ("dot", "softmax", 2),
        ({"class_name": "keras_attn>MultiHead", "config": {"scorer": "additive", "heads": 5}}, "softmax", 1),
    ],
)
def test_all_steps_at_once_equal_one_at_a_time(batch, scorer, alignment, levels):
    tokens, encoded, mask = batch
    units = 5 if scorer == "dot" else 6
    speller = Speller(7, 4, units, scorer=scorer, alignment=alignment, levels=levels)
    logits, alignments = speller(tokens, encoded, mask)
    assert logits.shape == (3, 8, 7) and alignments.shape == (3, 8, 9)
    memory, state = speller.start(encoded, mask)
    for i in range(8):
        log_probs, state = speller.step(tokens[:, i], state, memory)
        np.testing.assert_allclose(log_probs, keras.ops.log_softmax(logits[:, i]), atol=1e-5)
        np.testing.assert_allclose(speller.alignment_of(state), alignments[:, i], atol=1e-6)


def test_the_alignment_lies_on_what_is_real(batch):
    tokens, encoded, mask = batch
    logits, alignment = Speller(**SIZES)(tokens, encoded, mask)
    assert np.all(np.isfinite(logits))
    np.testing.assert_allclose(np.sum(alignment, axis=-1), np.repeat(mask.any(1, keepdims=True), 8, 1), atol=1e-5)
    np.testing.assert_array_equal(np.asarray(alignment)[~np.repeat(mask[:, None], 8, 1)], 0)


def test_later_tokens_are_not_seen(batch):
    tokens, encoded, mask = batch
    speller = Speller(**SIZES)
    changed = np.where(np.arange(8) < 5, tokens, (tokens + 1) % 7)
    first, second = (speller(x, encoded, mask)[0] for x in (tokens, changed))
    np.testing.assert_array_equal(first[:, :5], second[:, :5])
    assert np.all(np.any(first[:, 5:] != second[:, 5:], axis=-1))


def test_dropout_in_training_only(batch):
    speller = Speller(**SIZES, dropout=0.5)
    quiet = [speller(*batch, training=training)[0] for training in (False, None)]
    np.testing.assert_allclose(*quiet, atol=1e-6)
    assert np.any(speller(*batch, training=True)[0] != quiet[0])


def test_the_configuration_makes_the_same_speller(batch):
    scorer = {"class_name": "keras_attn>LocationAware", "config": {"filters": 3, "kernel_size": 5}}
    speller = Speller(**SIZES, dropout=0.1, scorer=scorer, levels=2, name="pen")
    logits, _ = speller(*batch)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(speller)))
    other = keras.saving.deserialize_keras_object(config)
    assert other.get_config() == speller.get_config()
    other(*batch)
    other.set_weights(speller.get_weights())
    np.testing.assert_array_equal(other(*batch)[0], logits)
