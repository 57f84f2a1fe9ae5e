"""An `AttentionRNN` is built from shapes alone, saved and exported."""

import keras
import numpy as np
import pytest

from keras_attn import AttentionRNN
from tests.attention_rnn_cells import every_cell, model
from tests.contract import assert_close, assert_same, to_numpy

BACKEND = keras.config.backend()


@pytest.fixture
def arrays(rng):
    """Sequences (2, 6, 4) and values (2, 5, 3)."""
    return [rng.normal(size=size).astype("float32") for size in ((2, 6, 4), (2, 5, 3))]


@every_cell
def test_build_alone_makes_all_variables(arrays, make_cell):
    called, built = AttentionRNN(make_cell(), name="rnn"), AttentionRNN(make_cell(), name="rnn")
    called(*arrays)
    built.build((None, None, 4), (None, None, 3))
    assert [weight.shape for weight in built.weights] == [weight.shape for weight in called.weights]
    paths = [weight.path for weight in built.weights]
    assert len(paths) == len(set(paths)) and all(path.startswith("rnn/") for path in paths)
    built(*arrays)
    assert [weight.path for weight in built.weights] == paths


@every_cell
def test_saved_and_exported_models_are_the_same_model(arrays, make_cell, tmp_path):
    original = model(AttentionRNN(make_cell()), return_attention_scores=True)
    expected = to_numpy(original(arrays))
    original.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same(to_numpy(loaded(arrays)), expected)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        loaded.export(tmp_path / "exported", verbose=False)
        served = tf.saved_model.load(tmp_path / "exported")
        assert_close(to_numpy(served.serve(arrays)), expected, 1e-6)
        longer = [np.tile(x, (2, 3, 1)) for x in arrays]
        assert_close(to_numpy(served.serve(longer)), to_numpy(loaded(longer)))
