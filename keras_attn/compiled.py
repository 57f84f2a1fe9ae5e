"""Functions of tensors of fixed shapes, compiled by XLA on the backends that have it."""

import functools

import keras


def compiled(function):
    """`function` of tensors, compiled anew for every new combination of their shapes and dtypes.

    TensorFlow compiles it even inside a plain graph, JAX even outside of `jit`; torch runs it as it is.
    """

    @functools.wraps(function)
    def run(*tensors):
        return of_backend(function, keras.config.backend())(*tensors)

    return run


@functools.cache
def of_backend(function, backend):
    """`function` as `backend` runs it, always the same object."""
    if backend == "tensorflow":
        import tensorflow

        return tensorflow.function(function, jit_compile=True)
    if backend == "jax":
        import jax

        return jax.jit(function)
    return function
