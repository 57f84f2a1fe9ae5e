"""Batched beam search over any step function, in one graph."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attn import decoding_rules, hypotheses, records, rows
from keras_attn.search_arguments import check_batch, check_integer, limits_of


class BeamSearchResult(NamedTuple):
    """The best hypotheses of each utterance, best first.

    `steps` is that of the call, else the largest `max_length`. A hypothesis that is not there has score -inf, length 0.

    Attributes:
        tokens: `(batch, n_best, steps)` int32; from `lengths` on, `end_token`.
        lengths: `(batch, n_best)` int32, the number of tokens without the end token.
        scores: `(batch, n_best)` float32, in descending order.
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
    `         + coverage_penalty * sum_j log(min(sum_t a_tj, 1))`

    where `|y|` is the number of tokens of the hypothesis `y`, the end token included, and `a_tj` the alignment to
    memory element `j` in the step that gave its token `t`; open and closed hypotheses are scored alike, at every step.
    A hypothesis is closed by the end token, or as it is when it has `max_length` tokens. At the start there is one,
    empty. At every step

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
        length_normalization: The exponent of the length, 0 for none; or a function of float lengths that returns what
            to divide by, such as `lambda n: ((5 + n) / 6) ** 0.6`, that of Wu et al.
        n_best: How many hypotheses to return for each utterance, at most `beam_width`.
        history: Function `state -> nest` of tensors `(rows, ...)` to record along each returned hypothesis, such as
            the alignments. It sees the state after each step.
        end_threshold: If given, a hypothesis may only end where `log p(end)` is above `end_threshold` times the
            largest log probability of another token: above 1 is lenient, as these are negative. 1.5 is usual.
        alignment: Function `state -> (rows, Tv)`, the alignment of the last step, for the next two. The state at the
            start needs one of the same shape, whatever its values.
        coverage_penalty: The weight of the coverage penalty. An element counts as attended to by at least 0.001, so
            that what a sparse or hard alignment leaves out has a price.
        max_attention_shift: If given, a hypothesis is dropped when the peak of its alignment is more elements than
            that away from the last, forwards or backwards, unless that leaves no open one to the utterance.

    Call arguments:
        start_tokens: `(batch,)` integers, the token before the first.
        state: Nest (dicts, lists, tuples) of tensors `(batch, ...)`, repeated for each hypothesis, reordered each step.
        max_length: The largest number of tokens, the end token included: an int, or `(batch,)` integers (the sizes of
            the result then depend on their values, which XLA does not allow).
        constants: Nest of tensors `(batch, ...)` that no step changes, such as the memory of an attention: repeated for
            each hypothesis once, never reordered.
        min_length: The smallest number of tokens, counted and given like the largest.
        mask: `(batch, Tv)` booleans, True for the elements of memory that are real, for the alignments; or None.
        steps: The largest number of tokens that the result has room for, an int or an int32 scalar that is made of
            shapes alone; then `max_length` may be integers under XLA, and longer limits count as this one.

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
        Wu et al. Google's neural machine translation system. 2016. arXiv:1609.08144 (coverage penalty).
        Hannun, Lee, Xu, Collobert. Sequence-to-sequence speech recognition with time-depth separable convolutions.
        2019. arXiv:1904.02619 (end threshold, attention shift).
    """

    step: Callable
    _: dataclasses.KW_ONLY
    end_token: int
    beam_width: int = 8
    length_normalization: float | Callable = 1.0
    n_best: int = 1
    history: Callable | None = None
    end_threshold: float | None = None
    alignment: Callable | None = None
    coverage_penalty: float = 0.0
    max_attention_shift: int | None = None

    def __post_init__(self):
        if not callable(self.step):
            raise TypeError(f"Expected a function (tokens, state) -> (log_probs, state). Received: step={self.step!r}")
        check_integer("end_token", self.end_token, 0)
        check_integer("beam_width", self.beam_width, 1)
        check_integer("n_best", self.n_best, 1, self.beam_width)
        exponent = 0 if callable(self.length_normalization) else self.length_normalization
        for name, value in {"length_normalization": exponent, "coverage_penalty": self.coverage_penalty}.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"Expected a number >= 0. Received: {name}={value}")
        if self.end_threshold is not None and not 0 < self.end_threshold < math.inf:
            raise ValueError(f"Expected a number > 0 or None. Received: end_threshold={self.end_threshold}")
        if self.max_attention_shift is not None:
            check_integer("max_attention_shift", self.max_attention_shift, 0)
        if self.alignment is None and (self.coverage_penalty or self.max_attention_shift is not None):
            raise ValueError("Expected a function, for the penalty or the shift. Received: alignment=None")

    def __call__(self, start_tokens, state, max_length, constants=None, min_length=0, mask=None, steps=None):
        start_tokens = ops.cast(ops.convert_to_tensor(start_tokens), "int32")
        mask = None if mask is None else ops.convert_to_tensor(mask, "bool")
        check_batch(start_tokens, (state, constants, mask))
        batch = ops.shape(start_tokens)[0]
        limits, steps = limits_of("max_length", max_length, 1, batch, steps)
        limits = ops.minimum(limits, steps)
        least, _ = limits_of("min_length", min_length, 0, batch)
        repeat = partial(ops.repeat, repeats=self.beam_width, axis=0)
        given = (start_tokens, limits, least, state, constants, mask)
        given = keras.tree.map_structure(repeat, given, none_is_leaf=False)
        start_tokens, limits, least, state, constants, mask = given
        history = records.of_backend(self._history_of(state), steps)
        beams = hypotheses.start(start_tokens, limits, steps, self.beam_width) | self._attention_at_start(state)

        def unfinished(time, beams, state, recorded):
            return ops.logical_and(time < steps, ops.any(ops.logical_not(beams["closed"])))

        def advance(time, beams, state, recorded):
            log_probs, new_state = self._call_step(beams["last"], state, constants)
            state = keras.tree.map_structure(hypotheses.like, state, new_state)
            recorded = history.add(recorded, time, self._history_of(state))
            long_enough = beams["lengths"] + 1 >= least
            log_probs = decoding_rules.forbid_end(log_probs, self.end_token, long_enough, self.end_threshold)
            beams, log_probs = self._attend(beams, log_probs, state, mask)
            beams, sources = self._survivors(time, beams, log_probs, limits)
            state = keras.tree.map_structure(partial(self._reorder, sources=sources), state)
            return time + 1, beams, state, recorded

        loop = (ops.zeros((), "int32"), beams, state, history.empty())
        _, beams, _, recorded = ops.while_loop(unfinished, advance, loop)
        return self._result(beams, history.all(recorded))

    def _history_of(self, state):
        return {} if self.history is None else {"of": self.history(state)}

    def _call_step(self, tokens, state, constants):
        log_probs, state = self.step(tokens, state) if constants is None else self.step(tokens, state, constants)
        shape = tuple(log_probs.shape)
        if len(shape) != 2 or (shape[1] is not None and shape[1] <= self.end_token):
            message = f"Expected log_probs of shape (rows, vocabulary) with vocabulary > end_token={self.end_token}."
            raise ValueError(f"{message} Received: log_probs.shape={shape}")
        log_probs = ops.cast(log_probs, "float32")
        return ops.where(ops.isnan(log_probs), -math.inf, log_probs), state

    def _attention_at_start(self, state):
        if self.alignment is None:
            return {}
        alignment = ops.convert_to_tensor(self.alignment(state))
        nowhere = ops.full((ops.shape(alignment)[0],), -1, "int32")
        return {"coverage": ops.zeros_like(alignment, "float32"), "peak": nowhere}

    def _attend(self, beams, log_probs, state, mask):
        """Adds the last alignments to the hypotheses, and drops those that have leapt."""
        if self.alignment is None:
            return beams, log_probs
        open_ones = ops.logical_not(beams["closed"])
        attended = open_ones[:, None] if mask is None else ops.logical_and(open_ones[:, None], mask)
        alignment = hypotheses.like(beams["coverage"], ops.cast(self.alignment(state), "float32"))
        alignment = ops.where(attended, alignment, 0.0)
        coverage, peak = beams["coverage"] + alignment, decoding_rules.peak(alignment, beams["peak"])
        if self.max_attention_shift is not None:
            shift = ops.where(beams["peak"] < 0, 0, peak - beams["peak"])
            dropped = decoding_rules.leapers(shift, self.max_attention_shift, open_ones, self.beam_width)
            log_probs = ops.where(dropped[:, None], -math.inf, log_probs)
        if self.coverage_penalty:
            beams = beams | {"penalty": self.coverage_penalty * decoding_rules.coverage_penalty(coverage, mask)}
        return beams | {"coverage": coverage, "peak": peak}, log_probs

    def _survivors(self, time, beams, log_probs, limits):
        """Returns the best candidates, and for each the row of the hypothesis that it continues, see `_reorder`."""
        totals, lengths = hypotheses.candidates(beams, log_probs, self.end_token)
        if self.beam_width == 1:  # where the candidates of an utterance have one length and one penalty
            totals, tokens, sources = hypotheses.best_tokens(beams, totals)
        else:
            scores = self._score(totals, lengths[:, None], beams["penalty"][:, None])
            totals, tokens, sources = hypotheses.best(beams, totals, scores, self.beam_width)
        exists = totals > -math.inf
        lengths = ops.where(exists, self._reorder(lengths, sources), 0)
        beams = {name: self._reorder(x, sources) for name, x in beams.items()}
        ended = ops.logical_and(exists, ops.where(beams["closed"], beams["ended"], tokens == self.end_token))
        closed = beams["closed"] | ended | (lengths >= limits) | ops.logical_not(exists)
        now = ops.arange(ops.shape(beams["tokens"])[1], dtype="int32") == time
        beams["tokens"] = ops.where(now, ops.expand_dims(tokens, 1), beams["tokens"])
        if self.beam_width > 1:
            beams["sources"] = ops.where(now, ops.expand_dims(sources, 1), beams["sources"])
        changed = {"last": tokens, "log_probs": totals, "lengths": lengths, "closed": closed, "ended": ended}
        return beams | changed, sources

    def _reorder(self, x, sources):
        """The rows that survive; the only hypothesis of an utterance is its own successor."""
        return x if self.beam_width == 1 else rows.take(x, sources)

    def _score(self, log_probs, lengths, penalty):
        lengths = ops.cast(ops.maximum(lengths, 1), "float32")
        given = self.length_normalization
        return log_probs / (given(lengths) if callable(given) else lengths**given) + penalty

    def _result(self, beams, history):
        best = ops.arange(ops.shape(beams["last"])[0] // self.beam_width, dtype="int32") * self.beam_width
        best = ops.expand_dims(best, 1) + ops.arange(self.n_best, dtype="int32")
        beams = {name: rows.take(x, best) for name, x in beams.items()}
        lengths = beams["lengths"] - ops.cast(beams["ended"], "int32")
        inside = ops.arange(ops.shape(beams["tokens"])[2], dtype="int32") < ops.expand_dims(lengths, 2)
        history = keras.tree.map_structure(partial(hypotheses.along, beams["sources"], inside), history)
        tokens = ops.where(inside, beams["tokens"], self.end_token)
        scores = self._score(beams["log_probs"], beams["lengths"], beams["penalty"])
        return BeamSearchResult(tokens, lengths, scores, beams["log_probs"], beams["ended"], history.get("of"))
