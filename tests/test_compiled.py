import numpy as np
from keras import ops

from keras_attn.compiled import compiled, of_backend
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
