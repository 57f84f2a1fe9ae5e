"""Variety for training: features with stretched bands and frames, and stripes cut out."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class SpecAugment(keras.layers.Layer):
    """Stretch normalised features and cut stripes out of them, in training only.

    Each utterance gets its own `time_masks` stripes of frames and `frequency_masks` stripes of bands, which may
    overlap. With `n` the frames of the utterance (the paper's tau) and `B` the bands (its nu):

    `width ~ U{0 .. W}`, `first ~ U{0 .. n - width}`, `features[first : first + width] = 0`, `W = floor(time_share n)`

    and likewise over bands with `W = frequency_width` (the paper's F) and `B` for `n`. So a stripe of frames lies
    inside the utterance and never takes more than its share. The fill is 0, the mean of normalised features.

    Before, each utterance is given another length of the vocal tract, which moves the formants: band `b` takes what is
    at `min(b U(1 - frequency_warp, 1 + frequency_warp), B - 1)`. And a part of it is spoken faster, the rest slower,
    each with the same formants: with `c ~ U(n / 4, 3 n / 4)`, frame `c + time_warp n U(-1, 1)` takes what is at `c`,
    and what is before and after is stretched to fit. Both interpolate linearly.

    Args:
        time_masks: stripes of frames per utterance.
        time_share: widest such stripe as a share of the utterance, in [0, 1].
        frequency_masks: stripes of bands per utterance.
        frequency_width: widest such stripe, bands; no more than there are.
        frequency_warp: greatest change of the frequencies, a share in [0, 1].
        time_warp: farthest that a frame is moved, as a share of the utterance, in [0, 0.25).
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
        time_warp=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        numbers = (time_masks, time_share, frequency_masks, frequency_width, frequency_warp, time_warp)
        if min(numbers) < 0 or max(time_share, frequency_warp) > 1 or time_warp >= 0.25:
            raise ValueError(
                "Expected numbers >= 0, time_share <= 1, frequency_warp <= 1 and time_warp < 0.25. "
                f"Received: time_masks={time_masks}, time_share={time_share}, frequency_masks={frequency_masks}, "
                f"frequency_width={frequency_width}, frequency_warp={frequency_warp}, time_warp={time_warp}"
            )
        self.time_masks = time_masks
        self.time_share = time_share
        self.frequency_masks = frequency_masks
        self.frequency_width = frequency_width
        self.frequency_warp = frequency_warp
        self.time_warp = time_warp
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, features, mask, training=False):
        if not training:
            return features
        batch, frames, bands = ops.shape(features)
        lengths = ops.sum(ops.cast(mask, "float32"), axis=1, keepdims=True)
        if self.frequency_warp:
            features = self._warp_bands(features)
        if self.time_warp:
            features = self._warp_frames(features, lengths)
        times = self._stripes((batch, self.time_masks), lengths, ops.floor(self.time_share * lengths), frames)
        width = min(self.frequency_width, bands)
        frequencies = self._stripes((batch, self.frequency_masks), float(bands), float(width), bands)
        cut = ops.logical_or(times[:, :, None], frequencies[:, None, :])
        return ops.where(cut, ops.zeros_like(features), features)

    def _warp_bands(self, features):
        """Features whose bands are stretched, each utterance's by another factor."""
        batch = ops.shape(features)[0]
        low, high = 1 - self.frequency_warp, 1 + self.frequency_warp
        factors = keras.random.uniform((batch,), low, high, dtype="float32", seed=self._generator)
        return warp_bands(features, factors)

    def _warp_frames(self, features, lengths):
        """Features of which a part is stretched, and the rest shrunk as much."""
        draws = keras.random.uniform((2, ops.shape(features)[0], 1), dtype="float32", seed=self._generator)
        last = ops.maximum(lengths - 1, 0.0)
        source = last * (0.25 + 0.5 * draws[0])
        target = source + self.time_warp * last * (2 * draws[1] - 1)
        frame = ops.arange(ops.shape(features)[1], dtype="float32")
        before = frame * ops.divide_no_nan(source, target)
        after = last - (last - frame) * ops.divide_no_nan(last - source, last - target)
        place = ops.clip(ops.where(frame < target, before, after), 0.0, last)
        first = ops.floor(place)
        share = ops.cast((place - first)[..., None], features.dtype)
        first, second = (ops.cast(x, "int32")[..., None] for x in (first, ops.minimum(first + 1, last)))
        first, second = (ops.take_along_axis(features, x, axis=1) for x in (first, second))
        warped = first + share * (second - first)
        return ops.where((frame < lengths)[..., None], warped, features)

    def _stripes(self, shape, lengths, widest, positions):
        """Where random stripes lie, bool `(batch, positions)`, `shape` being `(batch, stripes)`."""
        draws = keras.random.uniform((2, *shape), dtype="float32", seed=self._generator)
        widths = ops.floor(draws[0] * (widest + 1))
        firsts = ops.floor(draws[1] * (lengths - widths + 1))
        position = ops.arange(positions, dtype="float32")
        inside = ops.logical_and(position >= firsts[..., None], position < (firsts + widths)[..., None])
        return ops.any(inside, axis=1)

    def get_config(self):
        names = ("time_masks", "time_share", "frequency_masks", "frequency_width", "frequency_warp", "time_warp")
        return super().get_config() | {name: getattr(self, name) for name in (*names, "seed")}


def warp_bands(features, factors):
    """Features of other lengths of the vocal tract: band `b` takes what is at `min(b factor, bands - 1)`.

    Args:
        features: `(batch, frames, bands)`; between two bands it is linear.
        factors: `(batch,)`, greater moves formants down.

    >>> import numpy as np
    >>> warp_bands(np.array([[[0.0, 2.0, 4.0, 6.0]]]), np.array([0.75])).numpy().tolist()
    [[[0.0, 1.5, 3.0, 4.5]]]
    """
    bands = ops.shape(features)[2]
    band = ops.arange(bands, dtype="float32")
    source = ops.minimum(ops.cast(factors, "float32")[:, None, None] * band, bands - 1.0)
    # Linear interpolation as a product: (batch, source band, band).
    weights = ops.relu(1 - ops.abs(source - band[:, None]))
    return ops.matmul(features, ops.cast(weights, features.dtype))
