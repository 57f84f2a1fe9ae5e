"""Batched beam search over any step function, in one graph."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

# The hypotheses of a whole batch lie in rows: row b * beam_width + k is hypothesis k of utterance b.


class BeamSearchResult(NamedTuple):
    """The best hypotheses of each utterance, best first.

    `steps` is the largest `max_length`. A hypothesis that does not exist has score -inf and length 0.

    Attributes:
        tokens: `(batch, n_best, steps)` int32; from `lengths` on, `end_token`.
        lengths: `(batch, n_best)` int32, the number of tokens without the end token.
        scores: `(batch, n_best)` float32, the normalised log probabilities, in descending order.
        log_probs: `(batch, n_best)` float32, the log probabilities, that of the end token included.
        ended: `(batch, n_best)` bool, False for a hypothesis that was cut at its `max_length`.
        history: None, or the nest that `history` made, each leaf `(batch, n_best, steps, ...)`, zero from `lengths` on.
    """

    tokens: Any
    lengths: Any
    scores: Any
    log_probs: Any
    ended: Any
    history: Any


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    r"""Finds the most probable token sequences of a step function.

    `score(y) = sum_t log p(y_t | y_1 .. y_{t-1}) / |y| ** length_normalization`

    where `|y|` is the number of tokens of the hypothesis `y`, the end token included. A hypothesis is closed by the
    end token, or as it is when it has `max_length` tokens. At the start there is one, empty. At every step

    1. the candidates are each open hypothesis followed by each token, and each closed hypothesis as it is, once;
    2. candidates whose log probability is -inf (a forbidden token) or NaN are dropped;
    3. the `beam_width` candidates of highest score survive, best first; of equal ones first that from the better
       hypothesis of the step before, then that of the lower token (with torch, as `torch.topk` decides).

    The search ends when all hypotheses of all utterances are closed; no two of them are the same. A width of 1 is
    greedy search. The result for an utterance does not depend on what else is in its batch.

    Args:
        step: Function `(tokens, state) -> (log_probs, state)`, or of `(tokens, state, constants)` if constants are
            given. `tokens` is `(rows,)` int32, the last token of each hypothesis, `rows = batch * beam_width`;
            `log_probs` is `(rows, vocabulary)`; the state keeps its structure, shapes and dtypes.
        end_token: The token that closes a hypothesis.
        beam_width: How many hypotheses survive a step.
        length_normalization: The exponent of the length, 0 for none.
        n_best: How many hypotheses to return for each utterance, at most `beam_width`.
        history: Function `state -> nest` of tensors `(rows, ...)` to record along each returned hypothesis, such as
            the alignments. It sees the state after each step.

    Call arguments:
        start_tokens: `(batch,)` integers, the token before the first.
        state: Nest (dicts, lists, tuples) of tensors `(batch, ...)`, repeated for each hypothesis, reordered each step.
        max_length: The largest number of tokens, the end token included: an int, or `(batch,)` integers (the sizes of
            the result then depend on their values, which `jax.jit` does not allow).
        constants: Nest of tensors `(batch, ...)` that no step changes, such as the memory of an attention: repeated for
            each hypothesis once, never reordered.

    Returns: A `BeamSearchResult`.
    Raises: TypeError for a `step` that is not callable or a `max_length` that is not integer; ValueError for an
    argument out of its range or a shape that is not as above.

    Example:

    >>> import numpy as np
    >>> chances = np.array([[0.5, 0.4, 0.1], [0.0, 0.1, 0.9], [0.0, 0.0, 1.0]], "float32")
    >>> def step(tokens, state):
    ...     return keras.ops.log(keras.ops.take(chances, tokens, axis=0)), state
    >>> search = BeamSearch(step, end_token=2, beam_width=3, n_best=2)
    >>> result = search(start_tokens=[0], state={}, max_length=4)
    >>> print(np.asarray(result.tokens[0]).tolist(), np.asarray(result.scores[0]).round(3))
    [[1, 2, 2, 2], [0, 1, 2, 2]] [-0.511 -0.572]

    Reference:
        Sutskever, Vinyals, Le. Sequence to sequence learning with neural networks. 2014. arXiv:1409.3215.
        Wu et al. Google's neural machine translation system. 2016. arXiv:1609.08144 (another length normalisation).
    """

    step: Callable
    _: dataclasses.KW_ONLY
    end_token: int
    beam_width: int = 8
    length_normalization: float = 1.0
    n_best: int = 1
    history: Callable | None = None

    def __post_init__(self):
        if not callable(self.step):
            raise TypeError(f"Expected a function (tokens, state) -> (log_probs, state). Received: step={self.step!r}")
        _check_integer("end_token", self.end_token, 0)
        _check_integer("beam_width", self.beam_width, 1)
        _check_integer("n_best", self.n_best, 1, self.beam_width)
        if not 0 <= self.length_normalization < math.inf:
            raise ValueError(f"Expected an exponent >= 0. Received: length_normalization={self.length_normalization}")

    def __call__(self, start_tokens, state, max_length, constants=None):
        start_tokens = ops.cast(ops.convert_to_tensor(start_tokens), "int32")
        _check_batch(start_tokens, (state, constants))
        limits, steps = _limits(max_length, ops.shape(start_tokens)[0])
        repeat = partial(ops.repeat, repeats=self.beam_width, axis=0)
        given = (start_tokens, limits, state, constants)
        start_tokens, limits, state, constants = keras.tree.map_structure(repeat, given, none_is_leaf=False)
        record = self._history_of(state)
        history = keras.tree.map_structure(lambda x: ops.zeros((steps, *ops.shape(x)), x.dtype), record)

        def unfinished(time, beams, state, history):
            return ops.logical_and(time < steps, ops.any(ops.logical_not(beams["closed"])))

        def advance(time, beams, state, history):
            log_probs, new_state = self._call_step(beams["last"], state, constants)
            state = keras.tree.map_structure(_like, state, new_state)
            now, record = ops.reshape(time, (1, 1)), self._history_of(state)
            history = keras.tree.map_structure(lambda x, y: ops.scatter_update(x, now, y[None]), history, record)
            beams, rows = self._survivors(time, beams, log_probs, limits)
            state = keras.tree.map_structure(partial(ops.take, indices=rows, axis=0), state)
            return time + 1, beams, state, history

        loop = (ops.zeros((), "int32"), self._start(start_tokens, limits, steps), state, history)
        _, beams, _, history = ops.while_loop(unfinished, advance, loop)
        return self._result(beams, history)

    def _history_of(self, state):
        return {} if self.history is None else {"of": self.history(state)}

    def _start(self, tokens, limits, steps):
        rows = ops.shape(tokens)[0]
        number = ops.arange(rows, dtype="int32") % self.beam_width
        return {
            "last": tokens,
            "log_probs": ops.cast(ops.where(number == 0, 0.0, -math.inf), "float32"),
            "lengths": ops.zeros_like(tokens),
            "closed": (number > 0) | (limits <= 0),
            "ended": ops.zeros_like(tokens, "bool"),
            "tokens": ops.zeros((rows, steps), "int32"),
            "sources": ops.zeros((rows, steps), "int32"),  # the row in which each step of a hypothesis was computed
        }

    def _call_step(self, tokens, state, constants):
        log_probs, state = self.step(tokens, state) if constants is None else self.step(tokens, state, constants)
        shape = tuple(log_probs.shape)
        if len(shape) != 2 or (shape[1] is not None and shape[1] <= self.end_token):
            message = f"Expected log_probs of shape (rows, vocabulary) with vocabulary > end_token={self.end_token}."
            raise ValueError(f"{message} Received: log_probs.shape={shape}")
        return ops.cast(log_probs, "float32"), state

    def _survivors(self, time, beams, log_probs, limits):
        """Returns the best candidates, and for each the row of the hypothesis that it continues."""
        vocabulary = ops.shape(log_probs)[1]
        totals, lengths = self._candidates(beams, log_probs)
        scores = ops.reshape(self._score(totals, ops.expand_dims(lengths, 1)), (-1, self.beam_width * vocabulary))
        best = ops.cast(ops.top_k(scores, self.beam_width)[1], "int32")
        first = ops.arange(ops.shape(scores)[0], dtype="int32") * (self.beam_width * vocabulary)
        chosen = _like(beams["last"], ops.reshape(ops.expand_dims(first, 1) + best, (-1,)))
        rows, tokens = chosen // vocabulary, chosen % vocabulary
        totals = ops.take(totals, chosen)
        exists = totals > -math.inf
        lengths = ops.where(exists, ops.take(lengths, rows), 0)
        beams = {name: ops.take(x, rows, axis=0) for name, x in beams.items()}
        ended = ops.logical_and(exists, ops.where(beams["closed"], beams["ended"], tokens == self.end_token))
        closed = beams["closed"] | ended | (lengths >= limits) | ops.logical_not(exists)
        now = ops.arange(ops.shape(beams["tokens"])[1], dtype="int32") == time
        beams["tokens"] = ops.where(now, ops.expand_dims(tokens, 1), beams["tokens"])
        beams["sources"] = ops.where(now, ops.expand_dims(rows, 1), beams["sources"])
        return beams | {"last": tokens, "log_probs": totals, "lengths": lengths, "closed": closed, "ended": ended}, rows

    def _candidates(self, beams, log_probs):
        """Returns the log probability of each candidate, (rows, vocabulary), and their lengths, (rows,)."""
        # A closed hypothesis is its own only candidate, in the column of the end token.
        unchanged = ops.where(ops.arange(ops.shape(log_probs)[1]) == self.end_token, 0.0, -math.inf)
        closed = ops.expand_dims(beams["closed"], 1)
        totals = ops.expand_dims(beams["log_probs"], 1) + ops.where(closed, unchanged, log_probs)
        lengths = beams["lengths"] + ops.cast(ops.logical_not(beams["closed"]), "int32")
        return ops.where(ops.isnan(totals), -math.inf, totals), lengths

    def _score(self, log_probs, lengths):
        return log_probs / ops.cast(ops.maximum(lengths, 1), "float32") ** self.length_normalization

    def _result(self, beams, history):
        best = ops.arange(ops.shape(beams["last"])[0] // self.beam_width, dtype="int32") * self.beam_width
        best = ops.expand_dims(best, 1) + ops.arange(self.n_best, dtype="int32")
        beams = {name: ops.take(x, best, axis=0) for name, x in beams.items()}
        lengths = beams["lengths"] - ops.cast(beams["ended"], "int32")
        inside = ops.arange(ops.shape(beams["tokens"])[2], dtype="int32") < ops.expand_dims(lengths, 2)
        history = keras.tree.map_structure(partial(_along, beams["sources"], inside), history)
        tokens = ops.where(inside, beams["tokens"], self.end_token)
        scores = self._score(beams["log_probs"], beams["lengths"])
        return BeamSearchResult(tokens, lengths, scores, beams["log_probs"], beams["ended"], history.get("of"))


def _along(sources, inside, x):
    """Picks from (steps, rows, ...) what each hypothesis went through, (batch, n_best, steps, ...)."""
    shape = ops.shape(x)
    rows = ops.arange(shape[0], dtype="int32") * shape[1] + sources
    x = ops.take(ops.reshape(x, (-1, *shape[2:])), rows, axis=0)
    inside = ops.reshape(inside, (*ops.shape(inside), *[1] * (len(shape) - 2)))
    return ops.where(inside, x, ops.zeros_like(x))


def _like(old, new):
    """Gives `new` the static shape of `old`, as loops demand; the two have to agree."""
    pairs = zip(old.shape, new.shape, strict=False)
    agree = len(old.shape) == len(new.shape) and all(None in pair or pair[0] == pair[1] for pair in pairs)
    if not agree or old.dtype != new.dtype:
        message = f"Expected step to keep the state's shape={tuple(old.shape)} and dtype={old.dtype}."
        raise ValueError(f"{message} Received: shape={tuple(new.shape)} and dtype={new.dtype}")
    return ops.reshape(new, ops.shape(old))


def _limits(max_length, batch):
    """Returns the limit of each utterance, (batch,) int32, and their maximum."""
    if isinstance(max_length, int | np.integer):
        _check_integer("max_length", max_length, 1)
        return ops.full((batch,), int(max_length), "int32"), int(max_length)
    limits = ops.convert_to_tensor(max_length)
    if "int" not in str(limits.dtype) or len(limits.shape) != 1:
        raise TypeError(f"Expected an int or integers of shape (batch,). Received: max_length={max_length}")
    limits = ops.cast(limits, "int32")
    return limits, ops.max(limits, initial=0)


def _check_integer(name, value, low, high=math.inf):
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"Expected {name} as an int from {low} to {high}. Received: {name}={value!r}")


def _check_batch(start_tokens, nest):
    shape = tuple(start_tokens.shape)
    if len(shape) != 1:
        raise ValueError(f"Expected start_tokens of shape (batch,). Received: start_tokens.shape={shape}")
    for x in keras.tree.flatten(nest):
        if x is not None and (len(x.shape) < 1 or (None not in (shape[0], x.shape[0]) and shape[0] != x.shape[0])):
            raise ValueError(f"Expected state, constants of shape (batch={shape[0]}, ...). Received: {tuple(x.shape)}")
