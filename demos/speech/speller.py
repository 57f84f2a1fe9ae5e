"""The decoder of Listen, Attend and Spell: a recurrent language model that attends to the listener."""

import keras
from keras import ops

from keras_attn import Attention, AttentionCell, AttentionRNN, rows


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class Speller(keras.layers.Layer):
    """Log probabilities of the next character, given the earlier ones and what was heard.

    Args:
        vocabulary_size: number of tokens.
        embedding: size of the vector of a token.
        units: units of each LSTM.
        dropout: share of the vectors and of the outputs set to 0 in training.
        scorer: score function of the attention, as `keras_attn.Attention` takes it.
        alignment: alignment function of the attention.
        levels: number of LSTMs, one on the other; the last one asks.

    Call arguments:
        tokens: int32 `(batch, steps)`: the token before each step, `<start>` first.
        encoded: `(batch, frames, dim)`, output of the listener.
        mask: bool `(batch, frames)`.

    Returns:
        logits: `(batch, steps, vocabulary_size)`.
        alignment: `(batch, steps, frames)`, the mean of the heads where the scorer has several.

    Reference: Chan et al., "Listen, Attend and Spell", 2016, arXiv:1508.01211, section 3.2.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding=64,
        units=256,
        dropout=0.0,
        scorer="location_aware",
        alignment="softmax",
        levels=1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding = embedding
        self.units = units
        self.dropout = dropout
        self.scorer = scorer
        self.alignment = alignment
        self.levels = levels
        self.embed = keras.layers.Embedding(vocabulary_size, embedding, name="embed")
        self.embed_dropout = keras.layers.Dropout(dropout)
        self.rnn = AttentionRNN(AttentionCell(self._lstm(), Attention(scorer, alignment)), name="rnn")
        self.output_dropout = keras.layers.Dropout(dropout)
        self.classify = keras.layers.Dense(vocabulary_size, dtype="float32", name="classify")

    def _lstm(self):
        cells = [keras.layers.LSTMCell(self.units) for _ in range(self.levels)]
        return keras.layers.StackedRNNCells(cells) if self.levels > 1 else cells[0]

    def build(self, tokens_shape, encoded_shape):
        self.embed.build(tokens_shape)
        self.rnn.build((*tokens_shape, self.embedding), encoded_shape)
        self.classify.build((*tokens_shape, self.rnn.cell.output_dim))

    def call(self, tokens, encoded, mask=None, training=None):
        vectors = self.embed_dropout(self.embed(tokens), training=training)
        outputs, alignment = self.rnn(
            vectors, encoded, value_mask=mask, return_attention_scores=True, training=training
        )
        return self.classify(self.output_dropout(outputs, training=training)), mean_of_heads(alignment, 4)

    def start(self, encoded, mask):
        """Memory and state before the first step, for decoding."""
        memory = self.rnn.cell.prepare(encoded, mask=mask)
        return memory, self.rnn.cell.initial_state(memory)

    def step(self, tokens, state, memory):
        """Log probabilities `(batch, vocabulary_size)` after `tokens` `(batch,)`, and the next state."""
        vectors = rows.take(ops.cast(self.embed.embeddings, self.compute_dtype), tokens)
        outputs, state = self.rnn.cell.step(vectors, memory, state, training=False)
        return ops.log_softmax(self.classify(outputs)), state

    @staticmethod
    def alignment_of(state):
        """The alignment `(batch, frames)` of the last step."""
        return mean_of_heads(state["attention"][0]["alignment"], 3)

    def get_config(self):
        names = ("vocabulary_size", "embedding", "units", "dropout", "scorer", "alignment", "levels")
        return super().get_config() | {name: getattr(self, name) for name in names}


def mean_of_heads(alignment, rank):
    """The mean over the second axis of an alignment that has one of heads, and then has `rank` axes."""
    return ops.mean(alignment, axis=1) if len(alignment.shape) == rank else alignment
