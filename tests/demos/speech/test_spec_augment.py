"""SpecAugment cuts and stretches what it says and no more."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from demos.speech.spec_augment import SpecAugment, warp_bands

LENGTHS = np.array([100, 60, 7, 0])
MASK = np.arange(100) < LENGTHS[:, None]
FEATURES = np.where(MASK[..., None], np.random.default_rng(0).uniform(1, 2, (4, 100, 40)), 0).astype("float32")


def test_identity_unless_training():
    layer = SpecAugment()
    np.testing.assert_array_equal(layer(FEATURES, MASK), FEATURES)
    np.testing.assert_array_equal(layer(FEATURES, MASK, training=False), FEATURES)


def stripes(flags):
    """Number of runs of True."""
    return np.count_nonzero(np.diff(np.concatenate([[0], flags.astype(int)])) == 1)


def test_cuts_stripes_no_wider_than_allowed():
    layer = SpecAugment(time_masks=2, time_share=0.1, frequency_masks=1, frequency_width=5, seed=3)
    widest = np.zeros(4, int)
    for _ in range(50):
        cut = np.asarray(layer(FEATURES, MASK, training=True)) == 0
        kept = ~cut
        np.testing.assert_array_equal(np.asarray(FEATURES)[kept] > 0, True)
        for i, length in enumerate(LENGTHS[:3]):
            frames, bands = cut[i, :length].all(1), cut[i, :length].all(0)
            np.testing.assert_array_equal(cut[i, :length], frames[:, None] | bands)
            assert stripes(frames) <= 2 and frames.sum() <= 2 * int(0.1 * length)
            assert stripes(bands) <= 1 and bands.sum() <= 5
            widest[i] = max(widest[i], frames.sum())
    assert widest[0] > 10 and widest[1] > 6 and widest[2] == 0


def test_stripes_reach_both_ends_and_differ_between_utterances():
    layer = SpecAugment(time_masks=1, time_share=0.5, frequency_masks=0, seed=0)
    features, mask = np.ones((512, 10, 2), "float32"), np.ones((512, 10), bool)
    cut = np.asarray(layer(features, mask, training=True))[..., 0] == 0
    assert cut.any(0).all()
    assert len(np.unique(cut, axis=0)) > 20
    assert set(cut.sum(1)) == set(range(6))


def test_a_warp_moves_peaks_by_one_factor_for_each_utterance():
    layer = SpecAugment(time_masks=0, frequency_masks=0, frequency_warp=0.1, seed=0)
    band = np.arange(40.0)
    # Two triangles, which interpolation keeps: their peaks, and the sums on either side of them.
    features = np.maximum(0, 1 - np.abs(band - 10) / 5) + 2 * np.maximum(0, 1 - np.abs(band - 30) / 5)
    warped = np.asarray(layer(np.tile(features, (300, 3, 1)).astype("float32"), np.ones((300, 3), bool), training=True))
    np.testing.assert_array_equal(warped[:, 0], warped[:, 2])
    low, high = warped[:, 0, :20], warped[:, 0, 20:]
    centres = (low @ band[:20]) / low.sum(1), (high @ band[20:]) / high.sum(1)
    np.testing.assert_allclose(centres[1] / centres[0], 3, atol=0.1)
    factors = 10 / centres[0]
    assert factors.min() == pytest.approx(0.9, abs=0.02) and factors.max() == pytest.approx(1.1, abs=0.02)
    assert factors.mean() == pytest.approx(1, abs=0.02)


def test_a_time_warp_moves_frames_and_keeps_their_order_and_both_ends():
    layer = SpecAugment(time_masks=0, frequency_masks=0, time_warp=0.2, seed=0)
    features = np.tile(np.arange(101.0)[:, None], (300, 1, 3)).astype("float32")
    warped = np.asarray(layer(features, np.ones((300, 101), bool), training=True))
    np.testing.assert_array_equal(warped[..., 0], warped[..., 2])
    warped = warped[..., 0]
    np.testing.assert_allclose(warped[:, [0, -1]], [[0, 100]] * 300, atol=1e-3)
    speed = np.diff(warped)
    # One speed before, one after; 0.25 / (0.25 + 0.2) at the least.
    assert speed.min() > 0.55 and ((np.abs(np.diff(speed)) > 1e-3).sum(1) <= 2).all()
    moved = (warped - np.arange(101))[np.arange(300), np.abs(warped - np.arange(101)).argmax(1)]
    assert -20.1 < moved.min() < -19 and 19 < moved.max() < 20.1 and abs(moved.mean()) < 2


@pytest.mark.parametrize("options", [{"frequency_warp": 0.2}, {"time_warp": 0.2}])
def test_a_warp_keeps_flat_features_and_padding(options):
    layer = SpecAugment(time_masks=0, frequency_masks=0, **options, seed=0)
    flat = np.where(MASK[..., None], 3.0, 0.0).repeat(40, -1).astype("float32")
    np.testing.assert_allclose(layer(flat, MASK, training=True), flat, atol=1e-6)


def test_seed_and_config():
    first, second = SpecAugment(seed=5), SpecAugment.from_config(SpecAugment(seed=5).get_config())
    np.testing.assert_array_equal(first(FEATURES, MASK, training=True), second(FEATURES, MASK, training=True))
    assert np.any(np.asarray(first(FEATURES, MASK, training=True)) != first(FEATURES, MASK, training=True))


def test_in_a_saved_model_of_unknown_sizes(tmp_path):
    inputs = [keras.Input((None, 40), name="features"), keras.Input((None,), dtype="bool", name="mask")]
    model = keras.Model(inputs, SpecAugment(seed=1)(*inputs))
    cut = np.asarray(model([FEATURES, MASK], training=True))
    assert cut.shape == FEATURES.shape and (cut != FEATURES).any()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded([FEATURES, MASK]), FEATURES)
    graph = tf.function(lambda x, m: model([x, m], training=True), input_signature=[
        tf.TensorSpec([None, None, 40]), tf.TensorSpec([None, None], tf.bool)])  # fmt: skip
    assert graph(FEATURES[:2, :50], MASK[:2, :50]).shape == (2, 50, 40)


@pytest.mark.parametrize(
    "options",
    [{"time_share": 1.5}, {"time_masks": -1}, {"frequency_width": -2}, {"frequency_warp": 1.5}, {"time_warp": 0.25}],
)
def test_refused_options(options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"Expected numbers >= 0.*{name}={value}"):
        SpecAugment(**options)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.13])
def test_warped_bands_take_what_is_between_bands(factor):
    features = np.random.default_rng(0).normal(size=(2, 3, 8)).astype("float32")
    warped = np.asarray(warp_bands(features, np.array([factor, 1.0], "float32")))
    places = np.minimum(factor * np.arange(8), 7)
    for frame, expected in zip(warped[0], features[0], strict=True):
        np.testing.assert_allclose(frame, np.interp(places, np.arange(8), expected), atol=1e-5)
    np.testing.assert_allclose(warped[1], features[1], atol=1e-6)
