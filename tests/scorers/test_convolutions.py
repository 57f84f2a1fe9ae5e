import numpy as np
import pytest
from keras import ops

from keras_attn.scorers import convolutions


@pytest.mark.parametrize("frames", [0, 1, 2, 7])
def test_windows(rng, frames):
    alignment = rng.normal(size=(2, frames)).astype("float32")
    result = ops.convert_to_numpy(convolutions.windows(ops.convert_to_tensor(alignment), before=3, after=1))
    assert result.shape == (2, frames, 5)
    for j in range(frames):
        for k in range(5):
            frame = j + k - 3
            expected = alignment[:, frame] if 0 <= frame < frames else 0
            np.testing.assert_array_equal(result[:, j, k], expected)


@pytest.mark.parametrize("frames", [0, 1, 2, 7])
@pytest.mark.parametrize("size", [1, 5])
def test_a_convolution_is_a_product_of_windows_and_kernel(rng, frames, size):
    alignment = ops.cast(rng.normal(size=(2, frames)), "float32")
    layer = convolutions.centred_convolution(3, size, "float32")
    layer.build((None, None, 1))
    result = ops.convert_to_numpy(convolutions.convolve(layer, alignment[..., None]))
    windows = ops.convert_to_numpy(convolutions.windows(alignment, size // 2, size // 2))
    np.testing.assert_allclose(result, windows @ ops.convert_to_numpy(layer.kernel)[:, 0], atol=1e-6)
    assert result.shape == (2, frames, 3)
