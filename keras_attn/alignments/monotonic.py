"""Monotonic attention."""

import keras
from keras import ops

from keras_attn.alignments.recurrences import linear_recurrence, linear_recurrence_by_frame, shift
from keras_attn.alignments.stopping_alignment import StoppingAlignment


def first_stop(stop, go, previous, by_frame=False):
    """The probability of every frame to be the first one to stop at, from the previous one on.

    Args:
        stop: ``(..., Tv)``, probability to stop at each frame.
        go: ``(..., Tv)``, that not to.
        previous: ``(..., Tv)``, probability of each frame to be the previous one.
        by_frame: Whether to go through one frame after the other, rather than all at once.
    """
    recurrence = linear_recurrence_by_frame if by_frame else linear_recurrence
    return stop * recurrence(shift(go), previous)


@keras.saving.register_keras_serializable(package="keras_attn")
class Monotonic(StoppingAlignment):
    """Each query looks from the frame of the previous one on, and stops at one frame.

    ``a_j = p_j q_j``, ``q_j = (1 - p_{j-1}) q_{j-1} + a'_j``, ``p_j = 1 / (1 + exp(-(e_j + r + noise n_j)))``

    ``p_j`` is the probability to stop at frame ``j`` when one gets there, ``q_j`` that to get there,
    ``a'`` the previous alignment, which starts on the first real frame; ``e`` are the scores, ``r``
    is a weight, and ``n_j`` is Gaussian noise in training. So ``a_j`` is the probability to stop at
    ``j``. Masked frames are passed over. The probability to get past the last frame is left:
    the weights may add up to less than 1.

    Modes:

    * ``"parallel"``: the recurrence is solved for all frames at once. It is exact at any length;
      the usual quotient of cumulative products loses all weight on a memory as long as speech.
    * ``"recursive"``: the same numbers, one frame after the other.
    * ``"hard"``: one frame gets all the weight, the first with ``p_j`` of at least 1/2, from the
      previous one on. If there is none, all weights are 0, and the next query starts from
      the same place. Nothing can be learnt in this mode.
    * ``"median"``: the same, but the frame is the first one by which it is at least as likely as not to
      have stopped: ``sum_{k <= j} a_k >= 1/2``. Where training has spread a stop over some
      frames, of which none has a ``p_j`` of 1/2, ``"hard"`` goes past all of them; this mode stops in
      their middle. It stops at the frame of ``"hard"`` or earlier, and needs nothing that comes later.
    * ``"auto"``: ``"parallel"`` in training, ``"median"`` otherwise.

    Args:
        mode: One of these.
        noise: Standard deviation of the noise, which drives training to probabilities near 0 and
            1, so that a decision makes little difference afterwards; 1 is a common choice.
        bias: The number that ``r`` starts from. A negative one, such as -4, spreads the weights of
            an untrained model.
        seed: Seed of the noise.

    Reference: Raffel et al., "Online and Linear-Time Attention by Enforcing Monotonic Alignments",
    2017, arXiv:1704.00784.

    >>> monotonic = Monotonic()
    >>> monotonic.build((1, 1, 2), (1, 3, 2), (1, 1, 2))
    >>> scores, mask = keras.ops.zeros((1, 4)), keras.ops.array([[True, True, True, False]])
    >>> print(keras.ops.convert_to_numpy(monotonic.align(scores, mask, monotonic.initial_alignment(mask))))
    [[0.5   0.25  0.125 0.   ]]
    """

    modes = ("parallel", "recursive", "hard", "median", "auto")

    def __init__(self, mode="parallel", noise=0.0, bias=0.0, seed=None, **kwargs):
        super().__init__(mode, noise, bias, seed, **kwargs)

    def align(self, scores, mask, previous=None, training=None):
        chosen = first_stop(*self.stop_and_go(scores, mask, training), previous, self.mode == "recursive")
        if self.mode_in(training) != "median":
            return chosen
        passed = ops.cumsum(ops.cast(chosen, "float32"), axis=-1) >= 0.5
        return ops.cast(ops.logical_and(passed, ops.logical_not(shift(passed))), chosen.dtype)
