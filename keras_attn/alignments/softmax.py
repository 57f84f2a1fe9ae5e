"""Softmax."""

import keras

from keras_attn import masking
from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class Softmax(Alignment):
    """Softmax over the real elements of the memory.

    ``a_j = exp(e_j / temperature) / sum_k exp(e_k / temperature)``

    ``e`` are the scores. The weights of a row add up to 1, and none of a real element is 0; a
    row without a real element is all 0. A temperature below 1 sharpens (``1 / temperature`` is
    the factor ``beta`` of Chorowski et al. 2015, section 2.3), above 1 it flattens.

    Args:
        temperature: Positive number.
        dropout: Share of the weights that are set to 0 in training; the others are scaled up by
            ``1 / (1 - dropout)``.
        seed: Seed of the dropout.

    >>> weights = Softmax().align(keras.ops.array([[0.0, 0.0, 9.0]]), keras.ops.array([[True, True, False]]))
    >>> print(keras.ops.convert_to_numpy(weights))
    [[0.5 0.5 0. ]]
    """

    needs_mask = False

    def __init__(self, temperature=1.0, dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not temperature > 0:
            raise ValueError(f"Expected a positive number. Received: temperature={temperature}")
        if not 0 <= dropout < 1:
            raise ValueError(f"Expected a number from 0 to below 1. Received: dropout={dropout}")
        self.temperature = temperature
        self.dropout = dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None

    @property
    def softmax_temperature(self):
        return self.temperature if type(self).align is Softmax.align else None

    def align(self, scores, mask=None, previous=None, training=None):
        scores = scores if self.temperature == 1 else scores / self.temperature
        alignment = masking.masked_softmax(scores, mask)
        if training and self.dropout:
            alignment = keras.random.dropout(alignment, self.dropout, seed=self.seed_generator)
        return alignment

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "dropout": self.dropout,
            "seed": self.seed,
        }
