"""What XLA compiles, on the backends that have it."""

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


def by_xla():
    """Whether XLA compiles what is computed here: on JAX always, on TensorFlow where `jit_compile` is True."""
    return keras.config.backend() == "jax" or (keras.config.backend() == "tensorflow" and _graph_for_xla())


def _graph_for_xla():
    import tensorflow as tf

    if tf.executing_eagerly():
        return False
    # TensorFlow does not say so, but leaves a conditional as it is for XLA alone.
    found = tf.cond(tf.constant(True), lambda: tf.constant(1), lambda: tf.constant(0)).op
    conditional = found if "If" in found.type else found.inputs[0].op
    return "_lower_using_switch_merge" not in conditional.node_def.attr
