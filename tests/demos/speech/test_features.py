"""LogMel against librosa, padding and lengths."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from demos.speech.features import LogMel
from demos.speech.mel import mel_filters
from demos.speech.normalization import FeatureNormalization

LENGTHS = np.array([16000, 9876, 401, 37, 0], "int32")


@pytest.fixture(scope="module")
def batch():
    waveform = np.random.default_rng(0).uniform(-0.5, 0.5, (len(LENGTHS), 16000)).astype("float32")
    return waveform * (np.arange(16000) < LENGTHS[:, None]), LENGTHS


def alone(layer, waveform, length):
    features, _ = layer(waveform[None, :length], np.array([length]))
    return np.asarray(features)[0]


@pytest.mark.parametrize("options", [{}, {"bands": 80, "sample_rate": 8000, "window": 0.032, "low_frequency": 60.0}])
def test_equals_librosa(batch, options):
    import librosa

    layer = LogMel(**options)
    rate, window = layer.sample_rate, round(layer.window * layer.sample_rate)
    waveform = batch[0][0, :15999]  # not a multiple of the hop
    power = librosa.feature.melspectrogram(
        y=waveform, sr=rate, n_fft=window, hop_length=round(layer.hop * rate), center=False, htk=True, norm=None,
        n_mels=layer.bands, fmin=layer.low_frequency, fmax=rate / 2,
    )  # fmt: skip
    features = alone(layer, waveform, 15999)
    assert features.shape == power.T.shape
    np.testing.assert_allclose(features, np.log(power.T + layer.floor), atol=1e-4)


def test_a_tone_peaks_in_the_band_around_its_frequency():
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype("float32")
    peaks = alone(LogMel(), tone, 16000).argmax(-1)
    filters = mel_filters(16000, 16000, 40, 20.0, 8000.0)  # 1 Hz apart
    assert set(peaks) == {filters[440].argmax()}


def test_frames_do_not_depend_on_the_batch(batch):
    layer = LogMel()
    features, mask = (np.asarray(x) for x in layer(*batch))
    assert mask.sum(1).tolist() == [98, 60, 1, 1, 0] == np.asarray(layer.num_frames(LENGTHS)).tolist()
    assert not features[~mask].any()
    for i, length in enumerate(LENGTHS[:4]):
        np.testing.assert_allclose(features[i, : mask[i].sum()], alone(layer, batch[0][i], length), atol=1e-6)


@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e30])
def test_what_is_in_the_padding_does_not_matter(batch, junk):
    waveform, lengths = batch
    dirty = np.where(np.arange(16000) < lengths[:, None], waveform, np.float32(junk)).astype("float32")
    np.testing.assert_array_equal(LogMel()(dirty, lengths)[0], LogMel()(waveform, lengths)[0])


def test_more_samples_than_there_are_count_as_all(batch):
    features, mask = LogMel()(batch[0][:1], np.array([10**6]))
    np.testing.assert_array_equal(features, LogMel()(batch[0][:1], np.array([16000]))[0])
    assert np.all(mask)


def test_runs_in_a_graph_of_unknown_sizes(batch):
    layer = LogMel()
    spec = [tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.int32)]
    graph = tf.function(layer.__call__, input_signature=spec)
    for samples in (16000, 1234, 400, 30, 0):
        features, mask = graph(batch[0][:, :samples], np.minimum(LENGTHS, samples))
        assert features.shape == (5, max(1, mask.shape[1]), 40)
        eager = layer(batch[0][:, :samples], np.minimum(LENGTHS, samples))
        np.testing.assert_allclose(features, eager[0], atol=1e-6)
        np.testing.assert_array_equal(mask, eager[1])


def test_float32_under_mixed_precision(batch):
    layer = LogMel(dtype="mixed_bfloat16")
    np.testing.assert_array_equal(layer(*batch)[0], LogMel()(*batch)[0])
    normalization = FeatureNormalization(dtype="mixed_bfloat16")
    assert normalization(*layer(*batch)).dtype == "float32"


def front_end():
    waveform = keras.Input((None,), dtype="float32", name="waveform")
    num_samples = keras.Input((), dtype="int32", name="num_samples")
    features, mask = LogMel(bands=20, high_frequency=7000.0)(waveform, num_samples)
    assert features.shape == (None, None, 20) and mask.shape == (None, None)
    assert (features.dtype, mask.dtype) == ("float32", "bool")
    return keras.Model([waveform, num_samples], FeatureNormalization()(features, mask))


def test_keras_file_round_trip_and_export(batch, tmp_path):
    model = front_end()
    model.layers[-1].adapt([LogMel(bands=20, high_frequency=7000.0)(*batch)])
    expected = model(list(batch))
    model.save(tmp_path / "front_end.keras")
    loaded = keras.saving.load_model(tmp_path / "front_end.keras")
    np.testing.assert_array_equal(loaded(list(batch)), expected)
    model.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(served.serve([tf.constant(x) for x in batch]), expected, atol=1e-5)
    operations = {node.op for node in served.signatures["serving_default"].graph.as_graph_def().node}
    assert not [name for name in operations if "PyFunc" in name or "Cudnn" in name]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"high_frequency": 9000.0}, "Received: low_frequency=20.0, high_frequency=9000.0"),
        ({"window": 0.0}, "Received: window=0.0, hop=0.01"),
        ({"hop": 0.0}, "Received: window=0.025, hop=0.0"),
        ({"floor": 0.0}, "Received: floor=0.0"),
        ({"bands": 200}, "Received: bands=200"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        LogMel(**options)


def test_integer_samples_are_refused():
    with pytest.raises(ValueError, match="Expected floating samples in \\[-1, 1\\]"):
        LogMel()(np.zeros((1, 800), "int16"), np.array([800]))


def test_frame_times_are_the_middles():
    np.testing.assert_allclose(np.asarray(LogMel().frame_times(98))[[0, -1]], [0.0125, 0.9825], rtol=1e-6)
