"""Stacks of tensors for the loops of TensorFlow: what the steps take, and what they leave."""

import keras
import tensorflow as tf


class TensorStack:
    """A stack for every tensor of a nest.

    Reading an array step by step has a gradient that costs as much per step as the array is long;
    the gradient of a pop is a push.

    Args:
        like: Nest of tensors, each shaped as what is pushed and popped.
    """

    def __init__(self, like):
        self.like = like

    def of_slices(self, tensors):
        """Handles of the stacks that hold the slices of ``(T, ...)`` tensors, the last one on top."""
        return [tf.raw_ops.TensorListFromTensor(tensor=x, element_shape=tf.shape(x)[1:]) for x in tensors]

    def empty(self, most):
        """Handles of empty stacks that will hold `most` slices at most, which XLA has to know."""
        return [
            tf.raw_ops.EmptyTensorList(element_shape=tf.shape(x), max_num_elements=most, element_dtype=x.dtype)
            for x in keras.tree.flatten(self.like)
        ]

    def pop(self, handles):
        """The handles after it, and the nest that was on top."""
        pairs = [
            tf.raw_ops.TensorListPopBack(input_handle=handle, element_shape=tf.shape(x), element_dtype=x.dtype)
            for handle, x in zip(handles, keras.tree.flatten(self.like), strict=True)
        ]
        handles, found = [pair.output_handle for pair in pairs], [pair.tensor for pair in pairs]
        found = [tf.ensure_shape(x, y.shape) for x, y in zip(found, keras.tree.flatten(self.like), strict=True)]
        return handles, keras.tree.pack_sequence_as(self.like, found)

    def push(self, handles, nest):
        """The handles after it."""
        keras.tree.assert_same_structure(self.like, nest)
        pairs = zip(handles, keras.tree.flatten(nest), strict=True)
        return [tf.raw_ops.TensorListPushBack(input_handle=handle, tensor=x) for handle, x in pairs]

    def reserved(self, count):
        """Handles of stacks that already have the places of `count` slices, for `put`."""
        return [
            tf.raw_ops.TensorListReserve(element_shape=tf.shape(x), num_elements=count, element_dtype=x.dtype)
            for x in keras.tree.flatten(self.like)
        ]

    def put(self, handles, number, nest):
        """The handles after it."""
        keras.tree.assert_same_structure(self.like, nest)
        pairs = zip(handles, keras.tree.flatten(nest), strict=True)
        return [tf.raw_ops.TensorListSetItem(input_handle=handle, index=number, item=x) for handle, x in pairs]

    def all(self, handles, reverse=False):
        """The nest of ``(T, ...)`` tensors that were pushed, the first one first, or the last."""
        stacked = [
            tf.raw_ops.TensorListStack(input_handle=handle, element_shape=tf.shape(x), element_dtype=x.dtype)
            for handle, x in zip(handles, keras.tree.flatten(self.like), strict=True)
        ]
        stacked = keras.tree.pack_sequence_as(self.like, [tf.reverse(x, [0]) if reverse else x for x in stacked])
        return keras.tree.map_structure(lambda x, y: tf.ensure_shape(x, (None, *y.shape)), stacked, self.like)
