"""Variety for training: features with stretched bands and stripes cut out."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class SpecAugment(keras.layers.Layer):
    """Stretch the bands of normalised features and cut stripes out of them, in training only.

    Each utterance gets its own `time_masks` stripes of frames and `frequency_masks` stripes of bands, which may
    overlap. With `n` the frames of the utterance (the paper's tau) and `B` the bands (its nu):

    `width ~ U{0 .. W}`, `first ~ U{0 .. n - width}`, `features[first : first + width] = 0`, `W = floor(time_share n)`

    and likewise over bands with `W = frequency_width` (the paper's F) and `B` for `n`. So a stripe of frames lies
    inside the utterance and never takes more than its share. The fill is 0, the mean of normalised features. There is
    no time warp. Before, each utterance is given another length of the vocal tract, which moves the formants: band `b`
    takes what is at

    `min(b U(1 - frequency_warp, 1 + frequency_warp), B - 1)`, interpolated linearly.

    Args:
        time_masks: stripes of frames per utterance.
        time_share: widest such stripe as a share of the utterance, in [0, 1].
        frequency_masks: stripes of bands per utterance.
        frequency_width: widest such stripe, bands; no more than there are.
        frequency_warp: greatest change of the frequencies, a share in [0, 1].
        seed: integer or None.

    Call arguments:
        features: floating `(batch, frames, bands)`.
        mask: bool `(batch, frames)`, True for real frames, which come first.
        training: the layer is the identity unless this is true.

    Returns:
        As `features`.

    Raises:
        ValueError: a number is negative or a share exceeds 1.

    References: Park et al., SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition, 2019,
    arXiv:1904.08779; Jaitly and Hinton, Vocal Tract Length Perturbation (VTLP) improves speech recognition, 2013.

    >>> import numpy as np
    >>> layer = SpecAugment(time_masks=1, time_share=0.5, frequency_masks=0, seed=1)
    >>> features, mask = np.ones((1, 8, 3), "float32"), np.ones((1, 8), bool)
    >>> bool(np.all(layer(features, mask, training=False) == features))
    True
    >>> np.asarray(layer(features, mask, training=True)).shape
    (1, 8, 3)
    """

    def __init__(
        self,
        time_masks=2,
        time_share=0.05,
        frequency_masks=2,
        frequency_width=8,
        frequency_warp=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        numbers = (time_masks, time_share, frequency_masks, frequency_width, frequency_warp)
        if min(numbers) < 0 or max(time_share, frequency_warp) > 1:
            raise ValueError(
                f"Expected numbers >= 0, time_share <= 1 and frequency_warp <= 1. Received: time_masks={time_masks}, "
                f"time_share={time_share}, frequency_masks={frequency_masks}, frequency_width={frequency_width}, "
                f"frequency_warp={frequency_warp}"
            )
        self.time_masks = time_masks
        self.time_share = time_share
        self.frequency_masks = frequency_masks
        self.frequency_width = frequency_width
        self.frequency_warp = frequency_warp
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, features, mask, training=False):
        if not training:
            return features
        if self.frequency_warp:
            features = self._warp(features)
        batch, frames, bands = ops.shape(features)
        lengths = ops.sum(ops.cast(mask, "float32"), axis=1, keepdims=True)
        times = self._stripes((batch, self.time_masks), lengths, ops.floor(self.time_share * lengths), frames)
        width = min(self.frequency_width, bands)
        frequencies = self._stripes((batch, self.frequency_masks), float(bands), float(width), bands)
        cut = ops.logical_or(times[:, :, None], frequencies[:, None, :])
        return ops.where(cut, ops.zeros_like(features), features)

    def _warp(self, features):
        """Features whose bands are stretched, each utterance's by another factor."""
        batch, _, bands = ops.shape(features)
        low, high = 1 - self.frequency_warp, 1 + self.frequency_warp
        factor = keras.random.uniform((batch, 1, 1), low, high, dtype="float32", seed=self._generator)
        band = ops.arange(bands, dtype="float32")
        source = ops.minimum(factor * band, bands - 1.0)
        # Linear interpolation as a product: (batch, source band, band).
        weights = ops.relu(1 - ops.abs(source - band[:, None]))
        return ops.matmul(features, ops.cast(weights, features.dtype))

    def _stripes(self, shape, lengths, widest, positions):
        """Where random stripes lie, bool `(batch, positions)`, `shape` being `(batch, stripes)`."""
        draws = keras.random.uniform((2, *shape), dtype="float32", seed=self._generator)
        widths = ops.floor(draws[0] * (widest + 1))
        firsts = ops.floor(draws[1] * (lengths - widths + 1))
        position = ops.arange(positions, dtype="float32")
        inside = ops.logical_and(position >= firsts[..., None], position < (firsts + widths)[..., None])
        return ops.any(inside, axis=1)

    def get_config(self):
        names = ("time_masks", "time_share", "frequency_masks", "frequency_width", "frequency_warp", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}
