"""The loop of `loops.scan` on TensorFlow, where `keras.ops.scan` and its gradient are slow."""

import keras
import tensorflow as tf

from keras_attn import deferred, products
from keras_attn.tensor_stack import TensorStack


def scan(step, state, inputs, reverse=False):
    """What `keras.ops.scan` computes, with the gradients of products with constants deferred.

    A run of the step outside the loop finds the products. The gradient of each leaves the loop as
    the gradient of an input: of the one that is added to the product, or else of zeros that are.

    Args:
        step: Takes the state and a nest of slices, returns the next state and a nest of outputs.
        state: Nest of tensors.
        inputs: Nest of ``(T, ...)`` tensors.
        reverse: Whether the first step takes the last slices.

    Returns:
        The last state, and the outputs of all steps, ``(T, ...)``, in the order of the inputs.
    """
    state, inputs = keras.tree.map_structure(tf.convert_to_tensor, (state, inputs))
    slices = keras.tree.map_structure(_zeros_of_a_step, inputs)
    with keras.StatelessScope(), deferred.recording(_Plan(slices)) as plan:
        _, outputs = step(state, slices)
    tapped = plan.tap(keras.tree.flatten(inputs))
    length = tf.shape(tapped[0])[0]
    zeros = [product.y for product in plan.products if product.tap_is_zeros]
    to_come = TensorStack((slices, zeros))
    results = TensorStack((outputs, [_as_bits(product.x) for product in plan.products]))

    def body(i, state, coming, done):
        coming, (x, taps) = to_come.pop(coming)
        with deferred.recording(_Step(plan.products, [*keras.tree.flatten(x), *taps])) as recorder:
            after, outputs = step(state, x)
        done = results.push(done, (outputs, [_as_bits(x) for x in recorder.x]))
        return i + 1, keras.tree.pack_sequence_as(state, keras.tree.flatten(after)), coming, done

    loop = (tf.zeros((), "int32"), state, to_come.of_slices(tapped, reverse), results.empty(length))
    _, state, _, done = tf.while_loop(lambda i, *_: i < length, body, loop, maximum_iterations=length)
    outputs, collected = results.all(done, reverse)
    for product, x in zip(plan.products, collected, strict=True):
        product.x = tf.bitcast(x, product.w.dtype)
    return state, outputs


def scan_without_gradients(step, state, inputs, reverse=False):
    """As `scan`, in less time where no gradients are wanted; they are right, but take time in proportion to ``T^2``."""
    state, inputs = keras.tree.map_structure(tf.convert_to_tensor, (state, inputs))
    with keras.StatelessScope():
        _, outputs = step(state, keras.tree.map_structure(_zeros_of_a_step, inputs))
    length = tf.shape(keras.tree.flatten(inputs)[0])[0]
    results = TensorStack(outputs)

    def body(i, state, done):
        number = length - 1 - i if reverse else i
        after, outputs = step(state, keras.tree.map_structure(lambda x: x[number], inputs))
        return i + 1, keras.tree.pack_sequence_as(state, keras.tree.flatten(after)), results.put(done, number, outputs)

    loop = (tf.zeros((), "int32"), state, results.reserved(length))
    _, state, done = tf.while_loop(lambda i, *_: i < length, body, loop, maximum_iterations=length)
    return state, results.all(done)


class _Product:
    """``x @ w + plus`` with a constant `w`.

    `x` is that of one step in the plan, those of all steps after the loop. `tap` is the number of the input
    whose gradient is that of the product.
    """

    def __init__(self, x, w, tap):
        self.x, self.w, self.tap, self.tap_is_zeros = x, tf.convert_to_tensor(w), tap, False
        self.transposed = tf.linalg.matrix_transpose(self.w)  # In the loop, products with it are the faster ones.
        self.y = products.matmul(x, self.w)

    def all_taps(self, inputs):
        """The ``(T, ...)`` input as it is; from its gradient comes that of `w`."""

        @tf.custom_gradient
        def identity(inputs, w):
            return tf.identity(inputs), lambda dy: (dy, self._gradient(dy))

        return identity(inputs, self.w)

    def _gradient(self, dy):
        message = "Second derivatives by the weights of a loop are not supported on TensorFlow."
        return tf.raw_ops.PreventGradient(input=deferred.gradient(self.x, dy, self.w), message=message)

    def matmul(self, x, tap):
        """The product of one step."""

        @tf.custom_gradient
        def product(x, tap):
            y = products.matmul(x, self.w)
            return y if self.tap_is_zeros else y + tap, lambda dy: (products.matmul(dy, self.transposed), dy)

        return product(x, tap)


class _Plan:
    """The products of a step, as a run outside the loop finds them."""

    def __init__(self, slices):
        self.left = {id(x): number for number, x in enumerate(keras.tree.flatten(slices))}
        self.products = []

    def matmul(self, x, w, plus):
        product = _Product(x, w, self.left.pop(id(plus), None))
        self.products.append(product)
        return product.y if plus is None else product.y + plus

    def tap(self, inputs):
        """The inputs that the loop takes, some of them tapped, and zeros as taps of the other products."""
        inputs = list(inputs)
        for product in self.products:
            if product.tap is None:
                product.tap, product.tap_is_zeros = len(inputs), True
                shape = tf.concat([tf.shape(inputs[0])[:1], tf.shape(product.y)], axis=0)
                inputs.append(tf.ensure_shape(tf.zeros(shape, product.y.dtype), (None, *product.y.shape)))
            inputs[product.tap] = product.all_taps(inputs[product.tap])
        return inputs


class _Step:
    """The products of a step in the loop, in the order of the plan, and the `x` of each."""

    def __init__(self, products, inputs):
        self.left, self.inputs = list(products), inputs
        self.x = []

    def matmul(self, x, w, plus):
        product = self.left.pop(0)
        self.x.append(x)
        y = product.matmul(x, self.inputs[product.tap])
        return y + plus if product.tap_is_zeros and plus is not None else y


def _as_bits(x):
    """The same bits as integers, which TensorFlow collects without an array of zeros for their gradients."""
    return tf.bitcast(x, {2: "int16", 4: "int32", 8: "int64"}[x.dtype.size])


def _zeros_of_a_step(x):
    return tf.ensure_shape(tf.zeros(tf.shape(x)[1:], x.dtype), x.shape[1:])
