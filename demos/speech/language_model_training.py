"""Training of a language model."""

import math
import sys

import keras
import tensorflow as tf

from demos.speech.errors import UserError
from demos.speech.files import check_writable, write_beside
from demos.speech.language_model import LanguageModel

# Tokens. What is longer is learnt in parts.
_LONGEST = 300


def check_output(output, model):
    """The path of the language model to write, by default one beside a recogniser.

    Raises:
        UserError: it has another suffix than `.keras`, or cannot be written.
    """
    output = output or (model if model.is_dir() else model.parent) / "language_model.keras"
    if output.suffix != ".keras" or output.is_dir():
        raise UserError(f"Expected the name of a file that ends in .keras. Received: output={str(output)!r}")
    check_writable(output)
    return output


def train_language_model(sentences, vocabulary, output, config, verbose="auto"):
    """Train a language model, and keep the best one of all epochs in a `.keras` file.

    Args:
        sentences: `Sentences`.
        vocabulary: the tokens of the recogniser.
        output: the file; it is written after each epoch that brings a better model.
        config: a `LanguageModelConfig`.
        verbose: as for `keras.Model.fit`.

    Returns:
        The lowest perplexity of the held-out sentences: how many tokens, all as likely, would be as hard to guess.

    Raises:
        UserError: the file cannot be written, or the numbers grow beyond all bounds.
    """
    keras.utils.set_random_seed(config.seed)
    model = LanguageModel(vocabulary.symbols, config.embedding, config.units, config.dropout)
    optimizer = keras.optimizers.Adam(config.learning_rate, global_clipnorm=1.0)
    # XLA cannot compile loops of unknown length.
    model.compile(optimizer, jit_compile=False)
    best = KeepBest(output)
    early_stop = keras.callbacks.EarlyStopping("val_perplexity", mode="min", patience=config.patience)
    model.fit(
        batches(sentences.train, config.batch_size, config.seed),
        validation_data=batches(sentences.held_out, config.batch_size),
        epochs=config.epochs,
        callbacks=[best, early_stop],
        shuffle=False,
        verbose=verbose,
    )
    if best.perplexity == math.inf:
        raise UserError(f"Nothing has been learnt; try a lower learning rate than {config.learning_rate}")
    return best.perplexity


def batches(sentences, batch_size, seed=None):
    """What a `LanguageModel` takes: sentences in batches, in another order each time if there is a seed."""
    parts = [ids[i : i + _LONGEST] for ids in sentences for i in range(0, len(ids), _LONGEST)]
    dataset = tf.data.Dataset.from_tensor_slices(tf.ragged.constant(parts, "int32"))
    dataset = dataset.shuffle(len(parts), seed) if seed is not None else dataset
    dataset = dataset.map(lambda tokens: {"tokens": tokens, "num_tokens": tf.size(tokens)})
    return dataset.padded_batch(batch_size).prefetch(tf.data.AUTOTUNE)


class KeepBest(keras.callbacks.Callback):
    """Log the perplexity, and write the model whenever it is the best so far."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.perplexity = math.inf

    def on_epoch_end(self, epoch, logs=None):
        for prefix in ("", "val_"):
            logs[f"{prefix}perplexity"] = math.exp(min(logs.pop(f"{prefix}entropy"), math.log(sys.float_info.max)))
        if logs["val_perplexity"] < self.perplexity:
            self.perplexity = logs["val_perplexity"]
            with write_beside(self.path) as beside:
                self.model.save(beside)
