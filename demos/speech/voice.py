"""A voice, which features can be made independent of."""

from typing import NamedTuple

import numpy as np
from keras import ops

from demos.speech.spec_augment import warp_bands


class Voice(NamedTuple):
    """A voice, or those of a batch, with an axis `batch` first.

    Attributes:
        mean: float32 `(bands,)`, log-mel features of the loud frames. Of a few words it depends on which they are.
        frequency_warp: float32 scalar, see `warp_bands`: below 1 for longer vocal tracts than those of the training.
    """

    mean: np.ndarray
    frequency_warp: np.ndarray

    def level(self, log_mel, mask):
        """Features `(batch, frames, bands)` as if all voices were alike; 0 where `mask` is False.

        >>> voice = Voice(np.array([[1.0, 2.0]]), np.array([1.0]))
        >>> voice.level(np.array([[[1.0, 4.0], [5.0, 5.0]]]), np.array([[True, False]])).numpy().tolist()
        [[[0.0, 2.0], [0.0, 0.0]]]
        """
        warped = warp_bands(log_mel - self.mean[:, None], self.frequency_warp)
        return ops.where(mask[..., None], warped, 0.0)
