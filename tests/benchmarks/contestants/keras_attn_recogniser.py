"""Our recogniser, on TensorFlow: a step of its training, and what is exported of it."""

import tempfile

import keras
import numpy as np
import tensorflow as tf
from contestants.differentiate import normal, versions

from demos.speech.decoding import DecodingConfig
from demos.speech.export import exportable, without_cudnn
from demos.speech.model import ListenAttendSpell
from demos.speech.text import Vocabulary

__all__ = ["decoding", "features", "training_step", "versions"]

_FIRST_CHARACTER = 0x4E00  # of twenty thousand in a row that have no other form


def _model(bands, units, lstm, vocabulary):
    characters = "".join(chr(_FIRST_CHARACTER + number) for number in range(vocabulary - len(Vocabulary.specials)))
    features, listener = {"sample_rate": 16000, "bands": bands}, {"stack": 1, "levels": 2, "join": 2, "units": units}
    return ListenAttendSpell(Vocabulary(characters), features, listener, {"units": lstm, "embedding": 64})


def training_step(batch, frames, bands, units, lstm, length, vocabulary, until=None):
    """From features to new weights, or until a part is done: "listener", "speller", "losses" or "gradients"."""
    model = _model(bands, units, lstm, vocabulary)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    features, real = normal(batch, frames, bands), tf.ones((batch, frames), "bool")
    tokens = tf.constant(np.random.default_rng(0).integers(2, vocabulary, (batch, length)), "int32")
    start = tf.fill((batch, 1), model.vocabulary.start)
    targets = {"tokens": tokens, "num_tokens": tf.fill((batch,), length)}

    def forward(features):
        encoded, mask = model.listener(features, real, training=True)
        if until == "listener":
            return encoded
        logits, alignment = model.speller(tf.concat([start, tokens], 1), encoded, mask, training=True)
        if until == "speller":
            return logits
        outputs = {"logits": logits, "alignment": alignment, "ctc_logits": model.ctc(encoded), "mask": mask}
        return model.compute_loss(targets, None, outputs)

    @tf.function
    def step(features):
        if until in ("listener", "speller", "losses"):
            return forward(features)
        with tf.GradientTape() as tape:
            loss = forward(features)
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        if until == "gradients":
            return gradients
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return lambda: tf.nest.map_structure(np.asarray, step(features))


def features(batch, frames, bands, units, lstm, vocabulary):
    """From waveforms to features."""
    model = _model(bands, units, lstm, vocabulary)
    samples = _samples(model, frames)
    waveform, num_samples = 0.1 * normal(batch, samples), tf.fill((batch,), samples)
    hear = tf.function(model.hear)
    return lambda: hear(waveform, num_samples)[0].numpy()


def decoding(batch, frames, bands, units, lstm, steps, vocabulary, beam_width, jit_compile=False):
    """The SavedModel, from waveforms to texts of so many tokens, which the limits of length enforce."""
    model = _model(bands, units, lstm, vocabulary)
    # The limit is a share of the encoder frames, rounded up, and one more for the end.
    ratio = (steps - 1.2) / (frames / 2)
    limits = {"min_length_ratio": ratio, "max_length_ratio": ratio, "ctc_weight": 0.0}
    module = exportable(
        [without_cudnn(model)], DecodingConfig(beam_width=beam_width, **limits), jit_compile=jit_compile
    )
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, {"serving_default": module.transcribe})
        loaded = tf.saved_model.load(folder)
    samples = _samples(model, frames)
    waveform, num_samples = 0.1 * normal(batch, samples), tf.fill((batch,), samples)
    result = loaded.transcribe(waveform, num_samples)
    heard, said = result["alignment"].shape[2], result["alignment"].shape[1]
    if (heard, said) != (frames // 2, steps):
        raise ValueError(f"Expected {frames // 2} encoder frames and {steps} steps. Received: {heard} and {said}")
    return lambda: loaded.transcribe(waveform, num_samples)["text"].numpy()


def _samples(model, frames):
    """The shortest waveform of so many frames."""
    for samples in range(160 * (frames - 4), 160 * (frames + 4), 80):
        _, mask = model.log_mel(tf.zeros((1, samples)), tf.constant([samples]))
        if int(tf.reduce_sum(tf.cast(mask, "int32"))) == frames:
            return samples
    raise ValueError(f"Expected a waveform of {frames} frames. Received: none")
