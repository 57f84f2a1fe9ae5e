"""Convolutions over time and frequency, each of which halves both."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class Convolutions(keras.layers.Layer):
    """Convolutions of 3 frames by 3 bands, each with a rectifier and a pooling of 2 by 2, which takes the largest.

    A pooled frame is real when its first one is. What stands past the end of an utterance changes nothing.

    Args:
        levels: number of convolutions; with none, the features pass unchanged.
        channels: channels of each.

    Call arguments:
        features: `(batch, frames, bands)`, zeros where padded.
        mask: bool `(batch, frames)`.

    Returns:
        `(batch, ceil(frames / 2 ** levels), output_dim(bands))`, zeros where padded, and its mask.

    >>> layer = Convolutions(levels=2, channels=5)
    >>> encoded, mask = layer(ops.ones((1, 9, 80)), ops.ones((1, 9), dtype="bool"))
    >>> tuple(encoded.shape), tuple(mask.shape)
    ((1, 3, 100), (1, 3))
    """

    def __init__(self, levels=2, channels=32, **kwargs):
        super().__init__(**kwargs)
        self.levels = levels
        self.channels = channels
        self.convolutions = [self._convolution(level) for level in range(levels)]
        self.pooling = keras.layers.MaxPooling2D(2, padding="same", data_format="channels_last")

    def _convolution(self, level):
        return keras.layers.Conv2D(
            self.channels, 3, padding="same", activation="relu", data_format="channels_last", name=f"level_{level}"
        )

    def output_dim(self, bands):
        """The last dimension of what is returned for so many bands.

        >>> Convolutions(levels=2, channels=32).output_dim(80)
        640
        """
        return -(-bands // 2**self.levels) * self.channels if self.levels else bands

    def build(self, features_shape):
        channels = 1
        for convolution in self.convolutions:
            convolution.build((None, None, None, channels))
            channels = self.channels

    def call(self, features, mask):
        if not self.levels:
            return features, mask
        batch, bands = ops.shape(features)[0], features.shape[-1]
        features = features[..., None]
        for convolution in self.convolutions:
            # A frame of padding is 0 before the pooling, as no rectified one is less, and for the next convolution.
            features = ops.where(mask[..., None, None], convolution(features), 0.0)
            features, mask = self.pooling(features), mask[:, ::2]
        return ops.reshape(features, (batch, ops.shape(mask)[1], self.output_dim(bands))), mask

    def get_config(self):
        return super().get_config() | {"levels": self.levels, "channels": self.channels}
