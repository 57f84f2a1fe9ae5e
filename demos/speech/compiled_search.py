"""Listening and searching compiled by XLA, much faster for each size of batch and number of frames that it has met."""

import numpy as np
import tensorflow as tf

# Numbers of frames, in those of the listener, that utterances are filled up to: 16, 24, 32, 48, 64, ... So few of them
# are met, and at most half of the frames are too many.
_SIZES = np.sort(np.multiply.outer([16, 24], 2 ** np.arange(20)).ravel()).astype("int32")


def compiled(search, reduction):
    """What does the same as a search, compiled anew for every batch size and every one of a few numbers of frames.

    Args:
        search: function of `log_mel` `(batch, frames, bands)`, `mask` `(batch, frames)` and a nest of tensors or None,
            that returns a `keras_attn.BeamSearchResult` with a history `alignment` over the frames of the listener, and
            the number of these for each utterance.
        reduction: frames that become one of the listener.
    """
    run = tf.function(search, jit_compile=True, autograph=False)

    def padded(log_mel, mask, favoured):
        frames = tf.shape(mask)[1]
        heard = -(-frames // reduction)
        rest = reduction * filled_up(heard) - frames
        log_mel, mask = tf.pad(log_mel, [[0, 0], [0, rest], [0, 0]]), tf.pad(mask, [[0, 0], [0, rest]])
        result, num_frames = run(log_mel, mask, favoured)
        alignment = result.history["alignment"][..., :heard]
        return result._replace(history=result.history | {"alignment": alignment}), num_frames

    return padded


def filled_up(frames):
    """The number of frames that an utterance is filled up to.

    >>> [int(filled_up(frames)) for frames in (0, 16, 17, 100)]
    [16, 16, 24, 128]
    """
    return tf.gather(_SIZES, tf.searchsorted(_SIZES, tf.reshape(frames, [1])))[0]
