"""Recurrences over the frames of a memory, in as many steps as its length can be halved."""

from keras import ops


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

    def join(earlier, later):
        return earlier[0] * later[0], later[0] * earlier[1] + later[1]

    return _double(join, (decay, inputs), fill=0)[1]


def linear_recurrence_by_frame(decay, inputs):
    """`linear_recurrence`, one frame after the other."""
    pairs = ops.stack([ops.broadcast_to(decay, ops.shape(inputs)), inputs])

    def step(before, pair):
        x = pair[0] * before + pair[1]
        return x, x

    start = ops.zeros_like(ops.sum(inputs, axis=-1))
    return ops.moveaxis(ops.scan(step, start, ops.moveaxis(pairs, -1, 0))[1], 0, -1)


def running_maximum(x):
    """The largest of ``x_0 ... x_j`` at ``j``.

    Args:
        x: ``(..., Tv)``, all at least -1e30.

    >>> print(ops.convert_to_numpy(running_maximum(ops.array([-2.0, 1.0, 0.0]))))
    [-2.  1.  1.]
    """
    return _double(lambda earlier, later: (ops.maximum(earlier[0], later[0]),), (x,), fill=-1e30)[0]


def _double(join, parts, fill):
    """Join the parts of all frames up to each one: those of 1, 2, 4, 8 ... frames, until that is all of them."""

    def join_twice_as_many(frames, *parts):
        return 2 * frames, *join([shift(part, frames, fill) for part in parts], parts)

    size, loop = parts[0].shape[-1], (1, *parts)
    if size is None:  # only on TensorFlow, where the gradient of a while loop is known
        size = ops.shape(parts[0])[-1]
        return ops.while_loop(lambda frames, *_: frames < size, join_twice_as_many, loop)[1:]
    while loop[0] < size:
        loop = join_twice_as_many(*loop)
    return loop[1:]
