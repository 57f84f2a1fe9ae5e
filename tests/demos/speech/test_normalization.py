"""Normalisation against NumPy."""

import numpy as np
import pytest

from demos.speech.normalization import LOUD, FeatureNormalization, masked_statistics, subtract_mean


def test_statistics_equal_numpy_over_real_frames_in_any_cut():
    rng = np.random.default_rng(1)
    features, mask = rng.normal(50, [1e-2, 3.0], (6, 11, 2)), rng.random((6, 11)) < 0.6
    features[~mask] = np.nan
    mask[5] = False
    count, mean, variance = masked_statistics((features[i], mask[i]) for i in (slice(2), slice(2, 5), slice(5, 6)))
    assert count == mask.sum()
    np.testing.assert_allclose(mean, features[mask].mean(0), rtol=1e-12)
    np.testing.assert_allclose(variance, features[mask].var(0), rtol=1e-9)


def test_normalised_features_have_mean_0_and_variance_1():
    rng = np.random.default_rng(0)
    features, mask = (
        rng.normal(3, 2, (5, 40, 8)).astype("float32"),
        np.arange(40) < np.array([[40], [17], [2], [1], [0]]),
    )
    layer = FeatureNormalization()
    layer.adapt([(features, mask)])
    out, mask = np.asarray(layer(features, mask)), np.asarray(mask)
    np.testing.assert_allclose(out[mask].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(out[mask].std(0), 1, atol=1e-3)
    assert not out[~mask].any()
    assert not layer.trainable_weights and len(layer.weights) == 2


def test_adapt_refuses_nothing_and_nan():
    with pytest.raises(ValueError, match="Received: frames=0"):
        FeatureNormalization().adapt([(np.zeros((1, 2, 3)), np.zeros((1, 2), bool))])
    with pytest.raises(ValueError, match="Expected finite features"):
        FeatureNormalization().adapt([(np.full((1, 2, 3), np.nan), np.ones((1, 2), bool))])


def test_silence_around_an_utterance_does_not_change_it():
    """Whether it is the silence of a file or of a room, 30 dB and more below the loudest frame."""
    rng = np.random.default_rng(1)
    speech = rng.normal(0, 1, (1, 9, 4)).astype("float32")
    peak = speech.max()
    quiet = peak - LOUD - rng.uniform(0.1, 5, (1, 6, 4)).astype("float32")
    longer = np.concatenate([quiet[:, :2], speech, quiet[:, 2:], 99 * np.ones((1, 3, 4), "float32")], axis=1)
    mask = np.arange(18)[None] < 15
    inside = np.asarray(subtract_mean(longer, mask))
    alone = np.asarray(subtract_mean(speech, np.ones((1, 9), bool)))
    np.testing.assert_allclose(inside[:, 2:11], alone, atol=1e-5)
    np.testing.assert_allclose(alone.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_array_equal(inside[:, 15:], 0)


def test_the_mean_of_nothing_is_finite():
    features = np.full((2, 3, 4), np.log(1e-5), "float32")
    out = np.asarray(subtract_mean(features, np.array([[True] * 3, [False] * 3])))
    np.testing.assert_allclose(out, 0, atol=1e-5)
