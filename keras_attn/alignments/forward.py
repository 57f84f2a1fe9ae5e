"""Forward attention."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.alignments.moving_alignment import MovingAlignment, to_the_next_frame


def forward(scores, mask, previous, stay, move):
    """``a_j`` proportional to ``(stay a'_j + move a'_{j-1}) exp(e_j)``, adding up to 1.

    Args:
        scores: ``(..., Tv)``, the scores ``e``.
        mask: Booleans that broadcast to it. Weight moves over masked frames.
        previous: ``(..., Tv)``, the previous alignment ``a'``.
        stay, move: Factors that broadcast to it.

    Returns:
        ``(..., Tv)``; a row is all 0 if nothing that can be reached is real.
    """
    reach = stay * previous + move * to_the_next_frame(previous, mask)
    # Less than that counts as 0, since 1 / reach, in the gradient, must be finite.
    within_reach = ops.logical_and(mask, reach > 1e-30)
    # The product as a sum of logarithms: it does not underflow in a row where only unlikely frames are left.
    return masking.masked_softmax(ops.log(ops.where(within_reach, reach, ops.ones_like(reach))) + scores, within_reach)


@keras.saving.register_keras_serializable(package="keras_attn")
class Forward(MovingAlignment):
    """Softmax over the frames at which the previous query attended and those next to them.

    ``a_j = (a'_j + a'_{j-1}) exp(e_j) / sum_k (a'_k + a'_{k-1}) exp(e_k)``

    ``e`` are the scores, and ``a'`` is the previous alignment, which starts on the first real frame.
    The frame before ``j`` is the last one before it that is not masked. Attention moves on by one
    frame a query at most: weights are 0 until the one before them is not. Masked frames get
    weight 0; a query that may attend to no frame within reach gets zeros, and leaves the place
    to the next.

    Reference: Zhang, Ling and Dai, "Forward Attention in Sequence-to-Sequence Acoustic Modeling for
    Speech Synthesis", 2018, arXiv:1807.06736, algorithm 1.

    >>> mask, alignment = ops.array([[True, True, True, False]]), ops.array([[0.5, 0.5, 0.0, 0.0]])
    >>> print(ops.convert_to_numpy(Forward().align(ops.zeros((1, 4)), mask, alignment)))
    [[0.25 0.5  0.25 0.  ]]
    """

    def align(self, scores, mask, previous=None, training=None):
        return forward(scores, mask, previous, 0.5, 0.5)
