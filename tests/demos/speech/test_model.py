"""The whole recogniser: learns tones, decodes as it was trained, saves and loads, and never hears padding."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from demos.speech import losses
from demos.speech.decoder import Decoder
from demos.speech.decoding import DecodingConfig
from demos.speech.recognition import transcriber
from demos.speech.training import make_model
from tests.demos.speech.tones import SAMPLE_RATE, TINY, VOCABULARY, batch_of, padded, tiny_model, tones

TEXTS = ["abc", "d", "ca db", "bbad"]
STEPS = 100
GREEDY = DecodingConfig(beam_width=1, ctc_weight=0.0)


INPUTS = {
    "waveform": tf.TensorSpec((None, None), "float32"),
    "num_samples": tf.TensorSpec((None,), "int32"),
    "tokens": tf.TensorSpec((None, None), "int32"),
    "num_tokens": tf.TensorSpec((None,), "int32"),
}


class Trained:
    """A model that knows four utterances by heart; `call` and `transcribe` are graphs for all shapes."""

    def __init__(self):
        keras.utils.set_random_seed(0)
        changes = {"listener": {"dropout": 0.0}, "speller": {"dropout": 0.0}, "spec_augment": {"frequency_width": 1}}
        config = TINY.replace(features={"scale_to_peak": True}, **changes)
        self.model = tiny_model(config, STEPS)
        batch = batch_of(TEXTS)
        self.model.normalization.adapt([self.model.features(batch["waveform"], batch["num_samples"])])
        data = tf.data.Dataset.from_tensors(batch).repeat()
        options = {"epochs": STEPS // 10, "steps_per_epoch": 10, "shuffle": False, "verbose": 0}
        self.history = self.model.fit(data, **options).history
        self.transcribe = transcriber(self.model, GREEDY)
        self.call = tf.function(self._call, [INPUTS])

    def _call(self, batch):
        for mean in self.model.loss_means.values():
            mean.reset_state()
        output = self.model(batch)
        loss = {"loss": self.model.compute_loss(batch, None, output)}
        return output | loss | {name: mean.result() for name, mean in self.model.loss_means.items()}


@pytest.fixture(scope="module")
def trained():
    return Trained()


def hear(transcribe, audios, most=None):
    """What `transcribe` gives for recordings; with `most` they are padded to that many samples with NaN."""
    waveform, num_samples = padded(audios)
    if most is not None:
        waveform = np.pad(waveform, [[0, 0], [0, most - waveform.shape[1]]])
        waveform = np.where(np.arange(most) < num_samples[:, None], waveform, np.float32("nan"))
    output = transcribe(waveform=tf.constant(waveform), num_samples=tf.constant(num_samples))
    return {name: value.numpy() for name, value in output.items()}


def numbers(outputs):
    return {name: np.asarray(value) for name, value in outputs.items()}


def test_learns_four_utterances_by_heart(trained):
    history = trained.history
    assert history["loss"][0] > history["loss"][2] > 2 * history["loss"][-1]
    assert history["accuracy"][-1] > 0.99
    assert [text.decode() for text in hear(trained.transcribe, map(tones, TEXTS))["text"]] == TEXTS


def test_the_level_changes_nothing(trained):
    waveform, num_samples = padded(map(tones, TEXTS))
    expected, quiet = (trained.transcribe(waveform * gain, num_samples) for gain in (1.0, np.float32(1e-4)))
    np.testing.assert_allclose(quiet["alignment"], expected["alignment"], atol=1e-3)
    assert quiet["text"].numpy().tolist() == expected["text"].numpy().tolist()


def test_the_search_is_greedy(trained):
    """`transcribe` against the most probable token of one step after another, from what was trained: `call`."""
    output = hear(trained.transcribe, map(tones, TEXTS))
    for i, text in enumerate(TEXTS):
        batch = batch_of([text])
        tokens, score = [], 0.0
        while len(tokens) < 20:
            batch["tokens"] = np.array([tokens], "int32").reshape(1, -1)
            log_probs = np.array(keras.ops.log_softmax(trained.call(batch)["logits"][0, -1]))
            log_probs[VOCABULARY.start] = -np.inf
            score += log_probs.max()
            if log_probs.argmax() == VOCABULARY.end:
                break
            tokens.append(int(log_probs.argmax()))
        assert output["tokens"][i, : output["num_tokens"][i]].tolist() == tokens
        np.testing.assert_array_equal(output["tokens"][i, output["num_tokens"][i] :], VOCABULARY.end)
        np.testing.assert_allclose(output["score"][i], score / (len(tokens) + 1), rtol=1e-3)


@pytest.mark.parametrize("beam_width", [1, 3])
def test_an_utterance_is_heard_alike_alone_and_in_a_batch(trained, beam_width):
    transcribe = (
        trained.transcribe
        if beam_width == 1
        else transcriber(trained.model, DecodingConfig(beam_width=beam_width, ctc_weight=0.0))
    )
    together = hear(transcribe, map(tones, TEXTS), most=9000)
    assert [text.decode() for text in together["text"]] == TEXTS
    for i, text in enumerate(TEXTS):
        alone = hear(transcribe, [tones(text)])
        assert alone["text"][0] == together["text"][i]
        np.testing.assert_allclose(alone["score"][0], together["score"][i], rtol=1e-4)
        steps, frames = alone["num_tokens"][0], alone["num_frames"][0]
        alignment = together["alignment"][i]
        np.testing.assert_allclose(alone["alignment"][0, :steps, :frames], alignment[:steps, :frames], atol=1e-5)
        np.testing.assert_array_equal(alignment[steps:], 0)
        np.testing.assert_array_equal(alignment[:, frames:], 0)
    assert transcribe.experimental_get_tracing_count() == 1


def test_what_is_in_the_padding_changes_nothing(trained):
    batch = batch_of(TEXTS)
    real = np.arange(batch["waveform"].shape[1]) < batch["num_samples"][:, None]
    clean = numbers(trained.call(batch))
    for junk in (np.nan, 1e3):
        changed = trained.call(batch | {"waveform": np.where(real, batch["waveform"], junk).astype("float32")})
        for name, value in numbers(changed).items():
            np.testing.assert_array_equal(value, clean[name])


def test_with_a_delta_window_only_changes_are_heard():
    """The colour of a voice or a line, the same in all frames, is none, and silence is all the same."""
    keras.utils.set_random_seed(0)
    model = tiny_model(TINY.replace(features={"subtract_mean": False, "delta_window": 2}))
    batch = batch_of(TEXTS)
    features, mask = model.features(batch["waveform"], batch["num_samples"])
    colour = np.linspace(-2, 2, features.shape[-1], dtype="float32")
    encoded, _ = model.listen(features, mask)
    coloured, _ = model.listen(features + colour, mask)
    np.testing.assert_allclose(coloured, encoded, atol=1e-5)
    assert np.std(encoded, axis=1).max() > 1e-2


def test_silence_and_nothing_at_all(trained):
    output = hear(trained.transcribe, [tones("abc"), np.zeros(4000, "int16"), np.zeros(0, "int16")])
    assert output["text"][0] == b"abc" and output["text"][2] == b""
    assert output["num_frames"].tolist()[2] == output["num_tokens"][2] == 0
    assert output["num_tokens"][1] <= output["num_frames"][1] + 1
    assert all(np.all(np.isfinite(value)) for name, value in output.items() if value.dtype != object)
    nothing = hear(trained.transcribe, [np.zeros(0, "int16")] * 2)
    assert nothing["text"].tolist() == [b"", b""]


def test_a_saved_model_is_the_same_to_the_last_bit(trained, tmp_path):
    trained.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model((tmp_path / "model.keras").rename(tmp_path / "moved.keras"))
    assert loaded.vocabulary == VOCABULARY
    assert json.dumps(loaded.get_config()) == json.dumps(trained.model.get_config())
    batch = batch_of(["ca"])
    for old, new in zip(trained.model(batch).values(), loaded(batch).values(), strict=True):
        np.testing.assert_array_equal(old, new)
    before, after = (hear(Decoder(model, GREEDY), [tones("ca")]) for model in (trained.model, loaded))
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    for old, new in zip(trained.model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_losses_of_a_batch(trained):
    batch = batch_of(TEXTS)
    output = numbers(trained.call(batch))
    targets = np.pad(batch["tokens"], [[0, 0], [0, 1]])
    real = np.arange(targets.shape[1]) <= batch["num_tokens"][:, None]
    speller = losses.smoothed_cross_entropy(targets, output["logits"], real, 0.1)
    frames = np.sum(output["mask"], axis=1)
    ctc = losses.ctc_per_token(batch["tokens"], batch["num_tokens"], output["ctc_logits"], frames, VOCABULARY.blank)
    np.testing.assert_allclose(output["speller_loss"], speller, rtol=1e-5)
    np.testing.assert_allclose(output["ctc_loss"], ctc, rtol=1e-5)
    np.testing.assert_allclose(output["loss"], 0.7 * speller + 0.3 * ctc, rtol=1e-5)
    np.testing.assert_allclose(output["accuracy"], losses.token_accuracy(targets, output["logits"], real), rtol=1e-5)
    assert {mean.name for mean in trained.model.metrics} == {"loss", "speller_loss", "ctc_loss", "accuracy"}


def test_guided_attention_costs_what_lies_away_from_the_diagonal(trained, monkeypatch):
    batch = batch_of(TEXTS)
    output = trained.model(batch)
    without = trained.model.compute_loss(batch, None, output)
    monkeypatch.setattr(trained.model, "guided_attention", 5.0)
    cost = []
    for alignment, steps, frames in zip(output["alignment"], batch["num_tokens"] + 1, output["mask"], strict=True):
        frames = np.sum(frames)
        away = np.arange(steps)[:, None] / steps - np.arange(frames) / frames
        cost.append(np.mean(alignment.numpy()[:steps, :frames] * (1 - np.exp(-((away / 0.4) ** 2) / 2))))
    loss = trained.model.compute_loss(batch, None, output)
    np.testing.assert_allclose(loss - without, 5 * np.mean(cost), rtol=1e-4)
    assert loss > without


@pytest.mark.parametrize("texts", [[""], ["", "ab"]])
def test_empty_texts_have_finite_losses(trained, texts):
    tokens, num_tokens = VOCABULARY.encode_tensor(texts)
    batch = batch_of(["ab"] * len(texts)) | {"tokens": tokens, "num_tokens": num_tokens}
    assert all(np.all(np.isfinite(value)) for value in numbers(trained.call(batch)).values())


def test_a_text_too_long_for_ctc_still_teaches_the_speller(trained):
    model, batch = trained.model, batch_of(["a"])
    batch["tokens"], batch["num_tokens"] = VOCABULARY.encode_tensor(["abcd" * 2])
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, None, model(batch, training=True))
    gradients = [np.asarray(tf.convert_to_tensor(x)) for x in tape.gradient(loss, model.trainable_variables)]
    assert np.isfinite(loss) and all(np.all(np.isfinite(gradient)) for gradient in gradients)
    ctc = {id(variable) for variable in model.ctc.trainable_variables}
    for gradient, variable in zip(gradients, model.trainable_variables, strict=True):
        assert np.any(gradient) != (id(variable) in ctc)


@pytest.mark.parametrize(("sample_rate", "stack", "levels"), [(8000, 2, 2), (22050, 3, 1), (11025, 1, 3)])
def test_frame_times_are_the_middles_of_what_a_frame_has_heard(sample_rate, stack, levels):
    config = TINY.replace(listener={"stack": stack, "levels": levels})
    model = make_model(config, VOCABULARY, sample_rate, steps=1)
    hop, window, joined = round(0.010 * sample_rate), round(0.025 * sample_rate), stack * 2 ** (levels - 1)
    first = np.arange(50) * joined * hop
    last = first + (joined - 1) * hop + window
    np.testing.assert_allclose(model.frame_times(50), (first + last) / 2 / sample_rate, rtol=1e-5)
    assert model.frame_times(0).shape == (0,)


def test_a_click_is_where_its_frame_time_says(trained):
    click = np.zeros(SAMPLE_RATE, "float32")
    click[4000] = 1
    mel, _ = trained.model.log_mel(click[None], np.array([SAMPLE_RATE]))
    loud = np.asarray(mel).mean(-1)[0] - np.asarray(mel).min()
    joined = np.add.reduceat(loud, np.arange(0, len(loud), 4))
    times = np.asarray(trained.model.frame_times(len(joined)))
    assert abs((times * joined).sum() / joined.sum() - 0.5) < 0.01
