"""The axis of heads, which scores and alignments may have after that of the batch."""

from keras import ops


def split(x, heads):
    """``(batch, T, heads * dim)`` to ``(batch, heads, T, dim)``; `x` itself when `heads` is None."""
    if heads is None:
        return x
    x = ops.reshape(x, (*ops.shape(x)[:2], heads, x.shape[-1] // heads))
    return ops.transpose(x, (0, 2, 1, 3))


def join(x, heads):
    """``(batch, heads, T, dim)`` to ``(batch, T, heads * dim)``; `x` itself when `heads` is None."""
    if heads is None:
        return x
    x = ops.transpose(x, (0, 2, 1, 3))
    return ops.reshape(x, (*ops.shape(x)[:2], x.shape[-2] * x.shape[-1]))


def of_all(x, heads):
    """The same for every head: ``(batch, ...)`` to ``(batch, 1, ...)``; `x` itself when `heads` is None."""
    return x if heads is None or x is None else x[:, None]


def swap(x):
    """``(batch, heads, Tq, Tv)`` to ``(batch, Tq, heads, Tv)`` and back; ``(batch, Tq, Tv)`` itself."""
    return x if len(x.shape) == 3 else ops.swapaxes(x, 1, 2)
