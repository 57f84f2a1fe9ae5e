"""A recogniser of a few units with random weights, which writes something about any sound."""

import keras
import numpy as np

from demos.speech.model import ListenAttendSpell
from demos.speech.text import Vocabulary

RATE = 8000


def make(characters=" abcdefghijklm", rate=RATE, seed=1, units=8, **features):
    keras.utils.set_random_seed(seed)
    features = {"sample_rate": rate, "bands": 16, **features}
    model = ListenAttendSpell(Vocabulary(characters), features, {"units": units}, {"embedding": 6, "units": 12})
    # Large weights, so that what is written depends on what is heard.
    model.set_weights([4 * weight if weight.ndim > 1 else weight for weight in model.get_weights()])
    return model


def sound(seconds, rate=RATE, seed=0):
    """A sum of tones that come and go, float32 `(samples,)`, none of them near the upper end of the band."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    tones = [np.sin(2 * np.pi * (f * time + p)) for f, p in rng.uniform((100, 0), (2500, 1), (12, 2))]
    swell = [np.sin(2 * np.pi * (f * time + p)) for f, p in rng.uniform((1, 0), (5, 1), (12, 2))]
    edges = np.minimum(1, np.minimum(time, time[::-1]) / 0.01)
    return (0.05 * edges * np.sum(np.array(tones) * swell, axis=0)).astype("float32")


def batch(sounds):
    """`waveform` and `num_samples`, padded with NaN, which must not matter."""
    waveform = np.full((len(sounds), max(map(len, sounds))), np.nan, "float32")
    for row, one in zip(waveform, sounds, strict=True):
        row[: len(one)] = one
    return waveform, np.array([len(one) for one in sounds], "int32")
