"""Listening and searching compiled by XLA, much faster for each size of batch and number of frames that it has met."""

import numpy as np
import tensorflow as tf

# Numbers of frames, in those of the listener, that utterances are filled up to: 16, 24, 32, 48, 64, ... So few of them
# are met, and at most half of the frames are too many.
_SIZES = np.sort(np.multiply.outer([16, 24], 2 ** np.arange(20)).ravel()).astype("int32")

# Up to so many utterances, one program that hears with one core takes less time than several that hear with two.
_FEW = 2


def compiled(listen, search, reduction):
    """What listens and searches, compiled anew for every batch size and every one of a few numbers of frames.

    Args:
        listen: function of `features` `(batch, frames, bands)` and `mask` `(batch, frames)` that returns both for the
            frames of the listener, whose LSTMs are compiled: see `Listener`.
        search: function of what `listen` returns and a nest of tensors or None, that returns a
            `keras_attn.BeamSearchResult` with a history `alignment` over the frames of the listener.
        reduction: frames that become one of the listener.

    Returns:
        A function of `features`, `mask` and the nest that returns the result, and the mask of the listener's frames.
    """
    run = tf.function(search, jit_compile=True, autograph=False)

    def part_by_part(features, mask, favoured):
        encoded, mask = listen(features, mask)
        return run(encoded, mask, favoured), mask

    at_once = tf.function(part_by_part, jit_compile=True, autograph=False)

    def find(features, mask, favoured):
        frames = tf.shape(mask)[1]
        heard = -(-frames // reduction)
        rest = reduction * filled_up(heard) - frames
        filled = tf.pad(features, [[0, 0], [0, rest], [0, 0]]), tf.pad(mask, [[0, 0], [0, rest]]), favoured
        few = tf.shape(mask)[0] <= _FEW
        result, mask = tf.cond(few, lambda: at_once(*filled), lambda: part_by_part(*filled))
        alignment = result.history["alignment"][..., :heard]
        return result._replace(history=result.history | {"alignment": alignment}), mask[:, :heard]

    return find


def filled_up(frames):
    """The number of frames that an utterance is filled up to.

    >>> [int(filled_up(frames)) for frames in (0, 16, 17, 100)]
    [16, 16, 24, 128]
    """
    return tf.gather(_SIZES, tf.searchsorted(_SIZES, tf.reshape(frames, [1])))[0]
