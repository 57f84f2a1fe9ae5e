"""The encoder of Listen, Attend and Spell: a pyramid of bidirectional LSTMs."""

import keras
from keras import ops


def join_frames(frames, mask, count):
    """Join every `count` neighbouring frames into one; the mask shrinks with them.

    Args:
        frames: `(batch, T, dim)`, zeros where padded.
        mask: bool `(batch, T)`.
        count: frames to join; the last ones are filled up with zeros.

    Returns:
        `(batch, ceil(T / count), count * dim)`, and the mask `(batch, ceil(T / count))`: a joined frame is real when
        its first one is.
    """
    batch, time = ops.shape(frames)[:2]
    missing = -time % count
    frames = ops.pad(frames, [[0, 0], [0, missing], [0, 0]])
    return ops.reshape(frames, (batch, (time + missing) // count, count * frames.shape[-1])), mask[:, ::count]


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class Listener(keras.layers.Layer):
    """Pyramidal bidirectional LSTM: each level but the first halves time by joining neighbours.

    Frames past the end of an utterance are 0 and change nothing, so an utterance is encoded alike in every batch.

    Args:
        stack: feature frames that are joined before the first level.
        levels: number of bidirectional LSTMs.
        units: units of each direction.
        dropout: share of the outputs of a level set to 0 in training.
        use_cudnn: as for `keras.layers.LSTM`; False makes a graph that runs on any machine.

    Call arguments:
        features: `(batch, frames, bands)`, zeros where padded.
        mask: bool `(batch, frames)`.

    Returns:
        `(batch, ceil(frames / (stack * 2 ** (levels - 1))), 2 * units)`, and its mask.

    Reference: Chan et al., "Listen, Attend and Spell", 2016, arXiv:1508.01211, section 3.1.
    """

    def __init__(self, stack=2, levels=2, units=128, dropout=0.0, use_cudnn="auto", **kwargs):
        super().__init__(**kwargs)
        self.stack = stack
        self.levels = levels
        self.units = units
        self.dropout = dropout
        self.use_cudnn = use_cudnn
        self.lstms = [self._lstm(level) for level in range(levels)]
        self.dropouts = [keras.layers.Dropout(dropout) for _ in range(levels)]

    def _lstm(self, level):
        lstm = keras.layers.LSTM(self.units, return_sequences=True, use_cudnn=self.use_cudnn)
        return keras.layers.Bidirectional(lstm, name=f"level_{level}")

    def build(self, features_shape):
        dim = self.stack * features_shape[-1]
        for lstm in self.lstms:
            lstm.build((None, None, dim))
            dim = 2 * (2 * self.units)

    def call(self, features, mask, training=None):
        for level, (lstm, dropout) in enumerate(zip(self.lstms, self.dropouts, strict=True)):
            features, mask = join_frames(features, mask, 2 if level else self.stack)
            features = lstm(features, mask=mask, training=training)
            features = ops.where(mask[..., None], dropout(features, training=training), 0.0)
        return features, mask

    def get_config(self):
        names = ("stack", "levels", "units", "dropout", "use_cudnn")
        return super().get_config() | {name: getattr(self, name) for name in names}
