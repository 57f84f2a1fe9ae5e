"""Convolutions over the frames of an alignment, of any number of frames, none too."""

import keras
from keras import ops


def centred_convolution(filters, kernel_size, dtype):
    """A layer with the filters of a convolution whose window is centred, without bias; `convolve` applies it."""
    if kernel_size % 2 == 0:
        raise ValueError(f"Expected an odd number of frames. Received: kernel_size={kernel_size}")
    return keras.layers.Conv1D(filters, kernel_size, padding="valid", use_bias=False, name="convolution", dtype=dtype)


def convolve(convolution, channels):
    """Apply a centred convolution, with zeros beyond both ends.

    Args:
        convolution: What `centred_convolution` made.
        channels: ``(batch, Tv, channels)``.

    Returns:
        ``(batch, Tv, filters)``.
    """
    (size,) = convolution.kernel_size
    # One frame more than the window needs, since TensorFlow makes no convolution without output.
    padded = ops.pad(channels, [[0, 0], [size // 2, size // 2 + 1], [0, 0]])
    return convolution(padded)[:, :-1]


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
