"""A plain function as an alignment function."""

import keras
from keras import ops

from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class FunctionAlignment(Alignment):
    """A function of scores and mask as an alignment function.

    ``a = function(e, mask)``

    Weights at masked positions are set to 0 afterwards. Register the function with
    `keras.saving.register_keras_serializable` if the model is to be saved.
    `Attention(alignment=function)` makes this wrapper by itself.

    Args:
        function: Takes scores ``(..., Tv)`` and a boolean mask that broadcasts to them, returns
            weights shaped as the scores.

    >>> alignment = FunctionAlignment(lambda scores, mask: ops.sigmoid(scores))
    >>> print(ops.convert_to_numpy(alignment.align(ops.zeros((1, 2)), ops.array([[True, False]]))))
    [[0.5 0. ]]
    """

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = keras.saving.deserialize_keras_object(function) if isinstance(function, dict) else function

    def align(self, scores, mask, previous=None, training=None):
        return ops.where(mask, self.function(scores, mask), ops.zeros_like(scores))

    def get_config(self):
        return {**super().get_config(), "function": keras.saving.serialize_keras_object(self.function)}
