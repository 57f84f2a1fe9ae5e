"""The encoder of Listen, Attend and Spell: convolutions, and LSTMs that take fewer and fewer steps."""

import functools

import keras
import tensorflow as tf
from keras import ops

from demos.speech import block_lstm
from demos.speech.convolutions import Convolutions
from keras_attn import recurrent

# Up to so many utterances, one operation takes less time than a loop, as measured on two cores.
_FEW = 2


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
    """Convolutions, if any, then LSTMs, each of which joins neighbours of what the one below it heard.

    With `join=2` it is the pyramid of Listen, Attend and Spell; with `convolutions=2`, `stack=1` and `join=1` the plain
    stack of SpecAugment's LAS-d-w, where `levels` is d and `units` is w. Frames past the end of an utterance are 0 and
    change nothing, so an utterance is encoded alike in every batch.

    Args:
        stack: frames that are joined before the first LSTM.
        levels: number of LSTMs.
        units: units of each direction.
        dropout: share of the outputs of a level set to 0 in training.
        convolutions: number of convolutions before them, each of which halves time; see `Convolutions`.
        channels: channels of each.
        join: frames that are joined before each further LSTM.
        bidirectional: whether each LSTM also runs from the end to the start. If not, a frame depends on nothing that is
            heard after it, and `step` can be used.
        use_cudnn: as for `keras.layers.LSTM`; False makes a graph that runs on any machine.

    Call arguments:
        features: `(batch, frames, bands)`, zeros where padded.
        mask: bool `(batch, frames)`.
        jit_compile: whether XLA compiles the LSTMs; not for training.

    Returns:
        `(batch, ceil(frames / reduction), output_dim)`, and its mask.

    References: Chan et al., "Listen, Attend and Spell", 2016, arXiv:1508.01211, section 3.1; Park et al.,
    "SpecAugment", 2019, arXiv:1904.08779, section 3.1.
    """

    def __init__(
        self,
        stack=2,
        levels=2,
        units=128,
        dropout=0.0,
        convolutions=0,
        channels=32,
        join=2,
        bidirectional=True,
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.stack = stack
        self.levels = levels
        self.units = units
        self.dropout = dropout
        self.convolutions = convolutions
        self.channels = channels
        self.join = join
        self.bidirectional = bidirectional
        self.use_cudnn = use_cudnn
        self.front = Convolutions(convolutions, channels, name="convolutions")
        self.lstms = [self._lstm(level) for level in range(levels)]
        self.dropouts = [keras.layers.Dropout(dropout) for _ in range(levels)]

    def _lstm(self, level):
        options = {"return_sequences": True, "return_state": True, "use_cudnn": self.use_cudnn}
        name = f"level_{level}"
        if not self.bidirectional:
            return keras.layers.LSTM(self.units, **options, name=name)
        return keras.layers.Bidirectional(keras.layers.LSTM(self.units, **options), name=name)

    @property
    def output_dim(self):
        """The last dimension of what is returned."""
        return (2 if self.bidirectional else 1) * self.units

    def build(self, features_shape):
        self.front.build(features_shape)
        dim = self.stack * self.front.output_dim(features_shape[-1])
        for lstm in self.lstms:
            lstm.build((None, None, dim))
            dim = self.join * self.output_dim

    def call(self, features, mask, training=None, jit_compile=False):
        encoded, mask, _ = self._encode(*self.front(features, mask), [None] * self.levels, training, jit_compile)
        return encoded, mask

    def initial_state(self, batch):
        """What `step` takes before the first frames: for each level, two tensors `(batch, units)`."""
        return [[ops.zeros((batch, self.units)), ops.zeros((batch, self.units))] for _ in self.lstms]

    def step(self, features, mask, state):
        """Hear a recording on: the parts that it is given in are encoded as the whole would be.

        Args:
            features: `(batch, frames, bands)`. Only the last part may have a number of frames that is no multiple of
                the frames that are joined to one.
            mask: bool `(batch, frames)`.
            state: what `initial_state` or an earlier step returned.

        Returns:
            What a call returns, and the next state.

        Raises:
            ValueError: the listener is bidirectional, or has convolutions, which both need what comes later.
        """
        if self.bidirectional or self.convolutions:
            raise ValueError(
                "Expected a listener of one direction without convolutions. "
                f"Received: bidirectional={self.bidirectional}, convolutions={self.convolutions}"
            )
        return self._encode(features, mask, state, training=False)

    def _encode(self, features, mask, states, training, jit_compile=False):
        after = []
        for level, (lstm, dropout, state) in enumerate(zip(self.lstms, self.dropouts, states, strict=True)):
            features, mask = join_frames(features, mask, self.join if level else self.stack)
            if state is None and self._loop_is_faster():
                features = self._heard(lstm, features, mask, training, jit_compile)
            else:
                features, *state = lstm(features, initial_state=state, mask=mask, training=training)
            features = ops.where(mask[..., None], dropout(features, training=training), 0.0)
            after.append(state)
        return features, mask, after

    def _heard(self, lstm, features, mask, training, jit_compile):
        """What an LSTM puts out, where it starts from nothing."""
        if jit_compile:
            return self._compiled(lstm, features, mask)
        if training is not False or self.compute_dtype != "float32":
            return recurrent.outputs(lstm, features, mask, training)
        lengths = ops.sum(ops.cast(mask, "int32"), axis=1)
        return ops.cond(
            ops.shape(features)[0] <= _FEW,
            lambda: block_lstm.outputs(lstm, features, lengths),
            lambda: recurrent.outputs(lstm, features, mask, training),
        )

    def _compiled(self, lstm, features, mask):
        """The same, each direction compiled by itself, as TensorFlow then runs both at once."""
        directions = [lstm.forward_layer, lstm.backward_layer] if self.bidirectional else [lstm]
        run = [functools.partial(recurrent.outputs, one, training=False) for one in directions]
        run = [tf.function(one, jit_compile=True, autograph=False) for one in run]
        return ops.concatenate([one(features, mask) for one in run], axis=-1)

    def _loop_is_faster(self):
        """Whether `recurrent.outputs` beats the layers of Keras: on TensorFlow without cuDNN."""
        if keras.config.backend() != "tensorflow":
            return False
        return self.use_cudnn is False or not tf.config.list_physical_devices("GPU")

    def get_config(self):
        names = ("stack", "levels", "units", "dropout", "convolutions", "channels", "join", "bidirectional")
        return super().get_config() | {name: getattr(self, name) for name in (*names, "use_cudnn")}
