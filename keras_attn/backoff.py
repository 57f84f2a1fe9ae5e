"""A language model of n-grams with backoff, as an automaton whose states are contexts."""

import math

import numpy as np
from keras import ops

from keras_attn.sorted_arcs import SortedArcs


class BackoffAutomaton:
    r"""The words that may follow a context, and the context after each.

    `log p(w | h) = log_prob(h w)` if that n-gram is there, else `log_backoff(h) + log p(w | h')`

    where `h'` is `h` without its first word, and `log_backoff(h)` is 0 if the n-gram `h` is not there. A context is
    the longest end of what has been said that is there and that may have something after it, a number; that of
    nothing is 0. A step down to the next shorter one takes a gather, so that a word costs O(order log words).

    Args:
        ngrams: A dict `{words: (log_prob, log_backoff)}`, as `read_arpa` returns it.

    Attributes:
        words: A dict `{word: number}` of all words of the model.

    Raises: ValueError if there are no n-grams, or one whose first words are not there.

    >>> automaton = BackoffAutomaton({("a",): (-1.0, -0.5), ("b",): (-2.0, 0.0), ("a", "b"): (-0.25, 0.0)})
    >>> log_probs, contexts = automaton.follow(ops.convert_to_tensor([automaton.context(["a"])]), ops.arange(3))
    >>> print(ops.convert_to_numpy(log_probs))
    [-1.5  -0.25  -inf]
    """

    def __init__(self, ngrams):
        if not ngrams:
            raise ValueError(f"Expected a language model with at least one n-gram. Received: ngrams={ngrams}")
        if lost := next((words for words in ngrams if len(words) > 1 and words[:-1] not in ngrams), None):
            raise ValueError(f"Expected the first words of every n-gram as one of their own. Received: ngram={lost}")
        self.order = max(map(len, ngrams))
        self.words = {word: i for i, word in enumerate(dict.fromkeys(word for words in ngrams for word in words))}
        contexts = [(), *(words for words in ngrams if len(words) < self.order)]
        self._contexts = {words: i for i, words in enumerate(contexts)}
        self._shorter = np.array([self._longest(words[1:]) for words in contexts], "int32")
        self._log_backoff = np.array([ngrams.get(words, (0.0, 0.0))[1] for words in contexts], "float32")
        nodes = [self._contexts[words[:-1]] for words in ngrams]
        labels = [self.words[words[-1]] for words in ngrams]
        self._arcs = SortedArcs(nodes, labels, len(contexts))
        log_probs = np.array([log_prob for log_prob, _ in ngrams.values()], "float32")[self._arcs.order]
        following = np.array([self._longest(words) for words in ngrams], "int32")[self._arcs.order]
        self._log_probs, self._following = np.append(log_probs, np.float32(0)), np.append(following, np.int32(0))

    def context(self, words):
        """The context after words, an int."""
        return self._longest(tuple(words))

    def _longest(self, words):
        return next(self._contexts[words[i:]] for i in range(len(words) + 1) if words[i:] in self._contexts)

    def follow(self, contexts, words):
        """The log probability of each word after a context, -inf for what is no word, and the context after it.

        Args:
            contexts: int32, contexts.
            words: int32, numbers of words, of a shape that broadcasts with that of the contexts.
        """
        shorter, log_backoff = (ops.convert_to_tensor(x) for x in (self._shorter, self._log_backoff))
        contexts = contexts + ops.zeros_like(words)
        backed_off = ops.zeros_like(contexts, "float32")
        log_probs, following = ops.full_like(backed_off, -math.inf), ops.zeros_like(contexts)
        known = ops.zeros_like(contexts, "bool")
        for _ in range(self.order):
            arc, found = self._arcs.find(contexts, words)
            new = ops.logical_and(found, ops.logical_not(known))
            log_probs = ops.where(new, backed_off + ops.take(ops.convert_to_tensor(self._log_probs), arc), log_probs)
            following = ops.where(new, ops.take(ops.convert_to_tensor(self._following), arc), following)
            known = ops.logical_or(known, found)
            backed_off = backed_off + ops.take(log_backoff, contexts)
            contexts = ops.take(shorter, contexts)
        return log_probs, following
