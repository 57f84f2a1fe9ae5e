"""Normalised sigmoids."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class SigmoidSmoothing(Alignment):
    """Sigmoids divided by their sum: a softmax whose numerator is bounded.

    ``a_j = s(e_j) / sum_k s(e_k)``, ``s(e) = 1 / (1 + exp(-e))``

    Several elements can share the weight evenly, where softmax would let the largest score win.

    Reference: Chorowski et al., "Attention-Based Models for Speech Recognition", 2015,
    arXiv:1506.07503, section 2.3.

    >>> weights = SigmoidSmoothing().align(ops.array([[50.0, 90.0, 0.0]]), ops.array([[True, True, False]]))
    >>> print(ops.convert_to_numpy(weights))
    [[0.5 0.5 0. ]]
    """

    scores = "energies"

    def align(self, scores, mask, previous=None, training=None):
        # softmax(log s(e)) is the same function, and does not divide 0 by 0 when all scores are very low.
        return masking.masked_softmax(ops.log_sigmoid(scores), mask)
