import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import alignment_reductions as reductions


@pytest.mark.parametrize("y", [0.0, 1e-45, 1e-40, 1e-25, 1.1e-18, 2.0])
def test_dividing_by_next_to_nothing_has_finite_gradients(y):
    from tests.contract import gradients

    x, y = keras.Variable(np.float32(y)), keras.Variable(np.float32(y))
    gradient = gradients(lambda: reductions.divide(x.value, y.value), [x, y])
    assert np.isfinite(gradient).all()
    assert ops.convert_to_numpy(reductions.divide(x.value, y.value)) == (1.0 if np.any(gradient) else 0.0)


def test_hard_links():
    alignment = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4], [0, 0, 0], [0, 0, 0.1]], "float32")
    expected = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1]], bool)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(reductions.hard_links(ops.convert_to_tensor(alignment))), expected
    )


def test_share_inside():
    spans = np.array([[[0.1, 0.4], [0.15, 0.18], [-5, 9], [0.3, 0.2], [-1, -1], [np.nan, np.nan]]], "float32")
    alignment = ops.zeros((1, 6, 3))
    result = reductions.share_inside(spans, alignment, frame_duration=0.1, offset=0.05)
    expected = [[0.5, 1, 1], [0, 0.3, 0], [1, 1, 1], [0] * 3, [0] * 3, [0] * 3]
    np.testing.assert_allclose(ops.convert_to_numpy(result)[0], expected, atol=1e-5)
