"""Exponentials of log-weights."""

import keras
from keras import ops

from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class Exponential(Alignment):
    """The exponential of each score, for scorers whose scores are the logarithms of weights.

    ``a_j = exp(e_j)``

    Nothing is normalised: the scorer has made the weights, and they need not add up to 1, as in
    the Gaussian mixtures of Graves. Scores that are not log-weights would overflow here. Masked
    elements get weight 0.

    Reference: Graves, "Generating Sequences With Recurrent Neural Networks", 2013,
    arXiv:1308.0850, section 5.1.

    >>> weights = Exponential().align(ops.log(ops.array([[0.5, 0.25, 1.0]])), ops.array([[True, True, False]]))
    >>> print(ops.convert_to_numpy(weights))
    [[0.5  0.25 0.  ]]
    """

    scores = "log_weights"

    def align(self, scores, mask, previous=None, training=None):
        zeros = ops.zeros_like(scores)
        return ops.where(mask, ops.exp(ops.where(mask, scores, zeros)), zeros)
