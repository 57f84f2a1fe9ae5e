"""The contract of an alignment function that decides frame by frame whether to stop."""

import keras
from keras import ops

from keras_attn.alignments.moving_alignment import MovingAlignment


class StoppingAlignment(MovingAlignment):
    """Base class of the alignment functions in which every frame has a probability to stop there.

    ``p_j = 1 / (1 + exp(-(e_j + r + noise n_j)))``

    ``e`` are the scores, ``r`` is a weight, and ``n_j`` is Gaussian noise of unit variance in
    training, and 0 otherwise. In mode ``"hard"`` a ``p_j`` of at least 1/2 counts as 1 and a
    smaller one as 0. Masked frames have ``p_j = 0``.

    A member must implement `align`, and name its modes in the attribute ``modes``: the soft one, which
    can be trained, others, the one to decide with after training, and ``"auto"``.

    Args:
        mode: One of ``modes``. ``"auto"`` stands for the first one in training and for the last one
            before it otherwise.
        noise: Standard deviation of the noise, which drives training to probabilities near 0 and 1.
        bias: The number that ``r`` starts from. A negative one makes untrained models go far.
        seed: Seed of the noise.
    """

    scores = "energies"
    modes = ()

    def __init__(self, mode, noise, bias, seed, **kwargs):
        super().__init__(**kwargs)
        if mode not in self.modes:
            raise ValueError(f"Expected mode to be one of {list(self.modes)}. Received: mode={mode!r}")
        if not noise >= 0:
            raise ValueError(f"Expected a number that is not negative. Received: noise={noise}")
        self.mode = mode
        self.noise = noise
        self.bias = bias
        self.seed = seed

    def build(self, query_shape, key_shape, context_shape):
        start = keras.initializers.Constant(self.bias)
        self.score_bias = self.add_weight(name="score_bias", shape=(), initializer=start)
        self.seed_generator = keras.random.SeedGenerator(self.seed, name="noise") if self.noise else None

    def mode_in(self, training):
        """The mode that ``"auto"`` stands for, or else the mode."""
        if self.mode != "auto":
            return self.mode
        return self.modes[0] if training else self.modes[-2]

    def stop_and_go(self, scores, mask, training):
        """The probabilities ``p`` to stop and ``1 - p`` to go on, ``(..., Tv)`` both."""
        energies = scores + ops.cast(self.score_bias, scores.dtype)
        if training and self.noise:
            noise = keras.random.normal(ops.shape(scores), dtype=scores.dtype, seed=self.seed_generator)
            energies = energies + self.noise * noise
        # 1 - p is a sigmoid too: the difference would be 0 where p is near 1.
        hard = self.mode_in(training) == "hard"
        stop, go = (energies >= 0, energies < 0) if hard else (ops.sigmoid(energies), ops.sigmoid(-energies))
        stop, go = ops.cast(stop, scores.dtype), ops.cast(go, scores.dtype)
        return ops.where(mask, stop, ops.zeros_like(stop)), ops.where(mask, go, ops.ones_like(go))

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "noise": self.noise,
            "bias": self.bias,
            "seed": self.seed,
        }
