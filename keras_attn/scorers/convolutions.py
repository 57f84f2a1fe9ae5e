"""Convolutions over the frames of an alignment, of any number of frames, none too."""

import keras
import numpy as np
from keras import ops

from keras_attn import deferred

_SMALLEST_BLOCK = 16


def centred_convolution(filters, kernel_size, dtype):
    """A layer with the filters of a convolution whose window is centred, without bias; `convolve` applies it."""
    if kernel_size % 2 == 0:
        raise ValueError(f"Expected an odd number of frames. Received: kernel_size={kernel_size}")
    return keras.layers.Conv1D(filters, kernel_size, padding="valid", use_bias=False, name="convolution", dtype=dtype)


def convolve(convolution, channels):
    """Apply a centred convolution, with zeros beyond both ends.

    With few channels, a matrix product is much faster than the convolutions of the backends: each
    block of frames, between its neighbours, times the matrix that holds the filters at every position.

    Args:
        convolution: What `centred_convolution` made.
        channels: ``(batch, Tv, channels)``.

    Returns:
        ``(batch, Tv, filters)``.
    """
    size, _, filters = convolution.kernel.shape
    block = max(size // 2, _SMALLEST_BLOCK)
    batch, frames, _ = ops.shape(channels)
    blocks = _between_neighbours(ops.cast(channels, convolution.compute_dtype), block)
    filtered = deferred.matmul(blocks, _toeplitz(ops.cast(convolution.kernel, convolution.compute_dtype), block))
    return _first(ops.reshape(filtered, (batch, -1, filters)), frames)


def _between_neighbours(x, block):
    """``(batch, T, dim)`` to ``(batch, blocks, 3 * block * dim)``, padded with zeros at both ends."""
    batch, frames, dim = ops.shape(x)
    number = (frames + block - 1) // block
    rest = ops.zeros((batch, number * block - frames, dim), dtype=x.dtype)
    x = ops.reshape(ops.concatenate([x, rest], axis=1), (batch, number, block * x.shape[-1]))
    return ops.concatenate([_with_adjoint(_before, _after)(x), x, _with_adjoint(_after, _before)(x)], axis=-1)


def _with_adjoint(function, adjoint):
    """A linear function with its gradient; what autodiff makes of a slice is slow on TensorFlow."""

    @ops.custom_gradient
    def call(x):
        def gradient(*arguments, upstream=None):
            return adjoint(arguments[0] if upstream is None else upstream)

        return function(x), gradient

    return call


def _first(x, frames):
    """The first `frames` of ``(batch, T, dim)``."""
    batch, time, dim = ops.shape(x)

    def adjoint(dy):
        return ops.concatenate([dy, ops.zeros((batch, time - frames, dim), dtype=dy.dtype)], axis=1)

    return _with_adjoint(lambda x: x[:, :frames], adjoint)(x)


def _before(x):
    """The block before each one; zeros before the first."""
    return ops.concatenate([ops.zeros_like(x[:, :1]), x[:, :-1]], axis=1)


def _after(x):
    """The block after each one; zeros after the last."""
    return ops.concatenate([x[:, 1:], ops.zeros_like(x[:, :1])], axis=1)


def _toeplitz(kernel, block):
    """Filters ``(size, channels, filters)`` as a matrix ``(3 * block * channels, block * filters)``."""
    size, channels, filters = kernel.shape
    into, out = np.indices((3 * block, block))
    tap = into - block - out + size // 2
    nothing = ops.zeros_like(kernel[:1])
    kernel = ops.concatenate([kernel, nothing], axis=0)
    matrix = ops.take(kernel, np.where((tap >= 0) & (tap < size), tap, size), axis=0)
    return ops.reshape(ops.transpose(matrix, (0, 2, 1, 3)), (3 * block * channels, block * filters))


def windows(alignment, before, after):
    """The frames around each frame, with zeros beyond both ends.

    Args:
        alignment: ``(batch, Tv)``.
        before, after: Number of frames before and after each one.

    Returns:
        ``(batch, Tv, before + 1 + after)``.

    >>> print(ops.convert_to_numpy(windows(ops.array([[1, 2, 3]]), before=2, after=0)))
    [[[0 0 1]
      [0 1 2]
      [1 2 3]]]
    """
    frames = ops.shape(alignment)[1]
    padded = ops.pad(alignment, [[0, 0], [before, after]])
    return ops.stack([padded[:, start : start + frames] for start in range(before + 1 + after)], axis=-1)
