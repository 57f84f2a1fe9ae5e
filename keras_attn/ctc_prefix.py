"""The CTC output of an encoder as a judge of hypotheses that grow token by token."""

import dataclasses

from keras import ops

from keras_attn.associative_scan import associative_scan
from keras_attn.loops import where_real
from keras_attn.masking import at_least_float32

# A log probability of 0 that can be added, subtracted and multiplied without becoming NaN.
IMPOSSIBLE = -1e30


@dataclasses.dataclass(frozen=True)
class CTCPrefixScorer:
    r"""Scores every continuation of a hypothesis by its CTC prefix probability.

    `log p(c | h) = log psi(h c) - log psi(h)`, and for the end token `log p(end | h) = log P(h) - log psi(h)`

    `P(h)` is the probability that CTC says exactly the tokens `h`, `psi(h)` that it says something which begins with
    them. Both are sums over all paths: a path has one token or the blank in each frame, and says what is left of it
    when repetitions are merged and then blanks removed. With `n_t(h)` and `b_t(h)`, the probabilities that the first
    `t` frames say exactly `h` and that the last of them is a token or the blank,

    `phi_t(h, c) = b_t(h) + (0 if c is the last token of h, else n_t(h))`

    `psi(h c) = sum_t phi_{t-1}(h, c) p_t(c)`, and `P(h) = n_T(h) + b_T(h)`

    `n_t(h c) = p_t(c) (n_{t-1}(h c) + phi_{t-1}(h, c))`, `b_t(h c) = p_t(blank) (b_{t-1}(h c) + n_{t-1}(h c))`

    `step` is a step function for `BeamSearch`, by itself or in a `Fusion` with that of a decoder. A hypothesis costs
    O(T vocabulary) a step. What is impossible has log probability -inf: the blank as a token, or more tokens than
    frames.

    Masked frames say the blank for sure, so that they change nothing, whatever stands there.

    Args:
        blank: The number of the blank.
        end_token: The token that closes a hypothesis; may be the blank. CTC should give it no probability otherwise.

    Raises: ValueError for numbers that are not tokens, or log probabilities that are not `(batch, T, vocabulary)`.

    Example:

    >>> import numpy as np
    >>> ctc = CTCPrefixScorer(blank=0, end_token=0)
    >>> constants = ctc.prepare(np.log([[[0.1, 0.8, 0.1], [0.6, 0.1, 0.3]]]))
    >>> log_probs, state = ctc.step(ops.zeros(1, "int32"), ctc.initial_state(constants), constants)
    >>> print(ops.convert_to_numpy(ops.exp(log_probs)).round(2))
    [[0.06 0.81 0.13]]
    >>> log_probs, state = ctc.step(ops.ones(1, "int32"), state, constants)
    >>> print(ops.convert_to_numpy(ops.exp(log_probs)).round(2))
    [[0.7 0.  0.3]]

    Reference:
        Watanabe, Hori, Kim, Hershey, Hayashi. Hybrid CTC/attention architecture for end-to-end speech recognition.
        2017. Algorithm 2.
        Graves. Supervised sequence labelling with recurrent neural networks. 2008.
    """

    blank: int
    end_token: int

    def __post_init__(self):
        for name in ("blank", "end_token"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise ValueError(f"Expected the number of a token. Received: {name}={number!r}")

    def prepare(self, log_probs, mask=None):
        """What no step changes.

        Args:
            log_probs: `(batch, T, vocabulary)`, the log probabilities of each frame.
            mask: `(batch, T)` booleans, True for real frames; all are, if None.

        Returns: The constants for `initial_state` and `step`, a dict of tensors `(batch, ...)`.
        """
        log_probs = at_least_float32(ops.convert_to_tensor(log_probs))
        shape = tuple(log_probs.shape)
        if len(shape) != 3 or (shape[2] is not None and shape[2] <= max(self.blank, self.end_token)):
            message = f"Expected log_probs of shape (batch, T, vocabulary) for blank={self.blank} and"
            raise ValueError(f"{message} end_token={self.end_token}. Received: log_probs.shape={shape}")
        mask = ops.ones(ops.shape(log_probs)[:2], "bool") if mask is None else ops.cast(mask, "bool")
        # A silent frame at the start: no axis is empty, and `n` and `b` begin there.
        mask = ops.pad(mask, [[0, 0], [1, 0]], constant_values=False)[..., None]
        log_probs = ops.pad(log_probs, [[0, 0], [1, 0], [0, 0]])
        silence = ops.where(ops.arange(ops.shape(log_probs)[2]) == self.blank, 0.0, IMPOSSIBLE)
        silence = ops.cast(silence, log_probs.dtype)
        log_probs = ops.where(mask, log_probs, silence)
        return {"log_probs": ops.where(_possible(log_probs), log_probs, IMPOSSIBLE)}

    def initial_state(self, constants):
        """The state of the empty hypothesis, a dict of tensors `(batch, ...)`."""
        log_blank = constants["log_probs"][:, :, self.blank]
        batch, frames = ops.shape(log_blank)
        nothing = ops.full_like(log_blank, IMPOSSIBLE)
        start = ops.where(ops.arange(frames) == 0, ops.zeros_like(log_blank), nothing)
        return {
            # n and b of the hypothesis, divided by its psi: so they keep their precision over long utterances.
            "token": nothing,
            "blank": _recurrence(log_blank, start),
            "last": ops.full((batch,), -1, "int32"),
            "begun": ops.zeros((batch,), "bool"),
        }

    def step(self, tokens, state, constants):
        """Append tokens to the hypotheses, and score what may come next.

        Args:
            tokens: `(batch,)` integers. Those of the first step, start tokens, are not looked at.
            state: As returned by `initial_state` or the step before.
            constants: As returned by `prepare`.

        Returns: `(batch, vocabulary)` log probabilities and the next state.
        """
        log_probs = constants["log_probs"]
        state = self._append(ops.cast(tokens, "int32"), state, log_probs)
        last = state["last"][:, None]
        either = _log_add(state["token"], state["blank"])
        new = ops.logsumexp(_after_frame(either)[:, :, None] + log_probs, axis=1)
        again = _after_frame(state["blank"]) + _of_tokens(log_probs, ops.maximum(state["last"], 0))
        token = ops.arange(ops.shape(log_probs)[2], dtype="int32")
        scores = ops.where(token == last, ops.logsumexp(again, axis=1, keepdims=True), new)
        scores = ops.where(token == self.blank, IMPOSSIBLE, scores)
        scores = ops.where(token == self.end_token, either[:, -1:], scores)
        return ops.where(_possible(scores), scores, float("-inf")), state

    def _append(self, tokens, state, log_probs):
        """The state of the hypotheses with a token more; of the same ones in the first step."""
        begun = state["begun"]
        tokens = ops.where(begun, tokens, 0)
        log_token, log_blank = _of_tokens(log_probs, tokens), log_probs[:, :, self.blank]
        before = _log_add(state["token"], state["blank"])
        before = ops.where((tokens == state["last"])[:, None], state["blank"], before)
        start = _after_frame(before) + log_token
        psi = ops.logsumexp(start, axis=1, keepdims=True)
        token = _recurrence(log_token, start - ops.where(_possible(psi), psi, 0.0))
        blank = _recurrence(log_blank, _after_frame(token) + log_blank)
        longer = {"token": token, "blank": blank, "last": tokens, "begun": begun}
        return where_real(begun, longer, state) | {"begun": ops.ones_like(begun)}


def _recurrence(log_a, log_b):
    """`log x_t` for `x_t = a_t x_{t-1} + b_t`, over the last axis."""

    def combine(first, then):
        return [first[0] + then[0], _log_add(first[1] + then[0], then[1])]

    return associative_scan(combine, [log_a, log_b], [0.0, IMPOSSIBLE])[1]


def _log_add(x, y):
    """`log(exp x + exp y)` of finite numbers. (Keras' `logaddexp` and, on torch, `maximum` make float32 of float64.)"""
    return ops.where(x > y, x, y) + ops.log1p(ops.exp(-ops.abs(x - y)))


def _after_frame(x):
    """Moves `(batch, frames)` by a frame, so that frame t has what is known after frame t - 1."""
    return ops.pad(x[:, :-1], [[0, 0], [1, 0]], constant_values=IMPOSSIBLE)


def _of_tokens(log_probs, tokens):
    """Picks `(batch, frames)`, for each utterance those of one token."""
    return ops.take_along_axis(log_probs, tokens[:, None, None], axis=2)[:, :, 0]


def _possible(log_prob):
    return log_prob > IMPOSSIBLE / 2
