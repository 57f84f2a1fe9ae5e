"""Several step functions that decide together."""

import dataclasses
import math
from collections.abc import Callable, Sequence

from keras import ops

from keras_attn.masking import at_least_float32


@dataclasses.dataclass(frozen=True)
class Fusion:
    r"""The weighted sum of the log probabilities of several step functions, as one step function.

    `log p(y) = sum_i weight_i log p_i(y) + token_bonus`

    With a language model this is called shallow fusion, with the CTC output of the encoder joint decoding. A negative
    weight takes away what a part says, such as the language model that a decoder has learnt by itself. The sum of the
    weights need not be 1.

    What one part forbids, with -inf, is forbidden, whatever the weight; but a part of weight 0 is not run at all.

    Args:
        parts: Pairs `(step, weight)`. A step is a function `(tokens, state) -> (log_probs, state)`, or of
            `(tokens, state, constants)` if it has constants, as `BeamSearch` takes it; all share a vocabulary.
        token_bonus: Added for every token, the end token too. What is positive makes longer hypotheses; it only has
            an effect where the length is not normalised away.
        forbidden: Tokens that are never taken.

    Call arguments:
        tokens: `(rows,)` integers.
        state: List or tuple with the state of each part, in their order.
        constants: None, or a list or tuple with the constants of each part, None for those that have none.

    Returns: `(rows, vocabulary)` log probabilities and the next state.
    Raises: ValueError for weights that are not numbers or all 0, for a state or constants that are not one for each
    part, or for parts of different vocabularies; TypeError for a step that is not callable.

    Example:

    >>> decoder = lambda tokens, state: (ops.log(ops.convert_to_tensor([[0.2, 0.4, 0.4]])), state)
    >>> language_model = lambda tokens, state: (ops.log(ops.convert_to_tensor([[0.1, 0.8, 0.1]])), state + 1)
    >>> fusion = Fusion([(decoder, 1.0), (language_model, 0.5)], forbidden=[2])
    >>> log_probs, state = fusion(ops.zeros(1, "int32"), [{}, ops.zeros(1)])
    >>> print(ops.convert_to_numpy(ops.exp(log_probs)).round(3), ops.convert_to_numpy(state[1]))
    [[0.063 0.358 0.   ]] [1.]

    Reference:
        Gulcehre et al. On using monolingual corpora in neural machine translation. 2015. arXiv:1503.03535.
        Watanabe, Hori, Kim, Hershey, Hayashi. Hybrid CTC/attention architecture for end-to-end speech recognition.
        2017.
    """

    parts: Sequence[tuple[Callable, float]]
    _: dataclasses.KW_ONLY
    token_bonus: float = 0.0
    forbidden: Sequence[int] = ()

    def __post_init__(self):
        for step, weight in self.parts:
            if not callable(step):
                raise TypeError(f"Expected a function (tokens, state) -> (log_probs, state). Received: step={step!r}")
            if not math.isfinite(weight):
                raise ValueError(f"Expected weights that are numbers. Received: weight={weight}")
        if not any(weight for _, weight in self.parts):
            raise ValueError(f"Expected a part with a weight that is not 0. Received: parts={self.parts}")
        if not math.isfinite(self.token_bonus):
            raise ValueError(f"Expected a number. Received: token_bonus={self.token_bonus}")

    def __call__(self, tokens, state, constants=None):
        constants = [None] * len(self.parts) if constants is None else constants
        for name, value in {"state": state, "constants": constants}.items():
            if not isinstance(value, list | tuple) or len(value) != len(self.parts):
                raise ValueError(f"Expected one entry for each of {len(self.parts)} parts. Received: {name}={value}")
        states, weighted = list(state), []
        for i, (step, weight) in enumerate(self.parts):
            if weight:
                given = (state[i],) if constants[i] is None else (state[i], constants[i])
                log_probs, states[i] = step(tokens, *given)
                weighted.append(_times(weight, at_least_float32(log_probs)))
        log_probs = _sum(weighted)
        log_probs = log_probs + self.token_bonus if self.token_bonus else log_probs
        return self._without_forbidden(log_probs), type(state)(states)

    def _without_forbidden(self, log_probs):
        if not len(self.forbidden):
            return log_probs
        number = ops.arange(ops.shape(log_probs)[1], dtype="int32")
        forbidden = ops.any(number[:, None] == ops.convert_to_tensor(self.forbidden, "int32"), axis=1)
        return ops.where(forbidden, -math.inf, log_probs)


def _times(weight, log_probs):
    """The product, which is -inf where the log probability is, also for a negative weight."""
    return log_probs if weight == 1 else ops.where(log_probs == -math.inf, -math.inf, weight * log_probs)


def _sum(parts):
    sizes = {x.shape[1] for x in parts} - {None}
    if len(sizes) > 1:
        raise ValueError(f"Expected parts of the same vocabulary. Received: vocabularies of {sorted(sizes)}")
    return sum(parts[1:], start=parts[0])
