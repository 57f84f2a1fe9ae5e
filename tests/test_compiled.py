import numpy as np
import pytest
from keras import ops

from keras_attn.compiled import by_xla, compiled, of_backend
from tests.backends import BACKEND, assert_close, differentiated


@compiled
def norm(x):
    """The length of a vector."""
    return ops.sqrt(ops.sum(x * x))


def test_a_compiled_function_is_the_function():
    x = np.array([3.0, 4.0], "float32")
    assert_close(differentiated(norm, lambda y: y)(x), (5.0, [x / 5]), 1e-6)
    assert norm.__doc__ == "The length of a vector."


def test_a_function_is_compiled_once():
    assert of_backend(norm.__wrapped__, BACKEND) is of_backend(norm.__wrapped__, BACKEND)


def test_it_is_known_whether_xla_compiles():
    assert by_xla() == (BACKEND == "jax")


@pytest.mark.skipif(BACKEND != "tensorflow", reason="has functions of both kinds")
def test_it_is_known_inside_of_functions_and_loops():
    import tensorflow as tf

    found = []

    def ask(x):
        found.append(by_xla())
        return x

    inner = {jit: tf.function(ask, jit_compile=jit) for jit in (False, True)}

    def outer(x):
        x = tf.while_loop(lambda x: x < 1, lambda x: (ask(x) + 1,), (x,))[0]
        return inner[True](inner[False](x))

    tf.function(outer)(tf.zeros(()))
    assert set(found[:-2]) == {False} and found[-2:] == [False, True]
    found.clear()
    inner[False] = tf.function(ask)  # traced anew
    tf.function(outer, jit_compile=True)(tf.zeros(()))
    assert set(found) == {True}
