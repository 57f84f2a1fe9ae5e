"""Variety for training: recordings made louder, noisier, duller, faster."""

import dataclasses

import numpy as np
import tensorflow as tf

from demos.speech.resampling import resize_spectrum

# Cycles a sample: below it, coloured noise is flat, as its power would gather where nothing is heard (50 Hz of 16 kHz).
LOWEST_NOISE = 1 / 320
# Of the loudest sample: what is quieter at an end of a recording is silence.
EDGE_LEVEL = 0.01
# Samples that noise is let through, or is not, together.
_BLOCK = 200


@dataclasses.dataclass(frozen=True)
class WaveformAugmentation:
    """Ranges `(low, high)` from which `augment_waveform` draws evenly.

    Args:
        speed: factor of speed and pitch, greater is faster.
        snr_db: power of the utterance over that of the noise, dB; (200, 200) is no noise.
        noise_slope: `a` of a noise whose power falls as `1 / frequency^a`: 0 white, 1 pink, 2 brown.
        noise_gate: share of the peak. Where nothing near is louder, there is no noise, as when recordings were cut and
            joined, or a line carries speech alone; at 0 or less it is everywhere.
        gain_db: change of the level after the noise, dB; a louder peak than full scale is scaled down to it.
        low_cut, high_cut: frequencies below and above which nothing of the utterance is left, as a share of half of the
            sample rate; what is below 0 or above 1 leaves it.
        clipping: share of the peak at which the utterance is cut off, before the gain; 1 or more leaves it.

    A range that reaches beyond what leaves an utterance as it is spares a part of them: `clipping=(0.5, 1.5)` half.
    """

    speed: tuple[float, float] = (0.9, 1.1)
    snr_db: tuple[float, float] = (10.0, 50.0)
    noise_slope: tuple[float, float] = (0.0, 1.5)
    noise_gate: tuple[float, float] = (0.0, 0.0)
    gain_db: tuple[float, float] = (-12.0, 6.0)
    low_cut: tuple[float, float] = (0.0, 0.0)
    high_cut: tuple[float, float] = (1.0, 1.0)
    clipping: tuple[float, float] = (1.0, 1.0)


def vary_edges(audio, seed, lowest, highest):
    """An utterance with another silence before and after it, for `tf.data.Dataset.map`.

    What is quieter than a hundredth of the loudest sample at either end is cut off, and zeros are put there instead;
    noise is for `augment_waveform`. Without this a recogniser depends on how closely recordings were cut.

    Args:
        audio: float32 `(samples,)`.
        seed: integer `(2,)`; the same seed gives the same result.
        lowest, highest: from which the number of zeros at each end is drawn evenly.

    Returns:
        float32 `(about as many samples,)`.

    >>> vary_edges(tf.constant([0.0, 0.001, 0.5, 0.0, -0.2, 0.0]), [1, 2], 2, 2).numpy().tolist()
    [0.0, 0.0, 0.5, 0.0, -0.20000000298023224, 0.0, 0.0]
    """
    size, number = tf.size(audio), tf.range(tf.size(audio))
    loud = tf.abs(audio) > EDGE_LEVEL * tf.reduce_max(tf.abs(audio))
    first = tf.minimum(tf.reduce_min(tf.where(loud, number, size)), size)
    last = tf.reduce_max(tf.where(loud, number, -1))
    sound = tf.where(first <= last, first, 0), tf.where(first <= last, last + 1, size)
    zeros = tf.random.stateless_uniform([2], seed, lowest, highest + 1, "int32", alg="philox")
    return tf.pad(audio[sound[0] : sound[1]], [zeros])


