"""Level and features brought to one measure: over the training data, and over an utterance."""

import keras
import numpy as np
from keras import ops

# 30 dB, in natural logarithms of powers.
LOUD = 3 * np.log(10)


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class FeatureNormalization(keras.layers.Layer):
    """Shift and scale every band with statistics held as weights, leaving padded frames 0.

    `normalized[t, b] = (features[t, b] - mean[b]) / sqrt(variance[b] + epsilon)` where `mask[t]`, else 0

    The weights `mean` and `variance`, `(bands,)`, are not trainable; `adapt` computes them. Everything is computed in
    float32 whatever the dtype policy.

    Args:
        epsilon: added to the variance.

    Call arguments:
        features: floating `(batch, frames, bands)`.
        mask: bool `(batch, frames)`, True for real frames.

    Returns:
        float32 `(batch, frames, bands)`.

    >>> layer = FeatureNormalization(epsilon=0.0)
    >>> features, mask = np.array([[[1.0], [3.0], [99.0]]]), np.array([[True, True, False]])
    >>> layer.adapt([(features, mask)])
    >>> layer(features, mask).numpy().squeeze().tolist()
    [-1.0, 1.0, 0.0]
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.epsilon = epsilon

    def build(self, features_shape):
        shape = (features_shape[-1],)
        options = {"shape": shape, "dtype": "float32", "trainable": False, "autocast": False}
        self.mean = self.add_weight(name="mean", initializer="zeros", **options)
        self.variance = self.add_weight(name="variance", initializer="ones", **options)

    def call(self, features, mask):
        mean = ops.convert_to_tensor(self.mean)  # JAX chooses among tensors alone
        features = ops.where(mask[..., None], ops.cast(features, "float32"), mean)
        return (features - mean) * ops.rsqrt(self.variance + self.epsilon)

    def adapt(self, batches):
        """Set the weights to the mean and variance of the real frames of `batches`.

        Args:
            batches: iterable of `(features, mask)` pairs, shaped as in a call; read once.

        Raises:
            ValueError: there is no real frame, or a real frame is not finite.
        """
        count, mean, variance = masked_statistics(batches)
        if not count:
            raise ValueError(f"Expected at least one real frame. Received: frames={count}")
        if not np.isfinite(mean).all() or not np.isfinite(variance).all():
            raise ValueError(f"Expected finite features in every real frame. Received: mean={mean}")
        if not self.built:
            self.build((None, None, mean.size))
            self.built = True
        self.mean.assign(mean)
        self.variance.assign(variance)

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}


def scale_to_peak(waveform, num_samples):
    """Waveforms as loud as full scale allows, as what is added to powers before the logarithm has a level of its own.

    Args:
        waveform: `(batch, samples)`.
        num_samples: int32 `(batch,)`, the samples that count; 0 elsewhere afterwards.

    >>> scale_to_peak(np.array([[0.1, -0.2, 9.0], [0.0, 0.0, 0.0]]), np.array([2, 3])).numpy().tolist()
    [[0.5, -1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    real = ops.arange(ops.shape(waveform)[1], dtype="int32") < ops.cast(num_samples, "int32")[:, None]
    waveform = ops.where(real, waveform, 0.0)
    peak = ops.max(ops.abs(waveform), axis=1, keepdims=True, initial=0.0)
    return waveform / ops.where(peak > 0, peak, 1.0)


def subtract_mean(features, mask):
    """Take the mean of every band over the loud frames from each utterance: level, microphone and line drop out.

    The mean of all frames would depend on how much silence there is before and after the speech.

    Args:
        features: `(batch, frames, bands)`, logarithms of powers.
        mask: bool `(batch, frames)`; features elsewhere are 0 afterwards.

    >>> features, mask = np.array([[[1.0], [3.0], [-9.0], [9.0]]]), np.array([[True, True, True, False]])
    >>> subtract_mean(features, mask).numpy().squeeze().tolist()
    [-1.0, 1.0, -11.0, 0.0]
    """
    loud = loud_frames(features, mask)[..., None]
    total = ops.sum(ops.where(loud, features, 0.0), axis=1, keepdims=True)
    frames = ops.maximum(ops.sum(ops.cast(loud, features.dtype), axis=1, keepdims=True), 1.0)
    return ops.where(mask[..., None], features - total / frames, 0.0)


def loud_frames(features, mask):
    """The frames whose greatest feature is within `LOUD` of that of the utterance, bool `(batch, frames)`."""
    loudness = ops.where(mask, ops.max(features, axis=-1), -np.inf)
    return ops.logical_and(mask, loudness >= ops.max(loudness, axis=1, keepdims=True) - LOUD)


def masked_statistics(batches):
    """Mean and variance of every band over the real frames, in one pass and in float64.

    Batches are merged by Chan's rule: `M2 = M2_a + M2_b + (mean_b - mean_a)^2 n_a n_b / (n_a + n_b)`.

    Args:
        batches: iterable of `(features (batch, frames, bands), mask (batch, frames))`.

    Returns:
        `(number of real frames, mean (bands,), variance (bands,))`.

    >>> masked_statistics([(np.array([[[1.0], [3.0]]]), np.array([[True, True]]))])
    (2, array([2.]), array([1.]))
    """
    count, mean, squares = 0, np.zeros(0), np.zeros(0)
    for features, mask in batches:
        real = np.asarray(features, "float64")[np.asarray(mask)]
        if not len(real):
            continue
        total, real_mean = count + len(real), real.mean(axis=0)
        if not count:
            mean, squares = np.zeros_like(real_mean), np.zeros_like(real_mean)
        difference = real_mean - mean
        squares = squares + np.square(real - real_mean).sum(axis=0) + difference**2 * count * len(real) / total
        mean, count = mean + difference * len(real) / total, total
    return count, mean, squares / max(count, 1)
