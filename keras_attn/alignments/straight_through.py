"""The straight-through estimator."""

from keras import ops


def straight_through(hard, soft):
    """The values of `hard` with the gradient of `soft`.

    Reference: Bengio, Léonard and Courville, "Estimating or Propagating Gradients Through
    Stochastic Neurons for Conditional Computation", 2013, arXiv:1308.3432.

    >>> print(ops.convert_to_numpy(straight_through(ops.array([0.0, 1.0]), ops.array([0.3, 0.7]))))
    [0. 1.]
    """
    # In this order the difference is exactly 0, and the sum exactly `hard`.
    return ops.stop_gradient(hard) + (soft - ops.stop_gradient(soft))
