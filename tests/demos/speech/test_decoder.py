"""The search of the recogniser: its scores against what the model says of the same text when it is given."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from demos.speech.decoder import Decoder
from demos.speech.decoding import DecodingConfig
from demos.speech.errors import UserError
from demos.speech.recognition import recognise, transcriber
from tests.demos.speech.small_model import batch, make, sound

SOUNDS = [sound(seconds, seed=i) for i, seconds in enumerate([1.3, 0.4, 0.9])]


@pytest.fixture(scope="module")
def model():
    """A small model whose attention leaps about, and which comes to an end."""
    model = make()
    model.speller.classify.bias.assign(3.0 * np.eye(len(model.vocabulary))[model.vocabulary.end])
    for weight in model.speller.rnn.cell.attentions[0].trainable_variables:
        weight.assign(3 * weight)
    return model


@functools.cache
def search(model, language_models=(), **settings):
    """What the decoder returns for the three sounds, as arrays; texts of some length, unless the settings say more."""
    settings = {"beam_width": 4, "n_best": 4, "length_normalization": 0.5, "min_length_ratio": 0.4, **settings}
    output = transcriber(model, DecodingConfig(**settings), language_models)(*batch(SOUNDS))
    return {name: value.numpy() for name, value in output.items()}


def said_by_the_model(model, tokens):
    """Log probabilities that the model gives to a text of the first sound: of each token and the end; of all by CTC."""
    waveform, num_samples = batch(SOUNDS[:1])
    inputs = {"waveform": waveform, "num_samples": num_samples, "tokens": tokens[None]}
    inputs["num_tokens"] = np.array([len(tokens)])
    output = model(inputs, training=False)
    log_probs = keras.ops.convert_to_numpy(keras.ops.log_softmax(output["logits"][0]))
    attention = log_probs[np.arange(len(tokens) + 1), [*tokens, model.vocabulary.end]]
    frames = np.asarray(output["mask"]).sum(axis=1)
    ctc = keras.ops.ctc_loss(tokens[None], output["ctc_logits"], inputs["num_tokens"], frames, mask_index=1)
    return attention, -float(ctc[0])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_the_score_is_that_of_speller_and_ctc(model, share):
    found = search(model, ctc_weight=share)
    tokens = found["tokens"][0, : found["num_tokens"][0]]
    assert found["ended"][0] and len(tokens) > 2
    attention, ctc = said_by_the_model(model, tokens)
    expected = ((1 - share) * attention.sum() + share * ctc) / np.sqrt(len(tokens) + 1)
    assert found["score"][0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_in_an_ensemble_the_mean_of_what_all_say_counts(model, share):
    models = (model, make(seed=2, units=12, delta_window=1, subtract_mean=False))
    found = search(models, ctc_weight=share)
    tokens = found["tokens"][0, : found["num_tokens"][0]]
    assert found["ended"][0] and len(tokens) > 2
    said = [said_by_the_model(one, tokens) for one in models]
    expected = np.mean([(1 - share) * attention.sum() + share * ctc for attention, ctc in said])
    assert found["score"][0] == pytest.approx(expected / np.sqrt(len(tokens) + 1), rel=1e-3)
    mass = found["alignment"][0].sum(axis=1)
    np.testing.assert_allclose(mass[: len(tokens)], 1, atol=1e-5)
    turned = search(models[::-1], ctc_weight=share)
    assert turned["text"].tolist() == found["text"].tolist()
    np.testing.assert_allclose(turned["score"], found["score"], rtol=1e-4)
    np.testing.assert_allclose(turned["alignment"], found["alignment"], atol=1e-4)


def test_an_ensemble_of_one_model_and_the_same_is_that_model(model):
    alone, twice = search(model, ctc_weight=0.3), search((model, model), ctc_weight=0.3)
    assert twice["n_best_text"].tolist() == alone["n_best_text"].tolist()
    for name in ("n_best_score", "alignment", "word_times", "word_confidence"):
        np.testing.assert_allclose(twice[name], alone[name], atol=1e-4)


def test_the_confidence_of_a_word_is_that_of_its_tokens(model):
    found = search(model, ctc_weight=0.3)
    attention, _ = said_by_the_model(model, found["tokens"][0, : found["num_tokens"][0]])
    ids = found["word_ids"][0, : found["num_tokens"][0]]
    words = found["num_words"][0]
    assert words > 0
    expected = [np.exp(attention[:-1][ids == number].mean()) for number in range(words)]
    np.testing.assert_allclose(found["word_confidence"][0, :words], expected, rtol=1e-3)


def test_ctc_changes_the_text(model):
    texts = {share: search(model, ctc_weight=share)["text"].tolist() for share in (0.0, 0.7)}
    assert texts[0.0] != texts[0.7]


def test_n_best_are_sorted_and_differ(model):
    found = search(model, ctc_weight=0.3)
    for texts, scores in zip(found["n_best_text"], found["n_best_score"], strict=True):
        assert len(set(texts.tolist())) == 4 and np.all(np.diff(scores) <= 0)
    np.testing.assert_array_equal(found["n_best_text"][:, 0], found["text"])


def test_lengths_are_ratios_of_the_frames(model):
    short = search(model, max_length_ratio=0.25, min_length_ratio=0.25)
    assert np.all(short["num_tokens"] <= np.ceil(0.25 * short["num_frames"]) + 1) and not short["ended"].all()
    long = search(model, ctc_weight=0.0)
    assert np.all(long["num_tokens"] >= np.ceil(0.4 * long["num_frames"]))


def test_rules_on_the_attention_reach_the_search(model):
    plain = search(model, ctc_weight=0.0)
    jumps = np.abs(np.diff(plain["alignment"][0, : plain["num_tokens"][0]].argmax(axis=1)))
    assert jumps.max(initial=0) > 1
    duration = model.frame_grid["frame_duration"]
    near = search(model, max_attention_shift=duration)
    assert near["n_best_text"].tolist() != plain["n_best_text"].tolist()
    assert search(model, coverage_penalty=1.0)["score"][0] < plain["score"][0]


class Uniform:
    """A language model that finds one token twice as probable as any other."""

    def __init__(self, size, token):
        odds = np.ones(size, "float32")
        odds[token] = 2
        self.log_probs = np.log(odds / odds.sum())

    def initial_state(self, batch):
        return keras.ops.zeros((batch,))

    def step(self, tokens, state):
        return keras.ops.tile(self.log_probs[None], (keras.ops.shape(tokens)[0], 1)), state


def test_a_language_model_has_its_say(model):
    token = model.vocabulary.encode("c")[0]
    plain = search(model, ctc_weight=0.0)["tokens"]
    fused = search(model, ((Uniform(len(model.vocabulary), token), 20.0),))["tokens"]
    assert np.sum(fused == token) > np.sum(plain == token) + 3


def test_nothing_to_hear_is_an_ended_text_of_no_words(model):
    ((_, transcript),) = recognise(transcriber(model, DecodingConfig(ctc_weight=0.3)), [{"audio": np.zeros(0)}])
    assert transcript.text == "" and transcript.ended and transcript.words == ()


@pytest.mark.parametrize("settings", [{"beam_width": 2, "n_best": 3}])
def test_settings_that_make_no_sense(settings):
    with pytest.raises(UserError, match="n_best of at most beam_width=2. Received: n_best=3"):
        DecodingConfig(**settings)


def test_favoured_phrases_have_their_say(model):
    decode = Decoder(model, DecodingConfig(phrase_bonus=3.0, min_length_ratio=0.4))
    plain, none, favoured = (
        decode(*batch(SOUNDS), phrases)["text"].numpy().tolist()
        for phrases in (None, tf.constant([], "string"), tf.constant(["ade", "cab"]))
    )
    assert plain == none
    assert sum(text.count(b"ade") + text.count(b"cab") for text in favoured) > sum(text.count(b"ade") for text in plain)
