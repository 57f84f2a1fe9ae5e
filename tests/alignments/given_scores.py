"""Attention whose scores are given: where the keys are unit vectors, a query is a row of scores."""

import numpy as np
from keras import ops

from keras_attn import Attention
from tests.backends import to_numpy

MASK = np.array([[True, True, False, True, True, True], [False, True, True, True, False, False]])


def attend(alignment, scores, mask=MASK, scorer="dot", training=None, **masks):
    """Alignments ``(batch, [heads,] Tq, Tv)`` of scores ``(batch, Tq, Tv)``; the contexts are the same."""
    units = np.broadcast_to(np.eye(scores.shape[-1], dtype=scores.dtype), (len(scores), *[scores.shape[-1]] * 2))
    attention = Attention(scorer, alignment, dtype=str(scores.dtype))
    masks = {"value_mask": mask, **masks}
    return to_numpy(attention(scores, units, return_attention_scores=True, training=training, **masks)[1])


def random_scores(rng, queries=4, size=1.0, dtype="float32"):
    return (size * rng.normal(size=(len(MASK), queries, MASK.shape[1]))).astype(dtype)


def real(x, mask=MASK):
    """The parts of the rows of ``(batch, Tq, Tv)`` that are not masked."""
    return [row[:, one] for row, one in zip(x, mask, strict=True)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def one_hot(i, size):
    return (np.arange(size) == i).astype("float64")


def align_once(alignment, scores, mask, previous=None):
    """One alignment ``(..., Tv)`` as an array, without `Attention`."""
    if not alignment.built:
        alignment.build((None, None, 3), (None, None, 3), (None, None, 3))
    scores, mask = ops.convert_to_tensor(scores), ops.convert_to_tensor(mask)
    previous = alignment.initial_alignment(mask) if previous is None else ops.convert_to_tensor(previous)
    return to_numpy(alignment.align(scores, mask, ops.cast(previous, scores.dtype)))
