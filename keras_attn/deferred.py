"""Products with what a loop does not change, whose gradient is formed once, after the loop.

A step multiplies its own ``x_t`` by the same ``w`` as every other step. The gradient of ``w`` is
the sum of ``x_t^T dy_t``, which autodiff adds up step by step, in memory as large as ``w``. One product of all
``x_t`` with all ``dy_t`` is the same sum. A loop that can do so is a *recorder* of the products while it
traces a step; everywhere else they are plain products.
"""

import contextlib

import keras
from keras import ops

from keras_attn import compiled, products

_recorders = []


def is_recorded():
    """Whether this is a step of a loop that defers gradients."""
    return bool(_recorders)


def matmul(x, w, plus=None):
    """``x @ w``, where all steps of a loop, if this is a step of one, multiply by the same `w`.

    Args:
        x: ``(..., rows, n)``.
        w: ``(n, m)`` for any `x`, or ``(..., n, m)`` with the leading dimensions of `x`.
        plus: What is added to it, ``(..., rows, m)``. Least it costs where it is an input of the step, which the step
            must then use for nothing else.

    Returns:
        ``(..., rows, m)``.
    """
    return sum_of_products([(x, w)], plus)


def sum_of_products(pairs, plus=None):
    """The sum of all ``x @ w``, as `matmul` has one; a loop defers the gradients of all at the cost of one.

    Args:
        pairs: Pairs of an `x` and a `w`, whose products have one shape.
        plus: What is added to it.
    """
    if _recorders:
        return _recorders[-1].sum_of_products(pairs, plus)
    total = sum(_product(x, w) for x, w in pairs)
    return total if plus is None else total + plus


def _product(x, w):
    """``x @ w``. XLA, on CPUs, forms the gradient of `w` faster with its shorter side first."""
    if len(w.shape) < 3 or keras.config.backend() != "tensorflow" or not compiled.by_xla():
        return products.matmul(x, w)
    return _shorter_side_first(x, w)


@ops.custom_gradient
def _shorter_side_first(x, w):
    def gradients(dy):
        of_x = ops.matmul(dy, ops.swapaxes(w, -1, -2))
        n, m = w.shape[-2:]
        if n is not None and m is not None and m < n:
            return of_x, ops.swapaxes(ops.matmul(ops.swapaxes(dy, -1, -2), x), -1, -2)
        return of_x, ops.matmul(ops.swapaxes(x, -1, -2), dy)

    return ops.matmul(x, w), gradients


def matmul_transposed(x, w):
    """``x @ w^T`` as `matmul` makes it, of ``(batch, rows, m)`` and ``(batch, n, m)``."""
    # XLA makes no transposed copy of `w`, and orders the gradients well.
    if _recorders or compiled.by_xla():
        return matmul(x, ops.swapaxes(w, -1, -2))
    return products.matmul_transposed(x, w)


def dense(layer, x):
    """``layer(x)`` for a `keras.layers.Dense`, with its product made by `matmul`."""
    by_matmul = is_recorded() or keras.config.backend() == "tensorflow"  # where fewer operations are needed so
    if not by_matmul or type(layer) is not keras.layers.Dense or layer.quantization_mode is not None:
        return layer(x)
    y = matmul(ops.cast(x, layer.compute_dtype), ops.cast(layer.kernel, layer.compute_dtype))
    y = y + ops.cast(layer.bias, layer.compute_dtype) if layer.use_bias else y
    return y if layer.activation is None else layer.activation(y)


@contextlib.contextmanager
def recording(recorder):
    """Products are made by ``recorder.sum_of_products(pairs, plus)`` while this lasts."""
    _recorders.append(recorder)
    try:
        yield recorder
    finally:
        _recorders.pop()


def gradient(x, dy, w):
    """Gradient of `w` from all steps.

    Args:
        x: ``(T, ..., rows, n)``, what the steps multiplied.
        dy: ``(T, ..., rows, m)``, the gradients of the products.
        w: The constant.
    """
    x, dy = _steps_as_rows(x, w), _steps_as_rows(dy, w)
    return ops.matmul(ops.swapaxes(x, -1, -2), dy)


def _steps_as_rows(x, w):
    """``(T, ..., rows, n)`` to ``(..., T * rows, n)``, or to ``(T * ... * rows, n)`` for a `w` that all share."""
    if len(w.shape) > 2:
        x = ops.moveaxis(x, 0, -3)
    shape = ops.shape(x)
    return ops.reshape(x, (*shape[: len(w.shape) - 2], -1, shape[-1]))
