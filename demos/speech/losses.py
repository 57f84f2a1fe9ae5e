"""Losses of the recogniser, each a mean over the real tokens of a batch."""

import keras
from keras import ops


def smoothed_cross_entropy(targets, logits, mask, smoothing=0.0):
    """Cross-entropy with label smoothing.

    `loss = -sum_real sum_v p(v) log q(v) / |real|`, `p = (1 - smoothing) onehot(target) + smoothing / vocabulary`

    Args:
        targets: int32 `(batch, steps)`.
        logits: `(batch, steps, vocabulary)`.
        mask: bool `(batch, steps)`, True for real tokens; what stands elsewhere changes nothing.
        smoothing: share of the probability spread evenly over the vocabulary.

    Returns:
        A scalar in nats; 0 when there is no real token.
    """
    log_probs = ops.log_softmax(ops.cast(logits, "float32"))
    target = ops.take_along_axis(log_probs, targets[..., None], axis=-1)[..., 0]
    losses = -(1 - smoothing) * target - smoothing * ops.mean(log_probs, axis=-1)
    return masked_mean(losses, mask)


def token_accuracy(targets, logits, mask):
    """Share of the real tokens that are the most probable one."""
    return masked_mean(ops.cast(ops.equal(ops.argmax(logits, axis=-1), targets), "float32"), mask)


def ctc_per_token(tokens, num_tokens, logits, num_frames, blank):
    """CTC loss divided by the number of tokens.

    Args:
        tokens: int32 `(batch, length)`.
        num_tokens: int32 `(batch,)`.
        logits: `(batch, frames, vocabulary)`.
        num_frames: int32 `(batch,)`.
        blank: the token that stands for no output.

    Returns:
        A scalar in nats per token. An utterance with fewer frames than CTC needs counts as 0.

    Reference: Graves et al., "Connectionist Temporal Classification", 2006.
    """
    num_tokens, num_frames = ops.cast(num_tokens, "int32"), ops.cast(num_frames, "int32")
    # One column more, for a batch without any text has none, which CTC cannot take.
    tokens = ops.pad(tokens, [[0, 0], [0, 1]])
    possible = num_frames >= num_tokens + _repeats(tokens, num_tokens)
    asked = ops.where(possible, num_tokens, 0)
    # An impossible utterance, or one without text, is given one token and a frame for it, so that neither its loss
    # nor its gradient is infinite, and then no weight.
    losses = _ctc(tokens, ops.maximum(asked, 1), ops.cast(logits, "float32"), ops.maximum(num_frames, 1), blank)
    losses = ops.where(asked > 0, losses, ops.zeros_like(losses))
    total = ops.cast(ops.sum(asked), "float32")
    return ops.sum(losses) / ops.maximum(total, 1.0)


def _ctc(tokens, num_tokens, logits, num_frames, blank):
    """CTC loss of each utterance, `(batch,)`."""
    if keras.config.backend() != "tensorflow":
        return ops.ctc_loss(tokens, logits, num_tokens, num_frames, mask_index=blank)
    import tensorflow as tf

    # The same loss: given sparse labels, TensorFlow runs one kernel instead of a loop, 13 times as fast on a CPU.
    real = tf.sequence_mask(num_tokens, tf.shape(tokens)[1])
    shape = tf.shape(tokens, out_type="int64")
    labels = tf.SparseTensor(tf.where(real), tf.boolean_mask(tokens, real), shape)
    return tf.nn.ctc_loss(labels, logits, None, num_frames, logits_time_major=False, blank_index=blank)


def masked_mean(values, mask):
    """Mean of `values` where `mask` is True; 0 when it is nowhere."""
    values = ops.where(mask, values, ops.zeros_like(values))
    return ops.sum(values) / ops.maximum(ops.sum(ops.cast(mask, values.dtype)), 1)


def _repeats(tokens, num_tokens):
    """How many tokens follow their like: CTC needs a blank between them."""
    real = ops.arange(1, ops.shape(tokens)[1], dtype="int32") < num_tokens[:, None]
    same = ops.equal(tokens[:, 1:], tokens[:, :-1])
    return ops.sum(ops.cast(ops.logical_and(real, same), "int32"), axis=1)
