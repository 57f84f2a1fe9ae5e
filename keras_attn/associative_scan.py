"""All prefixes of an associative operation, also over an axis of unknown length and in graphs of small size."""

from keras import ops


def associative_scan(combine, elements, identity):
    """Combine the first elements of the last axis, the first two, the first three ...

    It takes log2(T) combinations of everything with what stands 1, 2, 4 ... places before. (On TensorFlow,
    `keras.ops.associative_scan` makes a graph of thousands of operations when T is unknown.)

    Args:
        combine: Associative function of two lists of tensors, the earlier one first, which returns such a list.
        elements: List of tensors ``(..., T)``.
        identity: For each of them, the number that changes nothing when it is combined with another from before.

    Returns:
        List of tensors ``(..., T)``.

    >>> x = ops.convert_to_tensor([[1.0, 2.0, 3.0, 4.0]])
    >>> print(ops.convert_to_numpy(associative_scan(lambda x, y: [x[0] + y[0]], [x], [0.0])[0]))
    [[ 1.  3.  6. 10.]]
    """
    size = ops.shape(elements[0])[-1]

    def widen(distance, *elements):
        earlier = [_later(x, distance, fill) for x, fill in zip(elements, identity, strict=True)]
        return 2 * distance, *combine(earlier, list(elements))

    if not isinstance(size, int):
        return list(ops.while_loop(lambda distance, *_: distance < size, widen, (ops.ones((), "int32"), *elements))[1:])
    distance = 1
    while distance < size:  # unrolled, since JAX has no gradient of a loop
        distance, *elements = widen(distance, *elements)
    return list(elements)


def _later(x, distance, fill):
    """`x` moved by `distance` places along the last axis."""
    moved = ops.roll(x, distance, axis=-1)
    return ops.where(ops.arange(ops.shape(x)[-1], dtype="int32") < distance, ops.cast(fill, x.dtype), moved)
