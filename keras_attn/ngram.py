"""A language model of n-grams as a step function."""

import numpy as np
from keras import ops

from keras_attn.backoff import BackoffAutomaton


class NGramScorer:
    r"""Scores tokens by a language model of n-grams of tokens, with backoff.

    `log p(c | h) = log_prob(h c)` if that n-gram is there, else `log_backoff(h) + log p(c | h')`

    where `h'` is `h` without its first token, and `log_backoff(h)` is 0 if the n-gram `h` is not there.

    `step` is a step function for `BeamSearch`, most often in a `Fusion` with that of a decoder. Its state is one number
    for each hypothesis; a hypothesis costs O(vocabulary order log(vocabulary)) a step. The model becomes part of a
    graph that is exported. For n-grams of words, see `WordNGramScorer`.

    Args:
        ngrams: A dict `{symbols: (log_prob, log_backoff)}`, as `read_arpa` returns it.
        symbols: For every token of the vocabulary, how the model writes it, such as `"</s>"` for the end token.
        start: What the model writes at the start of a sentence; the tokens of the first step are not looked at.
        unknown: What the model writes for all others. Tokens that it does not know have its probability, and without
            one the log probability -inf.

    Raises: ValueError if there are no n-grams, or one whose first symbols are not there.

    Example:

    >>> ngrams = {("<s>",): (-9.0, -0.5), ("</s>",): (-2.0, 0.0), ("a",): (-1.0, 0.0), ("<s>", "a"): (-0.25, 0.0)}
    >>> scorer = NGramScorer(ngrams, symbols=["</s>", "a", "b"])
    >>> log_probs, state = scorer.step(ops.zeros(1, "int32"), scorer.initial_state(batch=1))
    >>> print(ops.convert_to_numpy(log_probs))
    [[-2.5  -0.25  -inf]]

    Reference:
        Katz. Estimation of probabilities from sparse data for the language model component of a speech recognizer.
        1987.
    """

    def __init__(self, ngrams, symbols, start="<s>", unknown="<unk>"):
        self._automaton = BackoffAutomaton(ngrams)
        words = self._automaton.words
        self._words = np.array([words.get(symbol, words.get(unknown, -1)) for symbol in symbols], "int32")
        self._start = self._automaton.context([start])

    def initial_state(self, batch):
        """The state of the empty hypothesis, `(batch,)` int32."""
        return ops.full((batch,), -1, "int32")

    def step(self, tokens, state):
        """Append tokens to the hypotheses, and score what may come next.

        Args:
            tokens: `(batch,)` integers. Those of the first step, start tokens, are not looked at.
            state: As returned by `initial_state` or the step before.

        Returns: `(batch, vocabulary)` float32 log probabilities and the next state.
        """
        words, started = ops.convert_to_tensor(self._words), state >= 0
        last = ops.take(words, ops.where(started, ops.cast(tokens, "int32"), 0))
        _, state = self._automaton.follow(ops.maximum(state, 0), last)
        state = ops.where(started, state, self._start)
        log_probs, _ = self._automaton.follow(state[:, None], words[None])
        return log_probs, state
