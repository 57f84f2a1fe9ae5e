"""Gumbel-softmax: samples that gradients pass through."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.alignments.alignment import Alignment
from keras_attn.alignments.hardmax import one_hot_of_largest
from keras_attn.alignments.straight_through import straight_through


@keras.saving.register_keras_serializable(package="keras_attn")
class GumbelSoftmax(Alignment):
    """In training, a smooth sample of one element; otherwise a softmax.

    ``a_j = exp((e_j + g_j) / temperature) / sum_k exp((e_k + g_k) / temperature)``

    ``e`` are the scores. The noise is ``g_j = -log(-log(u_j))`` with ``u_j`` uniform between 0 and
    1 in training, and ``g_j = 0`` otherwise. The element with the largest ``e_j + g_j`` is a sample
    of the softmax of the scores; the weights go to its one-hot vector as the temperature goes
    to 0. Masked elements get weight 0; a row without a real element is all 0.

    Args:
        temperature: Positive number.
        hard: Whether the weights are that one-hot vector, with the gradient of the smooth
            weights (straight-through); outside training that of the largest score.
        seed: Seed of the noise.

    Reference: Jang, Gu and Poole, "Categorical Reparameterization with Gumbel-Softmax", 2017,
    arXiv:1611.01144.

    >>> sampler = GumbelSoftmax(hard=True)
    >>> sampler.build((1, 1, 2), (1, 3, 2), (1, 1, 2))
    >>> scores, mask = ops.array([[0.0, 2.0, 9.0]]), ops.array([[True, True, False]])
    >>> print(ops.convert_to_numpy(sampler.align(scores, mask)))
    [[0. 1. 0.]]
    >>> samples = [sampler.align(scores, mask, training=True) for _ in range(200)]
    >>> bool(0.05 < ops.mean(ops.stack(samples)[:, 0, 0]) < 0.2)  # exp(0) / (exp(0) + exp(2)) = 0.12
    True
    """

    def __init__(self, temperature=1.0, hard=False, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not temperature > 0:
            raise ValueError(f"Expected a positive number. Received: temperature={temperature}")
        self.temperature = temperature
        self.hard = hard
        self.seed = seed

    def build(self, query_shape, key_shape, context_shape):
        self.seed_generator = keras.random.SeedGenerator(self.seed, name="noise")

    def align(self, scores, mask, previous=None, training=None):
        if training:
            scores = scores + self._noise(scores)
        soft = masking.masked_softmax(scores / self.temperature, mask)
        return straight_through(one_hot_of_largest(scores, mask), soft) if self.hard else soft

    def _noise(self, scores):
        # From the smallest normal number of float32 on, as the logarithm of 0 is infinite.
        shape, dtype = ops.shape(scores), scores.dtype
        uniform = keras.random.uniform(shape, minval=1.2e-38, dtype=dtype, seed=self.seed_generator)
        return -ops.log(-ops.log(uniform))

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "hard": self.hard,
            "seed": self.seed,
        }
