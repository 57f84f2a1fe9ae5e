"""A recurrent language model over the tokens of a recogniser, which helps its search."""

import keras
from keras import ops

from demos.speech.losses import smoothed_cross_entropy
from demos.speech.text import Vocabulary


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class LanguageModel(keras.Model):
    """Log probabilities of the next token, given the earlier ones: an LSTM.

    Its `step` and `initial_state` are what a part of `keras_attn.Fusion` needs.

    Args:
        symbols: the printable names of the tokens, as `Vocabulary.symbols`.
        embedding: size of the vector of a token.
        units: units of the LSTM.
        dropout: share of the vectors and of the outputs set to 0 in training.

    Call arguments: a dict of
        tokens: int32 `(batch, length)`, padded with `<end>`.
        num_tokens: int32 `(batch,)`.

    Returns: logits `(batch, length + 1, len(symbols))`, of each token and of the end.

    >>> model = LanguageModel(["<end>", "<start>", "a", "b"], embedding=3, units=5)
    >>> inputs = {"tokens": ops.convert_to_tensor([[2, 3, 2], [3, 0, 0]]), "num_tokens": ops.convert_to_tensor([3, 1])}
    >>> model(inputs).shape
    TensorShape([2, 4, 4])
    >>> log_probs, state = model.step(ops.ones(2, "int32"), model.initial_state(2))
    >>> log_probs.shape
    TensorShape([2, 4])
    """

    def __init__(self, symbols, embedding=64, units=256, dropout=0.2, **kwargs):
        super().__init__(**kwargs)
        self.symbols = tuple(symbols)
        self.embedding = embedding
        self.units = units
        self.dropout = dropout
        self.embed = keras.layers.Embedding(len(self.symbols), embedding, name="embed")
        self.embed_dropout = keras.layers.Dropout(dropout)
        self.rnn = keras.layers.LSTM(units, return_sequences=True, name="rnn")
        self.output_dropout = keras.layers.Dropout(dropout)
        self.classify = keras.layers.Dense(len(self.symbols), dtype="float32", name="classify")
        self.entropy = keras.metrics.Mean(name="entropy")
        self.embed.build((None, None))
        self.rnn.build((None, None, embedding))
        self.classify.build((None, None, units))
        self.built = True

    def call(self, inputs, training=None):
        tokens = ops.pad(inputs["tokens"], [[0, 0], [1, 0]], constant_values=Vocabulary.start)
        vectors = self.embed_dropout(self.embed(tokens), training=training)
        outputs = self.rnn(vectors, training=training)
        return self.classify(self.output_dropout(outputs, training=training))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Nats per token, the end of each text included; `entropy` is the mean over all tokens of an epoch."""
        targets = ops.pad(x["tokens"], [[0, 0], [0, 1]], constant_values=Vocabulary.end)
        num_tokens = ops.cast(x["num_tokens"], "int32")
        real = ops.arange(ops.shape(targets)[1], dtype="int32") <= num_tokens[:, None]
        loss = smoothed_cross_entropy(targets, y_pred, real)
        self.entropy.update_state(loss, sample_weight=ops.cast(ops.sum(num_tokens + 1), "float32"))
        return loss

    def initial_state(self, batch):
        """The state before `<start>`, a list of tensors `(batch, units)`."""
        return self.rnn.cell.get_initial_state(batch)

    def step(self, tokens, state):
        """Log probabilities `(batch, len(symbols))` after `tokens` `(batch,)`, `<start>` first, and the next state."""
        outputs, state = self.rnn.cell(self.embed(tokens), state)
        return ops.log_softmax(self.classify(outputs)), state

    def get_config(self):
        names = ("symbols", "embedding", "units", "dropout")
        return super().get_config() | {name: getattr(self, name) for name in names}
