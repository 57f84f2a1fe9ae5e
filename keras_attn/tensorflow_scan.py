"""The loop of `loops.scan` on TensorFlow, where `keras.ops.scan` and its gradient are slow."""

import functools
import operator

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
    zeros = [one.y for one in plan.sums if one.tap_is_zeros]
    to_come = TensorStack((slices, zeros))
    results = TensorStack((outputs, [_as_bits(x) for one in plan.sums for x in one.xs]))

    def body(i, state, coming, done):
        coming, (x, taps) = to_come.pop(coming)
        with deferred.recording(_Step(plan.sums, [*keras.tree.flatten(x), *taps])) as recorder:
            after, outputs = step(state, x)
        done = results.push(done, (outputs, [_as_bits(x) for xs in recorder.xs for x in xs]))
        return i + 1, keras.tree.pack_sequence_as(state, keras.tree.flatten(after)), coming, done

    loop = (tf.zeros((), "int32"), state, to_come.of_slices(tapped, reverse), results.empty(length))
    _, state, _, done = tf.while_loop(lambda i, *_: i < length, body, loop, maximum_iterations=length)
    outputs, collected = results.all(done, reverse)
    for one in plan.sums:
        one.xs = [tf.bitcast(collected.pop(0), w.dtype) for w in one.ws]
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


class _Sum:
    """The sum of all ``x @ w``, with constants `w`, and of `plus`.

    `xs` are those of one step in the plan, those of all steps after the loop. `tap` is the number of the input
    whose gradient is that of the sum.
    """

    def __init__(self, pairs, tap):
        self.xs, ws = zip(*pairs, strict=True)
        self.ws = [tf.convert_to_tensor(w) for w in ws]
        self.tap, self.tap_is_zeros = tap, False
        self.transposed = [tf.linalg.matrix_transpose(w) for w in self.ws]  # Products with these are the faster ones.
        self.y = self._total(self.xs)

    def _total(self, xs):
        return functools.reduce(operator.add, map(products.matmul, xs, self.ws))

    def all_taps(self, inputs):
        """The ``(T, ...)`` input as it is; from its gradient come those of all `w`."""

        @tf.custom_gradient
        def identity(inputs, *ws):
            def gradients(dy):
                return dy, *(self._gradient(x, w, dy) for x, w in zip(self.xs, ws, strict=True))

            return tf.identity(inputs), gradients

        return identity(inputs, *self.ws)

    @staticmethod
    def _gradient(x, w, dy):
        message = "Second derivatives by the weights of a loop are not supported on TensorFlow."
        return tf.raw_ops.PreventGradient(input=deferred.gradient(x, dy, w), message=message)

    def of_step(self, xs, tap):
        """The sum of one step."""

        @tf.custom_gradient
        def total(tap, *xs):
            def gradients(dy):
                return dy, *(products.matmul(dy, w) for w in self.transposed)

            y = self._total(xs)
            return y if self.tap_is_zeros else y + tap, gradients

        return total(tap, *xs)


class _Plan:
    """The sums of products of a step, as a run outside the loop finds them."""

    def __init__(self, slices):
        self.left = {id(x): number for number, x in enumerate(keras.tree.flatten(slices))}
        self.sums = []

    def sum_of_products(self, pairs, plus):
        found = _Sum(pairs, self.left.pop(id(plus), None))
        self.sums.append(found)
        return found.y if plus is None else found.y + plus

    def tap(self, inputs):
        """The inputs that the loop takes, some of them tapped, and zeros as taps of the other sums."""
        inputs = list(inputs)
        for one in self.sums:
            if one.tap is None:
                one.tap, one.tap_is_zeros = len(inputs), True
                shape = tf.concat([tf.shape(inputs[0])[:1], tf.shape(one.y)], axis=0)
                inputs.append(tf.ensure_shape(tf.zeros(shape, one.y.dtype), (None, *one.y.shape)))
            inputs[one.tap] = one.all_taps(inputs[one.tap])
        return inputs


class _Step:
    """The sums of products of a step in the loop, in the order of the plan, and the `xs` of each."""

    def __init__(self, sums, inputs):
        self.left, self.inputs = list(sums), inputs
        self.xs = []

    def sum_of_products(self, pairs, plus):
        planned = self.left.pop(0)
        xs = [x for x, _ in pairs]
        self.xs.append(xs)
        y = planned.of_step(xs, self.inputs[planned.tap])
        return y + plus if planned.tap_is_zeros and plus is not None else y


def _as_bits(x):
    """The same bits as integers, which TensorFlow collects without an array of zeros for their gradients."""
    return tf.bitcast(x, {2: "int16", 4: "int32", 8: "int64"}[x.dtype.size])


def _zeros_of_a_step(x):
    return tf.ensure_shape(tf.zeros(tf.shape(x)[1:], x.dtype), x.shape[1:])
