"""What tests ask of a backend itself: to run functions of arrays, with gradients, and compiled."""

import keras
import numpy as np
from keras import ops

BACKEND = keras.config.backend()


def to_numpy(nest):
    """Every tensor of `nest` as an array; half precision as float32."""

    def convert(x):
        dtype = keras.utils.standardize_dtype(x.dtype)
        return ops.convert_to_numpy(ops.cast(x, "float32") if dtype in ("float16", "bfloat16") else x)

    return keras.tree.map_structure(convert, nest)


def to_tensors(nest):
    return keras.tree.map_structure(ops.convert_to_tensor, nest)


def fast(function, variables=()):
    """`function` of nests of arrays, to nests of arrays, run as costs least: compiled by JAX, else eagerly.

    JAX compiles each loop anew whenever it runs eagerly. The variables that change between two
    calls of a compiled function must be given.
    """
    if BACKEND != "jax":
        return lambda *arrays: to_numpy(function(*to_tensors(arrays)))
    import jax

    run = jax.jit(_stateless(function, variables))
    return lambda *arrays: to_numpy(run([variable.value for variable in variables], arrays))


def shapes_of(function, *arrays):
    """Shapes and dtypes of what ``function(*arrays)`` returns, a list. JAX traces it, and computes nothing."""
    if BACKEND == "jax":
        import jax

        outputs = jax.eval_shape(function, *arrays)
    else:
        outputs = function(*to_tensors(arrays))
    return [(tuple(x.shape), keras.utils.standardize_dtype(x.dtype)) for x in keras.tree.flatten(outputs)]


def differentiated(function, scalar, variables=()):
    """A function of arrays: what `function` returns for them, and the gradients of `scalar` of that.

    The gradients are those with respect to each array and then to each of the Keras variables;
    zeros where nothing depends on it.
    """
    if BACKEND == "jax":
        import jax

        def scalar_and_outputs(*arrays):
            outputs = function(*arrays)
            return scalar(outputs), outputs

        graded = jax.jit(jax.grad(_stateless(scalar_and_outputs, variables), argnums=(1, 0), has_aux=True))

        def run(*arrays):
            gradients, outputs = graded([variable.value for variable in variables], arrays)
            return outputs, keras.tree.flatten(gradients)

    elif BACKEND == "tensorflow":
        import tensorflow as tf

        def run(*arrays):
            sources = [*to_tensors(arrays), *(variable.value for variable in variables)]
            with tf.GradientTape() as tape:
                tape.watch(sources)
                outputs = function(*sources[: len(arrays)])
                value = scalar(outputs)
            return outputs, tape.gradient(value, sources, unconnected_gradients="zero")

    else:
        import torch

        def run(*arrays):
            tensors = [x.requires_grad_() for x in to_tensors(arrays)]
            outputs = function(*tensors)
            sources = [*tensors, *(variable.value for variable in variables)]
            gradients = torch.autograd.grad(scalar(outputs), sources, allow_unused=True, materialize_grads=True)
            return outputs, list(gradients)

    return lambda *arrays: to_numpy(to_tensors(run(*arrays)))


def gradients(function, variables):
    """Gradients of the scalar ``function()`` with respect to Keras variables, as arrays."""
    return differentiated(function, lambda value: value, variables)()[1]


def _stateless(function, variables):
    """`function` of `variables` and arrays, for JAX, as one of their values and the arrays."""

    def run(values, arrays):
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            return function(*arrays)

    return run


def compiled_by_xla(function):
    """`function` of arrays, compiled by TensorFlow (as `fast` compiles it on JAX)."""
    import tensorflow as tf

    compiled = tf.function(function, jit_compile=True)
    return lambda *arrays: to_numpy(compiled(*to_tensors(arrays)))


def assert_same(first, second, what=""):
    """Equal bit for bit."""
    for one, other in zip(keras.tree.flatten(first), keras.tree.flatten(second), strict=True):
        np.testing.assert_array_equal(one, other, what)


def assert_close(first, second, tolerance=1e-5, what=""):
    for one, other in zip(keras.tree.flatten(first), keras.tree.flatten(second), strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance, rtol=tolerance, err_msg=what)
