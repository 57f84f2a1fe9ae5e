"""Stepwise monotonic attention."""

import keras

from keras_attn.alignments.moving_alignment import to_the_next_frame
from keras_attn.alignments.stopping_alignment import StoppingAlignment


@keras.saving.register_keras_serializable(package="keras_attn")
class StepwiseMonotonic(StoppingAlignment):
    """Each query stays at the frame of the previous one or moves to the next: no frame is skipped.

    ``a_j = a'_j p_j + a'_{j-1} (1 - p_{j-1})``, ``p_j = 1 / (1 + exp(-(e_j + r + noise n_j)))``

    ``p_j`` is the probability to stay at frame ``j``, ``a'`` the previous alignment, which starts on
    the first real frame; ``e`` are the scores, ``r`` is a weight, and ``n_j`` is Gaussian noise in
    training. The frame before ``j`` is the last one before it that is not masked. What moves past
    the last frame is lost: the weights may add up to less than 1.

    Modes:

    * ``"soft"``: as above.
    * ``"hard"``: one frame gets all the weight: the previous one if its ``p_j`` is at least 1/2, else
      the next. After the last there is none: all weights are 0, and the next query starts
      from the last frame again. Nothing can be learnt in this mode.
    * ``"auto"``: ``"soft"`` in training, ``"hard"`` otherwise.

    Args:
        mode: One of these.
        noise: Standard deviation of the noise, which drives training to probabilities near 0 and 1.
        bias: The number that ``r`` starts from.
        seed: Seed of the noise.

    Reference: He, Deng and He, "Robust Sequence-to-Sequence Acoustic Modeling with Stepwise
    Monotonic Attention for Neural TTS", 2019, arXiv:1906.00672.

    >>> stepwise = StepwiseMonotonic()
    >>> stepwise.build((1, 1, 2), (1, 3, 2), (1, 1, 2))
    >>> mask, alignment = keras.ops.array([[True, True, True, False]]), keras.ops.array([[0.5, 0.5, 0.0, 0.0]])
    >>> print(keras.ops.convert_to_numpy(stepwise.align(keras.ops.zeros((1, 4)), mask, alignment)))
    [[0.25 0.5  0.25 0.  ]]
    """

    modes = ("soft", "hard", "auto")

    def __init__(self, mode="soft", noise=0.0, bias=0.0, seed=None, **kwargs):
        super().__init__(mode, noise, bias, seed, **kwargs)

    def align(self, scores, mask, previous=None, training=None):
        stay, go = self.stop_and_go(scores, mask, training)
        return previous * stay + to_the_next_frame(previous * go, mask)
