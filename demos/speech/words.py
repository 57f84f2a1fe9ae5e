"""The words of what was recognised, in the graph: their texts, their times, and how sure the recogniser is of them."""

import tensorflow as tf
from keras import ops

from keras_attn import metrics

# The share of the attention of a word that is cut off at each end of it: a little always strays far. On the
# validation utterances of the synthetic commands, 0.05 and 0.15 gave larger errors of the boundaries.
TAIL = 0.1


def word_ids(tokens, num_tokens, vocabulary):
    """The number of the word that each token belongs to.

    Args:
        tokens: int32 `(batch, steps)`.
        num_tokens: int32 `(batch,)`, the tokens that count.
        vocabulary: a `Vocabulary`.

    Returns:
        ids: int32 `(batch, steps)`; -1 for what is between words, and padding.
        num_words: int32 `(batch,)`.

    >>> from demos.speech.text import Vocabulary
    >>> vocabulary = Vocabulary(" gno")
    >>> ids, num_words = word_ids([vocabulary.encode("go  on") + [0]], [6], vocabulary)
    >>> ids.numpy().tolist(), num_words.numpy().tolist()
    ([[0, 0, -1, -1, 1, 1, -1]], [2])
    """
    inside = tf.sequence_mask(num_tokens, tf.shape(tokens)[1]) & ~tf.gather(vocabulary.separators, tokens)
    goes_on = tf.pad(inside[:, :-1], [[0, 0], [1, 0]]) & ~tf.gather(vocabulary.word_starts, tokens)
    starts = tf.cast(inside & ~goes_on, "int32")
    return tf.where(inside, tf.cumsum(starts, axis=1) - 1, -1), tf.reduce_sum(starts, axis=1)


def word_texts(tokens, ids, count, vocabulary):
    """The texts of the words, string `(batch, count)`, empty where there are fewer; `ids` as of `word_ids`.

    >>> from demos.speech.text import Vocabulary
    >>> tokens = tf.constant([Vocabulary(" gno").encode("go on")])
    >>> word_texts(tokens, tf.constant([[0, 0, -1, 1, 1]]), 3, Vocabulary(" gno")).numpy().tolist()
    [[b'go', b'on', b'']]
    """
    batch = tf.shape(tokens)[0]
    # What belongs to no word goes behind the last one, and is left there.
    segments = tf.where(ids < 0, batch * count, ids + count * tf.range(batch)[:, None])
    texts = tf.gather(tf.constant(vocabulary.word_parts), tokens)
    joined = tf.strings.unsorted_segment_join(tf.reshape(texts, [-1]), tf.reshape(segments, [-1]), batch * count + 1)
    return tf.reshape(joined[:-1], [batch, count])


def word_times(alignment, ids, count, frame_duration, offset):
    """When the words are said: start and end in seconds, `(batch, count, 2)`.

    Args:
        alignment: `(batch, steps, frames)`.
        ids: int32 `(batch, steps)`, as of `word_ids`.
        count: the largest number of words.
        frame_duration: seconds from a frame to the next.
        offset: seconds at which the first frame starts.
    """
    return metrics.word_spans(metrics.word_alignment(alignment, ids, count), frame_duration, TAIL, offset)


def word_confidence(log_probs, ids, count):
    """How sure the recogniser is of each word: the geometric mean of the probabilities of its tokens, `(batch, count)`.

    On the validation utterances of the synthetic commands, their product and the smallest of them told right from wrong
    words less well.

    Args:
        log_probs: `(batch, steps)`, of each token, given those before it and what was heard.
        ids: int32 `(batch, steps)`, as of `word_ids`.
        count: the largest number of words.

    >>> word_confidence(ops.log([[0.5, 0.8, 1.0, 0.9]]), ops.convert_to_tensor([[0, 0, -1, 1]]), 2).numpy().round(2)
    array([[0.63, 0.9 ]], dtype=float32)
    """
    belongs = ids[:, None, :] == ops.arange(count, dtype="int32")[:, None]
    total = ops.sum(ops.where(belongs, log_probs[:, None, :], 0.0), axis=2)
    length = ops.sum(ops.cast(belongs, "float32"), axis=2)
    return ops.where(length > 0, ops.exp(total / ops.maximum(length, 1.0)), 0.0)
