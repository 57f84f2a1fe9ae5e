"""The loop over queries, one for every backend."""

import keras
from keras import ops

# XLA compiles a TensorFlow loop anew for every number of steps, which takes seconds. So a layer that loops has False
# as its attribute `supports_jit`, and a model with jit_compile="auto" runs as a plain graph; with True it is compiled.
if keras.config.backend() == "tensorflow":
    from keras_attn.tensorflow_scan import scan as time_major_scan
    from keras_attn.tensorflow_scan import scan_without_gradients
else:
    time_major_scan = scan_without_gradients = ops.scan

SUPPORT_JIT = keras.config.backend() != "tensorflow"


def scan(layer, step, state, inputs, training=None):
    """Run `step` over the time axis of `inputs`.

    Random layers inside `step` draw from seed generators, which are variables. They are carried
    by the loop as part of its state, since a compiled loop must not change variables (JAX).
    That is only needed in training, when they are drawn from.

    Args:
        layer: The layer that `step` belongs to, whose variables it uses.
        step: Takes the state and a nest of ``(batch, ...)`` slices, returns the next state and a nest of outputs.
        state: Nest of tensors.
        inputs: Nest of ``(batch, T, ...)`` tensors.
        training: Whether the model is being trained.

    Returns:
        The last state, and the outputs of all steps, ``(batch, T, ...)``.
    """
    inputs = keras.tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), inputs)
    seeds = [variable for variable in layer.variables if not any(variable is weight for weight in layer.weights)]

    if training and seeds:
        weights = [(weight, weight.value) for weight in layer.weights]

        def body(carry, x):
            state, seed_values = carry
            with keras.StatelessScope([*weights, *zip(seeds, seed_values, strict=True)]) as scope:
                state, outputs = step(state, x)
            return (state, [scope.get_current_value(seed) for seed in seeds]), outputs

        (last, seed_values), outputs = time_major_scan(body, (state, [seed.value for seed in seeds]), inputs)
        for seed, value in zip(seeds, seed_values, strict=True):
            seed.assign(value)
    else:
        last, outputs = time_major_scan(step, state, inputs)
    return last, keras.tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), outputs)


def where_real(mask, new, old):
    """The nest `new` where `mask` ``(batch,)`` is True, else `old`."""

    def choose(new, old):
        return ops.where(ops.reshape(mask, (-1,) + (1,) * (len(new.shape) - 1)), new, old)

    return keras.tree.map_structure(choose, new, old)
