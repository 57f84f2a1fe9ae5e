"""Draws the alignment of every scorer and alignment function on one utterance, for the pages of this folder.

    python docs/draw_alignments.py [NAME ...]

An encoder learns to read spoken digits with CTC alone and is then frozen. On top of it, each member gets a decoder of
its own with the same sizes, data, seed and number of steps (teacher forcing), and is drawn on the same test utterance,
with the true times of the words. What is drawn is what a member makes of a few hundred steps, not what it can be
trained to. About 20 minutes on two cores; a drawing that exists is kept, unless it is named.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

import keras
import numpy as np
from keras import ops

from demos.speech import corpora, losses
from demos.speech.features import LogMel
from demos.speech.listener import Listener
from demos.speech.normalization import subtract_mean
from demos.speech.text import Vocabulary
from keras_attn import Attention, AttentionCell, AttentionRNN, alignments, plot_alignment, scorers

DATASET, UTTERANCES, BATCH, SEED = "synthetic_speech/digits", 2000, 32, 0
ENCODER_STEPS, DECODER_STEPS = 300, 300
HOP = 0.010

# A scorer is drawn with softmax, an alignment function with the additive scorer, but for those that ask for another.
SCORERS = {name: (name, "softmax") for name in scorers.registry.members}
ALIGNMENTS = {name: ("additive", name) for name in alignments.registry.members}
EXCEPTIONS = {"exponential": ("gaussian_mixture", "exponential")}
MEMBERS = {**SCORERS, **ALIGNMENTS, **EXCEPTIONS}


def load(corpus, split, count, vocabulary):
    """Log-mel features, tokens (ended by 0) and the words of the first utterances of a split."""
    log_mel = LogMel(sample_rate=corpus.sample_rate, bands=40, hop=HOP)
    features, tokens, words = [], [], []
    for utterance in corpus.utterances(split).take(count).as_numpy_iterator():
        waveform = utterance["audio"].astype("float32") / 32768
        frames, mask = log_mel(waveform[None], np.array([len(waveform)]))
        features.append(ops.convert_to_numpy(subtract_mean(frames, mask))[0])
        tokens.append([*vocabulary.encode(utterance["text"].decode()), 0])
        words.append(utterance["words"])
    return features, tokens, words


def pad(rows, dtype):
    """Rows of different lengths as one array, and the mask of what is real."""
    lengths = np.array([len(row) for row in rows])
    array = np.zeros((len(rows), lengths.max(), *np.shape(rows[0])[1:]), dtype)
    for i, row in enumerate(rows):
        array[i, : len(row)] = row
    return array, np.arange(lengths.max()) < lengths[:, None]


def batches(features, tokens, steps):
    """Random batches, padded to their longest."""
    rng = np.random.default_rng(SEED)
    for _ in range(steps):
        chosen = rng.integers(len(features), size=BATCH)
        frames, frame_mask = pad([features[i] for i in chosen], "float32")
        targets, target_mask = pad([tokens[i] for i in chosen], "int32")
        yield frames, frame_mask, targets, target_mask


class Encoder(keras.Model):
    """A listener, trained with CTC."""

    def __init__(self, vocabulary):
        super().__init__()
        self.listener = Listener(stack=2, levels=2, units=64)
        self.classify = keras.layers.Dense(len(vocabulary))
        self.blank = vocabulary.start

    def call(self, inputs):
        frames, frame_mask, targets, target_mask = inputs
        encoded, mask = self.listener(frames, frame_mask)
        num_tokens = ops.sum(ops.cast(target_mask, "int32"), axis=1) - 1  # without the end
        num_frames = ops.sum(ops.cast(mask, "int32"), axis=1)
        self.add_loss(losses.ctc_per_token(targets, num_tokens, self.classify(encoded), num_frames, self.blank))
        return encoded

    def encode(self, features):
        """The encoded frames of utterances of any length."""
        encoded = []
        for i in range(0, len(features), BATCH):
            outputs, mask = self.listener(*pad(features[i : i + BATCH], "float32"))
            outputs, mask = ops.convert_to_numpy(outputs), ops.convert_to_numpy(mask)
            encoded += [row[real] for row, real in zip(outputs, mask, strict=True)]
        return encoded


class Decoder(keras.Model):
    """A decoder that attends to encoded frames."""

    def __init__(self, vocabulary, scorer, alignment):
        super().__init__()
        self.embed = keras.layers.Embedding(len(vocabulary), 32)
        self.rnn = AttentionRNN(AttentionCell(keras.layers.GRUCell(128), Attention(scorer, alignment)))
        self.classify = keras.layers.Dense(len(vocabulary))
        self.start = vocabulary.start

    def call(self, inputs, training=None):
        encoded, mask, targets, target_mask = inputs
        before = ops.pad(targets, [[0, 0], [1, 0]], constant_values=self.start)[:, :-1]
        outputs, alignment = self.rnn(
            self.embed(before), encoded, value_mask=mask, return_attention_scores=True, training=training
        )
        self.add_loss(losses.smoothed_cross_entropy(targets, self.classify(outputs), target_mask))
        return alignment


def train(model, data, steps, name):
    """Train on batches; returns the mean loss of the last tenth."""
    model.compile(keras.optimizers.Adam(2e-3, clipnorm=1.0), jit_compile=False)
    started, recent = time.time(), []
    for i, batch in enumerate(data):
        recent = [*recent, float(model.train_on_batch(batch))][-steps // 10 :]
        model.reset_metrics()
        if i % 20 == 19 or i + 1 == steps:
            print(f"\r{name}: step {i + 1}/{steps}, loss {np.mean(recent):.3f}", end="", flush=True)
    print(f", {time.time() - started:.0f} s", flush=True)
    return np.mean(recent)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="members to draw again; all that are missing if none")
    parser.add_argument("--data-dir", help="where TFDS keeps its datasets")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(MEMBERS)):
        parser.error(f"expected names of {', '.join(MEMBERS)}. Received: {', '.join(unknown)}")
    drawings = FOLDER / "drawings"
    drawings.mkdir(exist_ok=True)
    names = arguments.names or [name for name in MEMBERS if not (drawings / f"{name}.png").exists()]

    corpus = corpora.get(DATASET, arguments.data_dir)
    vocabulary = Vocabulary.from_texts(["zero one two three four five six seven eight nine"])
    features, tokens, _ = load(corpus, "train", UTTERANCES, vocabulary)
    test_features, test_tokens, test_words = load(corpus, "test", 1, vocabulary)

    keras.utils.set_random_seed(SEED)
    encoder = Encoder(vocabulary)
    train(encoder, batches(features, tokens, ENCODER_STEPS), ENCODER_STEPS, "encoder")
    encoded = encoder.encode(features)
    test = encoder.encode(test_features)

    for name in names:
        keras.utils.set_random_seed(SEED)
        decoder = Decoder(vocabulary, *MEMBERS[name])
        train(decoder, batches(encoded, tokens, DECODER_STEPS), DECODER_STEPS, name)
        inputs = [x for rows, dtype in ((test, "float32"), (test_tokens, "int32")) for x in pad(rows, dtype)]
        alignment = ops.convert_to_numpy(decoder(inputs))[0]
        draw(drawings / f"{name}.png", name, alignment, vocabulary, test_tokens[0], test_words[0])


def draw(path, name, alignment, vocabulary, tokens, words):
    title = name
    if alignment.ndim == 3:
        alignment, title = alignment.mean(0), f"{name} (mean of the heads)"
    words = [(text.decode(), *times) for text, *times in zip(words["text"], words["start"], words["end"], strict=True)]
    symbols = [vocabulary.symbols[token] for token in tokens]
    figure = plot_alignment(alignment, symbols, frame_duration=4 * HOP, words=words, title=title)
    figure.savefig(path, dpi=64)


if __name__ == "__main__":
    main()
