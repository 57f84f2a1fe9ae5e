"""Convolutions over the frames of an alignment, of any number of frames, none too."""

import keras
import numpy as np
from keras import ops

from keras_attn import deferred, rows

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
    number = (frames + block - 1) // block
    blocks = _between_neighbours(ops.cast(channels, convolution.compute_dtype), block, number)
    filtered = deferred.matmul(blocks, _toeplitz(ops.cast(convolution.kernel, convolution.compute_dtype), block))
    return _first(ops.reshape(filtered, (batch, number * block, filters)), frames)


def _between_neighbours(x, block, number):
    """``(batch, T, dim)`` to ``(batch * number, 3 * block * dim)``, blocks padded with zeros at both ends."""
    batch, frames, dim = ops.shape(x)

    def function(x):
        x = ops.pad(x, [[0, 0], [block, (number + 1) * block - frames], [0, 0]])
        x = ops.reshape(x, (batch, number + 2, block * dim))
        x = ops.concatenate([x[:, :-2], x[:, 1:-1], x[:, 2:]], axis=-1)
        return ops.reshape(x, (-1, 3 * block * dim))

    def adjoint(dy):
        parts = enumerate(ops.split(ops.reshape(dy, (batch, number, 3 * block * dim)), 3, axis=-1))
        x = sum(ops.pad(part, [[0, 0], [start, 2 - start], [0, 0]]) for start, part in parts)
        return ops.reshape(x, (batch, (number + 2) * block, dim))[:, block : block + frames]

    return _with_adjoint(function, adjoint)(x)


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
        return ops.pad(dy, [[0, 0], [0, time - frames], [0, 0]])

    return _with_adjoint(lambda x: ops.slice(x, (0, 0, 0), (batch, frames, dim)), adjoint)(x)


def _toeplitz(kernel, block):
    """Filters ``(size, channels, filters)`` as a matrix ``(3 * block * channels, block * filters)``."""
    size, channels, filters = kernel.shape
    into, out = np.indices((3 * block, block))
    tap = into - block - out + size // 2
    nothing = ops.zeros_like(kernel[:1])
    kernel = ops.concatenate([kernel, nothing], axis=0)
    matrix = rows.take(kernel, np.where((tap >= 0) & (tap < size), tap, size))
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
