"""Changes of features over time against NumPy."""

import numpy as np
import pytest

from demos.speech.deltas import deltas


@pytest.mark.parametrize("window", [1, 2, 5])
def test_each_utterance_is_as_alone_in_numpy(window):
    rng = np.random.default_rng(window)
    lengths = np.array([9, 4, 1, 0])
    features, mask = rng.normal(0, 1, (4, 9, 3)).astype("float32"), np.arange(9) < lengths[:, None]
    features[~mask] = np.nan
    out = np.asarray(deltas(features, mask, window))
    for utterance, length, found in zip(features, lengths, out, strict=True):
        padded = np.pad(utterance[:length], ((window, window), (0, 0)), "edge" if length else "constant")
        expected = padded[2 * window :] - padded[: -2 * window]
        np.testing.assert_array_equal(found[:length], expected[:length])
        assert not found[length:].any()


def test_what_stays_as_it_is_does_not_count():
    rng = np.random.default_rng(0)
    features, mask = rng.normal(0, 1, (2, 6, 4)), np.ones((2, 6), bool)
    louder = features + rng.normal(0, 3, (2, 1, 4))
    np.testing.assert_allclose(deltas(louder, mask, 2), deltas(features, mask, 2), atol=1e-6)
