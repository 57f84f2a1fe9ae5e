"""What the steps of a `keras.ops.while_loop` leave behind, one record a step."""

import keras
from keras import ops


class Records:
    """Records of the steps; what a loop carries is `empty` and then what `add` returns.

    Args:
        like: Nest of tensors, each shaped as in a record.
        steps: The largest number of records.
    """

    def __init__(self, like, steps):
        self.like, self.steps = keras.tree.map_structure(ops.convert_to_tensor, like), steps

    def empty(self):
        return keras.tree.map_structure(lambda x: ops.zeros((self.steps, *ops.shape(x)), x.dtype), self.like)

    def add(self, records, time, record):
        """`records` and `record`, that of step `time`, an int32 scalar."""
        now = ops.reshape(time, (1, 1))
        return keras.tree.map_structure(lambda x, y: ops.scatter_update(x, now, y[None]), records, record)

    def all(self, records):
        """Nest of ``(steps, ...)`` tensors, zeros from the step on that was not made."""
        return records


class RecordsOnStacks(Records):
    """On TensorFlow, where an update copies all records."""

    def empty(self):
        return self._stack().empty(self.steps)

    def add(self, records, time, record):
        return self._stack().push(records, record)

    def all(self, records):
        def fill(x):
            rest = [[0, self.steps - ops.shape(x)[0]], *[[0, 0]] * (len(x.shape) - 1)]
            return ops.pad(x, rest)

        return keras.tree.map_structure(fill, self._stack().all(records))

    def _stack(self):
        from keras_attn.tensor_stack import TensorStack

        return TensorStack(self.like)


def of_backend(like, steps):
    """The `Records` of this backend."""
    return (RecordsOnStacks if keras.config.backend() == "tensorflow" else Records)(like, steps)
