"""Log-mel features inside the graph."""

import keras
import numpy as np
from keras import ops

from demos.speech.mel import mel_filters


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class LogMel(keras.layers.Layer):
    """Log-mel features of a padded batch of waveforms.

    Frame `t` holds the samples `[t hop, t hop + window)`, weighted by a periodic Hann window:

    `features[t, b] = log(floor + sum_k mel_filters[k, b] |rfft(hann * frame[t])[k]|^2)`

    There is no padding at the edges. An utterance of `n` samples has `1 + max(0, n - window) // hop` frames, and none
    for `n = 0`; a shorter one than a window is filled up with zeros. This depends on its own length alone, so an
    utterance has the same frames in every batch.

    Samples past `num_samples` are replaced by zeros first (NaN there changes nothing), and features of frames past the
    utterance are 0. Everything is computed in float32 whatever the dtype policy. The Fourier transform is
    `keras.ops.rfft`: on 2 CPU cores twice as fast as two matrix products with the cosines and sines.

    Args:
        sample_rate: Hz.
        bands: number of mel bands.
        window: length of a frame, seconds.
        hop: time from a frame to the next, seconds.
        low_frequency: lower edge of the first band, Hz.
        high_frequency: upper edge of the last band, Hz; half of the sample rate when None.
        floor: power added before the logarithm. The default is a noise at about -78 dB of full scale.

    Call arguments:
        waveform: floating `(batch, samples)` in [-1, 1].
        num_samples: integer `(batch,)`, the real samples of each utterance.

    Returns:
        features: float32 `(batch, frames, bands)`.
        mask: bool `(batch, frames)`, True for the frames of the utterance.

    Raises:
        ValueError: a length, a frequency or the floor makes no sense, or the waveform holds integers.

    >>> features, mask = LogMel()(np.zeros((2, 16000), "float32"), np.array([16000, 8000]))
    >>> tuple(features.shape), np.sum(mask, axis=1).tolist()
    ((2, 98, 40), [98, 48])
    """

    def __init__(
        self,
        sample_rate=16000,
        bands=40,
        window=0.025,
        hop=0.010,
        low_frequency=20.0,
        high_frequency=None,
        floor=1e-5,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.sample_rate = sample_rate
        self.bands = bands
        self.window = window
        self.hop = hop
        self.low_frequency = low_frequency
        self.high_frequency = high_frequency
        self.floor = floor
        self._check()
        self._window_samples = round(window * sample_rate)
        self._hop_samples = round(hop * sample_rate)
        high = sample_rate / 2 if high_frequency is None else high_frequency
        self._filters = mel_filters(sample_rate, self._window_samples, bands, low_frequency, high)
        self._hann = np.hanning(self._window_samples + 1)[:-1].astype("float32")

    def _check(self):
        half = self.sample_rate / 2
        high = half if self.high_frequency is None else self.high_frequency
        if not 0 <= self.low_frequency < high <= half:
            raise ValueError(
                f"Expected 0 <= low_frequency < high_frequency <= sample_rate / 2 = {half:g}. "
                f"Received: low_frequency={self.low_frequency}, high_frequency={self.high_frequency}"
            )
        if round(self.window * self.sample_rate) < 2 or round(self.hop * self.sample_rate) < 1:
            raise ValueError(
                f"Expected window and hop in seconds, of at least 2 and 1 samples. "
                f"Received: window={self.window}, hop={self.hop}, sample_rate={self.sample_rate}"
            )
        if self.floor <= 0:
            raise ValueError(f"Expected floor > 0. Received: floor={self.floor}")

    def call(self, waveform, num_samples):
        if "float" not in str(waveform.dtype):
            raise ValueError(f"Expected floating samples in [-1, 1]. Received: waveform.dtype={waveform.dtype}")
        samples = ops.shape(waveform)[1]
        num_samples = ops.minimum(ops.cast(num_samples, "int32"), samples)
        real = ops.arange(samples, dtype="int32") < num_samples[:, None]
        features = self._log_mel(self._frames(ops.where(real, ops.cast(waveform, "float32"), 0.0)))
        mask = ops.arange(ops.shape(features)[1], dtype="int32") < self.num_frames(num_samples)[:, None]
        return ops.where(mask[..., None], features, 0.0), mask

    def _frames(self, waveform):
        # Zeros for one window more give every frame that is wanted, and the slice drops the rest; at least one frame
        # is kept, so that the frame axis is never empty.
        window, hop, samples = self._window_samples, self._hop_samples, ops.shape(waveform)[1]
        frames = ops.extract_sequences(ops.pad(waveform, [[0, 0], [0, window]]), window, hop)
        longer = samples - window
        longer = max(longer, 0) if isinstance(longer, int) else ops.maximum(longer, 0)
        return frames[:, : 1 + longer // hop]

    def _log_mel(self, frames):
        real, imaginary = ops.rfft(frames * self._hann, fft_length=self._window_samples)
        power = ops.square(real) + ops.square(imaginary)
        return ops.log(ops.matmul(power, self._filters) + self.floor)

    def num_frames(self, num_samples):
        """Frames of utterances of `num_samples` samples: `1 + max(0, n - window) // hop`, and 0 where `n <= 0`.

        >>> LogMel().num_frames(np.array([0, 1, 400, 559, 560])).numpy().tolist()
        [0, 1, 1, 1, 2]
        """
        num_samples = ops.cast(num_samples, "int32")
        frames = 1 + ops.maximum(num_samples - self._window_samples, 0) // self._hop_samples
        return ops.where(num_samples > 0, frames, 0)

    def frame_times(self, num_frames):
        """Times of the middles of frames `0 .. num_frames - 1`, seconds, float32 `(num_frames,)`.

        >>> print(LogMel().frame_times(3).numpy())
        [0.0125 0.0225 0.0325]
        """
        frames = ops.cast(ops.arange(num_frames, dtype="int32"), "float32")
        return self.first_frame_time + self.frame_duration * frames

    @property
    def frame_grid(self):
        """Where the frames lie: `frame_duration`, and `offset`, the start of the first one, in seconds.

        A frame lasts from half a `frame_duration` before to half after its middle.
        """
        return {"frame_duration": self.frame_duration, "offset": self.first_frame_time - self.frame_duration / 2}

    @property
    def first_frame_time(self):
        """Time of the middle of the first frame, seconds."""
        return self._window_samples / 2 / self.sample_rate

    @property
    def frame_duration(self):
        """Seconds from a frame to the next."""
        return self._hop_samples / self.sample_rate

    def get_config(self):
        names = ("sample_rate", "bands", "window", "hop", "low_frequency", "high_frequency", "floor")
        return super().get_config() | {name: getattr(self, name) for name in names}
