"""The loop of `loops.scan` on TensorFlow, where `keras.ops.scan` and its gradient are slow."""

import keras
import tensorflow as tf

from keras_attn import deferred


def scan(step, state, inputs):
    """What `keras.ops.scan` computes, with the gradients of products with constants deferred.

    A run of the step outside the loop finds the products. In the loop, each has a *tap*: zeros
    that take the gradient of the product out of the loop.

    Args:
        step: Takes the state and a nest of slices, returns the next state and a nest of outputs.
        state: Nest of tensors.
        inputs: Nest of ``(T, ...)`` tensors.

    Returns:
        The last state, and the outputs of all steps, ``(T, ...)``.
    """
    state, inputs = keras.tree.map_structure(tf.convert_to_tensor, (state, inputs))
    length = tf.shape(keras.tree.flatten(inputs)[0])[0]
    with keras.StatelessScope(), deferred.recording(_Plan()) as plan:
        _, outputs = step(state, keras.tree.map_structure(_zeros_of_a_step, inputs))
    taps = [product.taps(length) for product in plan.products]
    slices = keras.tree.map_structure(lambda x: _array(x.dtype, x.shape[1:], length).unstack(x), (inputs, taps))

    def body(i, state, arrays):
        x, taps = keras.tree.map_structure(lambda array: array.read(i), slices)
        with deferred.recording(_Step(plan.products, taps)) as recorder:
            after, outputs = step(state, x)
        collected = (outputs, [_as_bits(x) for x in recorder.x])
        arrays = keras.tree.map_structure(lambda array, y: array.write(i, y), arrays, collected)
        return i + 1, keras.tree.pack_sequence_as(state, keras.tree.flatten(after)), arrays

    collected = (outputs, [_as_bits(product.x) for product in plan.products])
    arrays = keras.tree.map_structure(lambda x: _array(x.dtype, x.shape, length), collected)
    loop = (tf.zeros((), "int32"), state, arrays)
    _, state, arrays = tf.while_loop(lambda i, *_: i < length, body, loop, maximum_iterations=length)
    outputs, collected = keras.tree.map_structure(lambda array: array.stack(), arrays)
    for product, x in zip(plan.products, collected, strict=True):
        product.x = tf.bitcast(x, product.w.dtype)
    return state, outputs


class _Product:
    """A product with the constant `w`; `x` is that of one step in the plan, those of all steps after the loop."""

    def __init__(self, x, w):
        self.x, self.w = x, tf.convert_to_tensor(w)
        self.transposed = tf.linalg.matrix_transpose(self.w)  # In the loop, products with it are the faster ones.
        self.y = tf.matmul(x, self.w)

    def taps(self, length):
        """Zeros ``(T, ...)``, whose gradient is that of the products; from it comes that of `w`."""

        @tf.custom_gradient
        def taps(w):
            shape = tf.concat([[length], tf.shape(self.y)], axis=0)
            return tf.zeros(shape, self.y.dtype), self._gradient

        return tf.ensure_shape(taps(self.w), (None, *self.y.shape))

    def _gradient(self, dy):
        message = "Second derivatives by the weights of a loop are not supported on TensorFlow."
        return tf.raw_ops.PreventGradient(input=deferred.gradient(self.x, dy, self.w), message=message)

    def matmul(self, x, tap):
        """The product of one step."""

        @tf.custom_gradient
        def product(x, tap):
            return tf.matmul(x, self.w), lambda dy: (tf.matmul(dy, self.transposed), dy)

        return product(x, tap)


class _Plan:
    """The products of a step, as a run outside the loop finds them."""

    def __init__(self):
        self.products = []

    def matmul(self, x, w):
        self.products.append(_Product(x, w))
        return self.products[-1].y


class _Step:
    """The products of a step in the loop, in the order of the plan, and the `x` of each."""

    def __init__(self, products, taps):
        self.left = list(zip(products, taps, strict=True))
        self.x = []

    def matmul(self, x, w):
        product, tap = self.left.pop(0)
        self.x.append(x)
        return product.matmul(x, tap)


def _as_bits(x):
    """The same bits as integers, which TensorFlow collects without an array of zeros for their gradients."""
    return tf.bitcast(x, {2: "int16", 4: "int32", 8: "int64"}[x.dtype.size])


def _zeros_of_a_step(x):
    return tf.ensure_shape(tf.zeros(tf.shape(x)[1:], x.dtype), x.shape[1:])


def _array(dtype, shape, length):
    return tf.TensorArray(dtype, length, element_shape=shape)
