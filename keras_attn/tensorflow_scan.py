"""The loop of `loops.scan` on TensorFlow, where `keras.ops.scan` and its gradient are slow."""

import functools
import operator

import keras
import tensorflow as tf

from keras_attn import deferred, products
from keras_attn.tensor_stack import TensorStack


def scan(step, state, inputs, reverse=False):
    """What `keras.ops.scan` computes, with the gradients of products with constants deferred.

    A run of the step outside the loop finds the products. Those of inputs of the loop are formed before it, for all
    steps at once. The gradient of each of the others leaves the loop as the gradient of an input: of the one that is
    added to the product, or else of zeros that are.

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
    # The last slice is the first to be popped. What is made of the inputs before the loop is larger than they are.
    tapped = plan.tap([x if reverse else tf.reverse(x, [0]) for x in keras.tree.flatten(inputs)])
    length = tf.shape(tapped[0])[0]
    to_come = TensorStack((slices, [one.y for one in plan.sums if one.tap_is_new]))
    results, multiplied = TensorStack(outputs), TensorStack([[_as_bits(x) for x in one.xs] for one in plan.sums])

    def body(i, state, coming, done, kept):
        coming, (x, taps) = to_come.pop(coming)
        with deferred.recording(_Step(plan.sums, [*keras.tree.flatten(x), *taps])) as recorder:
            after, outputs = step(state, x)
        kept = multiplied.put(kept, length - 1 - i, [[_as_bits(x) for x in xs] for xs in recorder.xs])
        state = keras.tree.pack_sequence_as(state, keras.tree.flatten(after))
        return i + 1, state, coming, results.push(done, outputs), kept

    handles = to_come.of_slices(tapped), results.empty(length), multiplied.reserved(length)
    loop = (tf.zeros((), "int32"), state, *handles)
    _, state, _, done, kept = tf.while_loop(lambda i, *_: i < length, body, loop, maximum_iterations=length)
    for one, xs in zip(plan.sums, multiplied.all(kept), strict=True):  # in the order of the taps
        one.xs = [tf.bitcast(x, w.dtype) for x, w in zip(xs, one.ws, strict=True)]
    return state, results.all(done, reverse)


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
    """The sum of all ``x @ w``, with constants `w`.

    Those whose `x` are inputs of the loop, the early ones, are formed for all steps at once, before the loop. Of the
    others, `xs` are those of one step in the plan, and of all steps after the loop. `tap` is the number of the input
    whose gradient is that of the sum: what is added to it, or else a new one, the sum of the early ones or zeros.
    """

    def __init__(self, pairs, numbers, plus):
        self.is_early = [id(x) in numbers and len(w.shape) == 2 for x, w in pairs]
        self.early = [(numbers[id(x)], w) for (x, w), early in zip(pairs, self.is_early, strict=True) if early]
        late = [(x, tf.convert_to_tensor(w)) for x, w in self.late(pairs)]
        self.xs, self.ws = [x for x, _ in late], [w for _, w in late]
        self.transposed = [tf.linalg.matrix_transpose(w) for w in self.ws]  # Products with these are the faster ones.
        self.y = _total([products.matmul(x, w) for x, w in pairs])
        self.tap = None if self.early else numbers.get(id(plus))
        self.tap_is_new = self.tap is None

    def late(self, pairs):
        return [pair for pair, early in zip(pairs, self.is_early, strict=True) if not early]

    def new_tap(self, inputs):
        """What the loop takes beside the ``(T, ...)`` inputs."""
        if self.early:
            return _total([products.matmul(inputs[number], w) for number, w in self.early])
        shape = tf.concat([tf.shape(inputs[0])[:1], tf.shape(self.y)], axis=0)
        return tf.ensure_shape(tf.zeros(shape, self.y.dtype), (None, *self.y.shape))

    def tapped(self, inputs):
        """The ``(T, ...)`` input as it is; from its gradient come those of all `w`."""

        @tf.custom_gradient
        def identity(inputs, *ws):
            def gradients(dy):
                return dy, *(_gradient(x, w, dy) for x, w in zip(self.xs, ws, strict=True))

            return tf.identity(inputs), gradients

        return identity(inputs, *self.ws)

    def of_step(self, xs, tap):
        """The sum of one step, and what is added to it where that is the tap."""

        @tf.custom_gradient
        def total(tap, *xs):
            def gradients(dy):
                return dy, *(products.matmul(dy, w) for w in self.transposed)

            tap_is_zeros = self.tap_is_new and not self.early
            return _total([*map(products.matmul, xs, self.ws), *([] if tap_is_zeros else [tap])]), gradients

        return total(tap, *xs)


def _total(tensors):
    return functools.reduce(operator.add, tensors)


def _gradient(x, w, dy):
    message = "Second derivatives by the weights of a loop are not supported on TensorFlow."
    return tf.raw_ops.PreventGradient(input=deferred.gradient(x, dy, w), message=message)


class _Plan:
    """The sums of products of a step, as a run outside the loop finds them."""

    def __init__(self, slices):
        self.numbers = {id(x): number for number, x in enumerate(keras.tree.flatten(slices))}
        self.sums = []

    def sum_of_products(self, pairs, plus):
        found = _Sum(pairs, self.numbers, plus)
        self.sums.append(found)
        return found.y if plus is None else found.y + plus

    def tap(self, inputs):
        """The inputs that the loop takes, some of them tapped, and new ones as taps of the other sums."""
        given, inputs = inputs, list(inputs)
        for one in self.sums:
            if one.tap_is_new:
                one.tap = len(inputs)
                inputs.append(one.new_tap(given))
            inputs[one.tap] = one.tapped(inputs[one.tap])
        return inputs


class _Step:
    """The sums of products of a step in the loop, in the order of the plan, and the `xs` of each."""

    def __init__(self, sums, inputs):
        self.left, self.inputs = list(sums), inputs
        self.xs = []

    def sum_of_products(self, pairs, plus):
        planned = self.left.pop(0)
        xs = [x for x, _ in planned.late(pairs)]
        self.xs.append(xs)
        y = planned.of_step(xs, self.inputs[planned.tap])
        return y + plus if planned.tap_is_new and plus is not None else y


def _as_bits(x):
    """The same bits as integers, which TensorFlow collects without an array of zeros for their gradients."""
    return tf.bitcast(x, {2: "int16", 4: "int32", 8: "int64"}[x.dtype.size])


def _zeros_of_a_step(x):
    return tf.ensure_shape(tf.zeros(tf.shape(x)[1:], x.dtype), x.shape[1:])