def cut_words(audio, starts, ends, seed, longest):
    """An utterance whose words were cut out of a recording too closely, for `tf.data.Dataset.map`.

    Half of all words lose their beginning, and half of them their end: up to `longest` samples, but no more than a
    quarter of the word at either. There is no silence in its place. Without this a recogniser depends on first and
    last sounds that are missing where a voice says them softly.

    Args:
        audio: `(samples,)`.
        starts, ends: int32 `(words,)`, samples; words come one after the other.
        seed: integer `(2,)`; the same seed gives the same result.
        longest: samples.

    Returns:
        `(at most as many samples,)`.

    >>> cut_words(tf.range(12), [2], [10], [1, 2], 9).numpy().tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    """
    starts, ends = tf.convert_to_tensor(starts, "int32"), tf.convert_to_tensor(ends, "int32")
    chance, share = tf.unstack(tf.random.stateless_uniform([2, 2, tf.size(starts)], seed, alg="philox"))
    cuts = tf.minimum(tf.cast(tf.where(chance < 0.5, share * longest, 0.0), "int32"), (ends - starts) // 4)
    # A sample after an even number of these stays.
    borders = tf.reshape(tf.stack([starts, starts + cuts[0], ends - cuts[1], ends], axis=1), [-1])
    before = tf.searchsorted(borders, tf.range(tf.size(audio)), side="right")
    return tf.boolean_mask(audio, before % 2 == 0)


def augment_waveform(audio, seed, options=WaveformAugmentation()):
    """A faster or slower, noisier, duller, louder or quieter version of an utterance, for `tf.data.Dataset.map`.

    The change of speed is band-limited interpolation: the spectrum of all samples, cut off or filled up with zeros, is
    turned back into fewer or more of them,

    `y = (m / n) irfft(rfft(audio, n), m)`, `factor = n / m`

    and the spectrum of the noise is `level max(frequency, LOWEST_NOISE)^(-slope / 2) e^(i phase)` with random phases.
    `n` and `m` are rounded up to products of 2, 3, 5, 7 and 11, for which a transform is fast; so the factor is what is
    returned, up to 2 % below what was drawn.

    Args:
        audio: float32 `(samples,)`, at most 2^22 samples.
        seed: integer `(2,)`; the same seed gives the same result.
        options: a `WaveformAugmentation`.

    Returns:
        audio: float32 `(about samples / factor,)` in [-1, 1].
        factor: float32 scalar. What was at time `t` is now at `t / factor`.

    >>> audio, factor = augment_waveform(tf.sin(tf.range(16000.0) / 9), [1, 2], WaveformAugmentation(speed=(1.0, 1.0)))
    >>> audio.shape, factor.numpy()
    (TensorShape([16000]), np.float32(1.0))
    """
    seeds = tf.random.split(seed, 2)
    low, high = tf.unstack(tf.constant(dataclasses.astuple(options)), axis=1)
    draws = _uniform([len(dataclasses.fields(options))], seeds[0])
    speed, snr_db, slope, gate, gain_db, low_cut, high_cut, clipping = tf.unstack(low + (high - low) * draws)
    samples = tf.cast(tf.size(audio), "float32")
    before = _fast_size(samples)
    after = _fast_size(tf.cast(before, "float32") / speed)
    factor = tf.cast(before / after, "float32")
    spectrum = resize_spectrum(tf.signal.rfft(audio, [before]), after // 2 + 1) / tf.cast(factor, "complex64")
    spectrum = _band(spectrum, low_cut, high_cut)
    power = tf.reduce_sum(tf.square(audio)) / tf.maximum(samples, 1.0)
    noise = _noise_spectrum(after, slope, power * 10 ** (-snr_db / 10), seeds[1])
    audio, noise = tf.unstack(tf.signal.irfft(tf.stack([spectrum, noise]), [after]), num=2)
    audio = (audio + noise * _gate(audio, gate))[: tf.cast(tf.round(samples / factor), "int32")]
    limit = clipping * tf.reduce_max(tf.abs(audio), keepdims=True)
    audio = tf.clip_by_value(audio, -limit, limit) * 10 ** (gain_db / 20)
    return audio / tf.maximum(1.0, tf.reduce_max(tf.abs(audio), keepdims=True)), factor


def _gate(audio, share):
    """1 where something near is louder than a share of the peak, else 0."""
    level = tf.abs(audio)
    blocks = tf.nn.max_pool1d(level[None, :, None], _BLOCK, _BLOCK, "SAME")
    near = tf.nn.max_pool1d(blocks, 3, 1, "SAME")[0, :, 0]
    is_open = (near > share * tf.reduce_max(level)) | (share <= 0)
    return tf.repeat(tf.cast(is_open, audio.dtype), _BLOCK)[: tf.size(audio)]


def _band(spectrum, low_cut, high_cut):
    """The part of a spectrum between two shares of its highest frequency, both included."""
    last = tf.cast(tf.size(spectrum) - 1, "float32")
    number = tf.range(tf.size(spectrum), dtype="int32")
    first, last = tf.cast(tf.math.ceil(low_cut * last), "int32"), tf.cast(tf.math.floor(high_cut * last), "int32")
    return tf.where((number >= first) & (number <= last), spectrum, 0.0)


def _noise_spectrum(samples, slope, power, seed):
    """The spectrum of `samples` of noise of that power: given magnitudes, random phases."""
    bins = samples // 2 + 1
    frequency = tf.range(bins, dtype="float32") / tf.cast(samples, "float32")
    magnitude = tf.where(frequency > 0, tf.maximum(frequency, LOWEST_NOISE) ** (-slope / 2), 0.0)
    # Parseval: the mean square of irfft(X, m) is 2 sum_k |X_k|^2 / m^2.
    scale = tf.sqrt(tf.math.divide_no_nan(power, 2 * tf.reduce_sum(tf.square(magnitude))))
    magnitude *= scale * tf.cast(samples, "float32")
    phase = 2 * np.pi * _uniform([bins], seed)
    return tf.complex(magnitude * tf.cos(phase), magnitude * tf.sin(phase))


def _fast_size(samples):
    """The least product of 2, 3, 5, 7 and 11 that is at least `samples`."""
    sizes = tf.constant(_FAST_SIZES)
    return tf.gather(sizes, tf.searchsorted(sizes, [tf.cast(tf.math.ceil(samples - 1e-3), "int32")])[0])


def _smooth_numbers(primes, limit):
    numbers = np.ones(1, "int64")
    for prime in primes:
        powers = prime ** np.arange(int(np.log(limit) / np.log(prime)) + 1)
        numbers = np.outer(numbers, powers).ravel()
        numbers = numbers[numbers <= limit]
    return np.sort(numbers).astype("int32")


_FAST_SIZES = _smooth_numbers((2, 3, 5, 7, 11), 2**22)


def _uniform(shape, seed):
    return tf.random.stateless_uniform(shape, seed, alg="philox")
