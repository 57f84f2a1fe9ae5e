"""The contract of an alignment function."""

import keras

from keras_attn import masking


class Alignment(keras.layers.Layer):
    """Base class of the alignment functions.

    An alignment function turns scores into weights over the memory. A member must implement
    `align`. One that needs the previous alignment has the class attribute ``recurrent = True``
    and is given one query at a time. One with variables makes them in `build(scores_shape)`.
    """

    recurrent = False

    def initial_alignment(self, mask):
        """The alignment before the first query: uniform over the real elements by default.

        Args:
            mask: ``(batch, Tv)`` booleans.

        Returns:
            ``(batch, Tv)``.
        """
        return masking.normalize(keras.ops.cast(mask, "float32"))

    def align(self, scores, mask, previous=None, training=None):
        """Turn scores into weights.

        Args:
            scores: ``(..., Tv)`` in at least float32, 0 where masked: any leading axes when not
                recurrent, else ``(batch, Tv)`` or ``(batch, heads, Tv)``.
            mask: Booleans that broadcast to `scores`. Masked positions must get weight 0.
            previous: The previous alignment, shaped as `scores`, for a recurrent member.
            training: Whether the model is being trained (for noise and dropout).

        Returns:
            The alignment, shaped and typed as `scores`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement align(scores, mask, previous, training).")
