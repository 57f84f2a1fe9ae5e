"""Recurrences over the frames of a memory."""

from keras import ops

from keras_attn.associative_scan import associative_scan


def shift(x, frames=1, fill=0):
    """Move every element `frames` frames on, or back where negative; what is left empty gets `fill`.

    Args:
        x: ``(..., Tv)``.

    >>> x = ops.array([1, 2, 3])
    >>> print(ops.convert_to_numpy(shift(x)), ops.convert_to_numpy(shift(x, -2)))
    [0 1 2] [3 0 0]
    """
    size = ops.shape(x)[-1]
    source = ops.arange(size, dtype="int32") - frames
    inside = ops.logical_and(source >= 0, source < size)
    return ops.where(inside, ops.roll(x, frames, axis=-1), ops.cast(fill, x.dtype))


def linear_recurrence(decay, inputs):
    """Solve ``x_j = decay_j x_{j-1} + inputs_j``, ``x_{-1} = 0``.

    Nothing is divided or taken from anything else: where `decay` and `inputs` are not negative,
    ``x`` is as precise as they are, however long the memory is.

    Args:
        decay: ``(..., Tv)``.
        inputs: ``(..., Tv)``, to which `decay` must broadcast.

    >>> print(ops.convert_to_numpy(linear_recurrence(ops.array([0.5, 0.5, 0.5]), ops.array([1.0, 0.0, 4.0]))))
    [1.   0.5  4.25]
    """

    def combine(earlier, later):
        return earlier[0] * later[0], later[0] * earlier[1] + later[1]

    return associative_scan(combine, [decay, inputs], identity=[1, 0])[1]


def linear_recurrence_by_frame(decay, inputs):
    """`linear_recurrence`, one frame after the other."""
    pairs = ops.moveaxis(ops.stack([ops.broadcast_to(decay, ops.shape(inputs)), inputs]), -1, 0)
    start = ops.zeros_like(ops.sum(inputs, axis=-1))

    def step(before, pair):
        x = pair[0] * before + pair[1]
        return x, x

    # With a frame in front: not every backend takes a loop of no steps.
    pairs = ops.pad(pairs, [[1, 0]] + [[0, 0]] * (len(pairs.shape) - 1))
    return ops.moveaxis(ops.scan(step, start, pairs)[1][1:], 0, -1)


def running_maximum(x):
    """The largest of ``x_0 ... x_j`` at ``j``.

    Args:
        x: ``(..., Tv)``, all at least -1e30.

    >>> print(ops.convert_to_numpy(running_maximum(ops.array([-2.0, 1.0, 0.0]))))
    [-2.  1.  1.]
    """
    return associative_scan(lambda earlier, later: [ops.maximum(earlier[0], later[0])], [x], identity=[-1e30])[0]
