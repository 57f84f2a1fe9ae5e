"""The hypotheses of a whole batch as rows of tensors: row `b * beam_width + k` is hypothesis k of utterance b."""

import math

from keras import ops

from keras_attn import rows


def start(tokens, limits, steps, beam_width):
    """One empty hypothesis for each utterance; the other rows do not exist.

    Args:
        tokens: `(rows,)` int32, the token before the first.
        limits: `(rows,)` int32, the largest number of tokens.
        steps: The largest limit.
        beam_width: The number of rows of each utterance.

    Returns: A dict of tensors `(rows, ...)`.
    """
    count = ops.shape(tokens)[0]
    number = ops.arange(count, dtype="int32") % beam_width
    return {
        "last": tokens,
        "log_probs": ops.cast(ops.where(number == 0, 0.0, -math.inf), "float32"),
        "penalty": ops.zeros_like(tokens, "float32"),  # is added to the score
        "lengths": ops.zeros_like(tokens),
        "closed": (number > 0) | (limits <= 0),
        "ended": ops.zeros_like(tokens, "bool"),
        "tokens": ops.zeros((count, steps), "int32"),
        # The row in which each step of a hypothesis was computed.
        "sources": ops.broadcast_to(ops.arange(count, dtype="int32")[:, None], (count, steps)),
    }


def candidates(beams, log_probs, end_token):
    """The log probabilities of all hypotheses followed by all tokens, `(rows, vocabulary)`, and the lengths, `(rows,)`.

    A closed hypothesis is its own only candidate, in the column of the end token.
    """
    unchanged = ops.where(ops.arange(ops.shape(log_probs)[1]) == end_token, 0.0, -math.inf)
    closed = ops.expand_dims(beams["closed"], 1)
    totals = ops.expand_dims(beams["log_probs"], 1) + ops.where(closed, unchanged, log_probs)
    lengths = beams["lengths"] + ops.cast(ops.logical_not(beams["closed"]), "int32")
    return totals, lengths


def best(beams, totals, scores, beam_width):
    """The best candidates of each utterance: log probability, token, and the row of what it continues, all `(rows,)`.

    Args:
        beams: A dict as `start` returns it.
        totals, scores: `(rows, vocabulary)`, the log probabilities of the candidates, and what they are chosen by.
        beam_width: The number of rows of each utterance.
    """
    vocabulary = ops.shape(totals)[1]
    scores = ops.reshape(scores, (-1, beam_width * vocabulary))
    chosen = ops.cast(ops.top_k(scores, beam_width)[1], "int32")
    first = ops.arange(ops.shape(scores)[0], dtype="int32") * (beam_width * vocabulary)
    chosen = like(beams["last"], ops.reshape(ops.expand_dims(first, 1) + chosen, (-1,)))
    return rows.take(ops.reshape(totals, (-1,)), chosen), chosen % vocabulary, chosen // vocabulary


def best_tokens(beams, totals):
    """The same of utterances of one row each, the most probable candidate; None for the rows, which stay."""
    log_probs, tokens = (x[:, 0] for x in ops.top_k(totals, 1))
    tokens = like(beams["last"], ops.cast(tokens, "int32"))
    return like(beams["log_probs"], log_probs), tokens, None


def along(sources, inside, x):
    """Picks from `(steps, rows, ...)` what each hypothesis went through, `(batch, n_best, steps, ...)`."""
    shape = ops.shape(x)
    chosen = ops.arange(shape[0], dtype="int32") * shape[1] + sources
    x = rows.take(ops.reshape(x, (-1, *shape[2:])), chosen)
    inside = ops.reshape(inside, (*ops.shape(inside), *[1] * (len(shape) - 2)))
    return ops.where(inside, x, ops.zeros_like(x))


def like(old, new):
    """Gives `new` the static shape of `old`, as loops demand; the two have to agree."""
    pairs = list(zip(old.shape, new.shape, strict=False))
    agree = len(old.shape) == len(new.shape) and all(None in pair or pair[0] == pair[1] for pair in pairs)
    if not agree or old.dtype != new.dtype:
        message = f"Expected step to keep the state's shape={tuple(old.shape)} and dtype={old.dtype}."
        raise ValueError(f"{message} Received: shape={tuple(new.shape)} and dtype={new.dtype}")
    known = all(one is None or one == other for one, other in pairs)
    return new if known else ops.reshape(new, ops.shape(old))
