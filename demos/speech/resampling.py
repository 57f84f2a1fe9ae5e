"""Another sample rate, inside the graph: the spectrum of all samples, cut off or filled up with zeros."""

import numpy as np
import tensorflow as tf

# Share of the band over which it ends. A sharper end would ring longer at the edges of a recording.
ROLL_OFF = 0.08


def resample(waveform, rate, new_rate):
    """Bring a waveform to another sample rate by band-limited interpolation.

    The waveform is filled up with zeros to a whole number of seconds `S`, so that bin `k` of its spectrum is the
    frequency `k / S` at both rates, whatever they are:

    `y = (new_rate / rate) irfft(taper rfft(waveform, S rate), S new_rate)`

    where `taper` falls from 1 to 0, a squared sine, over the last part `ROLL_OFF` below half of the lower rate.

    Measured: away from the edges, a tone of 440 Hz is right to -120 dB from any of 8, 11.025, 22.05, 44.1, 48, 96 and
    192 kHz to 16 kHz, like soxr's. On 50 real recordings of digits, the difference to soxr's high quality is 40 to
    60 dB below the signal from 8 to 16 kHz, and 80 to 105 dB from 48 to 16 kHz; on white noise 31 dB, all of it in the
    roll-off.

    Args:
        waveform: float32 `(samples,)`.
        rate: integer scalar, Hz, a tensor or not.
        new_rate: integer, Hz.

    Returns:
        float32 `(round(samples new_rate / rate),)`; `waveform` itself if the rates are equal.

    >>> resample(tf.ones([44100]), 44100, 16000)[8000:8002].numpy().round(4).tolist()
    [1.0, 1.0]
    """
    rate = tf.cast(rate, "int32")
    return tf.cond(tf.equal(rate, new_rate), lambda: waveform, lambda: _resample(waveform, rate, new_rate))


def _resample(waveform, rate, new_rate):
    samples = tf.size(waveform)
    # At least a tenth of a second of zeros keeps the end from ringing into the start.
    seconds = (samples + rate // 10) // rate + 1
    half = seconds * tf.minimum(rate, new_rate) // 2
    spectrum = tf.signal.rfft(waveform, [seconds * rate])[:half]
    below = 1 - tf.range(half, dtype="float32") / tf.cast(half, "float32")
    taper = tf.square(tf.sin(np.pi / 2 * tf.minimum(below / ROLL_OFF, 1)))
    spectrum = resize_spectrum(spectrum * tf.cast(taper, "complex64"), seconds * new_rate // 2 + 1)
    ratio = new_rate / rate
    resampled = tf.signal.irfft(spectrum, [seconds * new_rate]) * tf.cast(ratio, "float32")
    return resampled[: tf.cast(tf.round(tf.cast(samples, "float64") * ratio), "int32")]


def resize_spectrum(spectrum, bins):
    """The first `bins` of a spectrum, zeros for those that it lacks."""
    return tf.pad(spectrum[:bins], [[0, tf.maximum(bins - tf.size(spectrum), 0)]])
