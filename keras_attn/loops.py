"""The loop over queries, one for every backend."""

import itertools
import math

import keras
from keras import ops

# XLA does not compile a TensorFlow loop whose number of steps it does not know. A layer that loops says
# so in its attribute `supports_jit`, and a model with jit_compile="auto" then runs as a plain graph.
SUPPORT_JIT = keras.config.backend() != "tensorflow"


def scan(layer, step, state, inputs, training=None):
    """Run `step` over the time axis of `inputs`.

    Random layers inside `step` draw from seed generators, which are variables. They are carried
    by the loop as part of its state, since a compiled loop must not change variables (JAX).
    That is only needed in training, when they are drawn from.

    Args:
        layer: The layer that `step` belongs to, whose variables it uses.
        step: Takes the state and a nest of ``(batch, ...)`` slices, returns the next state.
        state: Nest of tensors.
        inputs: Nest of ``(batch, T, ...)`` tensors.
        training: Whether the model is being trained.

    Returns:
        The last state, and the states after every step, ``(batch, T, ...)``.
    """
    inputs, part = _as_one_tensor(keras.tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), inputs))
    seeds = [variable for variable in layer.variables if not any(variable is weight for weight in layer.weights)]

    if training and seeds:
        weights = [(weight, weight.value) for weight in layer.weights]

        def body(carry, x):
            state, seed_values = carry
            with keras.StatelessScope([*weights, *zip(seeds, seed_values, strict=True)]) as scope:
                state = step(state, part(x))
            carry = (state, [scope.get_current_value(seed) for seed in seeds])
            return carry, carry

        (last, seed_values), (states, _) = ops.scan(body, (state, [seed.value for seed in seeds]), inputs)
        for seed, value in zip(seeds, seed_values, strict=True):
            seed.assign(value)
    else:

        def body(carry, x):
            state = step(carry, part(x))
            return state, state

        last, states = ops.scan(body, state, inputs)
    return last, keras.tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), states)


def _as_one_tensor(inputs):
    """A nest of ``(T, batch, ...)`` tensors as `keras.ops.scan` takes it, and what gets a slice of the nest back.

    On TensorFlow, Keras 3.15 cannot scan several tensors of unknown length: they are joined into one.
    """
    flat = keras.tree.flatten(inputs)
    if len(flat) == 1 or flat[0].shape[0] is not None:
        return inputs, lambda x: x
    dtype = "float64" if any(keras.utils.standardize_dtype(x.dtype) == "float64" for x in flat) else "float32"
    shapes = [ops.shape(x)[1:] for x in flat]
    ends = list(itertools.accumulate(math.prod(shape[1:]) for shape in shapes))
    rows = [
        ops.reshape(ops.cast(x, dtype), (*ops.shape(x)[:2], math.prod(shape[1:])))
        for x, shape in zip(flat, shapes, strict=True)
    ]

    def part(joined):
        slices = [joined[:, start:end] for start, end in zip([0, *ends], ends, strict=False)]
        slices = [
            ops.reshape(ops.cast(x, like.dtype), shape) for x, like, shape in zip(slices, flat, shapes, strict=True)
        ]
        return keras.tree.pack_sequence_as(inputs, slices)

    return ops.concatenate(rows, axis=-1), part


def where_real(mask, new, old):
    """The nest `new` where `mask` ``(batch,)`` is True, else `old`."""

    def choose(new, old):
        return ops.where(ops.reshape(mask, (-1,) + (1,) * (len(new.shape) - 1)), new, old)

    return keras.tree.map_structure(choose, new, old)
