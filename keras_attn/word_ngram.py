"""A language model of n-grams of words as a step function over smaller tokens."""

import math

import numpy as np
from keras import ops

from keras_attn.backoff import BackoffAutomaton
from keras_attn.spelling_tree import SpellingTree
from keras_attn.word_boundaries import WordBoundaries

# The log probability of a word that is as good as impossible; what is finite can be taken back.
_LEAST = -1e3


class WordNGramScorer:
    r"""Scores tokens that make up words, by a language model of n-grams of words with backoff.

    `sum_t s(y_t | y_1 .. y_{t-1}) = log p(words of y, </s>)` for a hypothesis `y` that ends with the end token. What is
    known of a word before it ends is given in advance, so that a search does not lose it:

    `s(c | h) = a(h c) - a(h)`, or `log p(w | words of h) - a(h) + a(c)` if `c` ends the word `w`

    where `a` is the log probability, without context, of the likeliest word that begins as the last one does, and 0 if
    that has no letters yet (language model look-ahead).

    Which word the tokens spell is looked up in a tree of the letters of all words, however they are cut into tokens.
    What is none of them is the unknown word, and impossible if the model has none.

    `step` is a step function for `BeamSearch`, as that of `NGramScorer`. A hypothesis costs O(log(words) order) a step,
    and O(vocabulary log(letters)) for each letter of the longest token.

    Args:
        ngrams: A dict `{words: (log_prob, log_backoff)}`, as `read_arpa` returns it.
        parts: For every token of the vocabulary, the letters that it adds to its word, a string; any for
            separators and the end token.
        separators, end_token, word_starts: As for `WordBoundaries`: where words begin and end.
        unknown: How the model writes a word that it does not know.

    Raises: ValueError if there are no n-grams, or one whose first words are not there, or none for `"</s>"`; or if
    `parts`, `separators` and `word_starts` do not have one entry for each token.

    Example:

    >>> ngrams = {("</s>",): (-0.5, 0.0), ("ab",): (-1.0, -0.25), ("a",): (-3.0, 0.0), ("ab", "a"): (-0.125, 0.0)}
    >>> scorer = WordNGramScorer(ngrams, parts=["", "a", "b", ""], separators=[False] * 3 + [True], end_token=0)
    >>> state = scorer.initial_state(batch=1)
    >>> for token in (0, 1, 2, 3, 1):  # the start, "ab a"
    ...     scores, state = scorer.step(ops.full([1], token), state)
    ...     print(ops.convert_to_numpy(scores))
    [[-0.5 -1.  -inf  0. ]]
    [[-2.5 -inf  0.  -2. ]]
    [[-0.75  -inf  -inf  0.  ]]
    [[-0.75 -1.    -inf  0.  ]]
    [[0.375  -inf 0.    0.875]]

    Reference:
        Ortmanns, Ney, Eiden. Language-model look-ahead for large vocabulary speech recognition. ICSLP 1996.
    """

    def __init__(self, ngrams, parts, separators, end_token, word_starts=None, unknown="<unk>"):
        self._boundaries = WordBoundaries(separators, end_token, word_starts)
        if len(parts) != self._boundaries.size:
            raise ValueError(f"Expected one string for each of {self._boundaries.size} tokens. Received: parts={parts}")
        self._automaton = BackoffAutomaton(ngrams)
        numbers = self._automaton.words
        if "</s>" not in numbers:
            raise ValueError("Expected a language model that knows the end of a sentence. Received: no n-gram of </s>")
        self._start, self._end = self._automaton.context(["<s>"]), numbers["</s>"]
        words = [word for word in numbers if word not in ("<s>", "</s>", unknown)]
        letters = np.where(self._boundaries.separators, "", list(parts))
        letters[end_token] = ""
        self._tree = SpellingTree(words, letters.tolist())
        # The word that each node spells, and what is given in advance there.
        self._words = np.full(self._tree.lost + 1, numbers.get(unknown, -1), "int32")
        self._advances = np.full(self._tree.lost + 1, _LEAST, "float32")
        for word in words:
            self._words[self._tree.nodes[word]] = numbers[word]
            way = [self._tree.nodes[word[: i + 1]] for i in range(len(word))]
            self._advances[way] = np.maximum(self._advances[way], ngrams.get((word,), (_LEAST, 0.0))[0])
        self._advances[0] = 0.0
        self._advances[-1] = max(_LEAST, ngrams.get((unknown,), (_LEAST, 0.0))[0])

    def initial_state(self, batch):
        """The state of the empty hypothesis, a dict of int32 tensors `(batch,)`."""
        return {"context": ops.full((batch,), self._start, "int32"), "node": ops.full((batch,), -1, "int32")}

    def step(self, tokens, state):
        """Append tokens to the hypotheses, and score what may come next.

        Args:
            tokens: `(batch,)` integers. Those of the first step, start tokens, are not looked at.
            state: As returned by `initial_state` or the step before.

        Returns: `(batch, vocabulary)` float32 scores and the next state.
        """
        started = state["node"] >= 0
        tokens = ops.where(started, ops.cast(tokens, "int32"), 0)
        context, node = state["context"], ops.maximum(state["node"], 0)
        ends = ops.logical_and(started, self._ends(tokens))
        _, next_context = self._end_word(context, node)
        context = ops.where(ends, next_context, context)
        node = ops.where(started, self._tree.grow(ops.where(ends, 0, node), tokens), 0)
        return self._scores(context, node), {"context": context, "node": node}

    def _ends(self, tokens):
        """Whether tokens end a word before them."""
        return self._boundaries.before(tokens, ops.zeros_like(tokens, "bool"))

    def _end_word(self, context, node):
        """What it costs to end the word of a node, and the context after it; nothing changes if there is no word."""
        log_prob, following = self._automaton.follow(context, ops.take(ops.convert_to_tensor(self._words), node))
        return ops.where(node == 0, 0.0, log_prob), ops.where(node == 0, context, following)

    def _scores(self, context, node):
        every = ops.arange(self._boundaries.size, dtype="int32")[None]
        ends, advances = self._ends(every), ops.convert_to_tensor(self._advances)
        word, context = self._end_word(context, node)
        end, _ = self._automaton.follow(context, ops.full_like(context, self._end))
        grown = self._tree.grow(ops.where(ends, 0, node[:, None]), every)
        scores = ops.where(ends, word[:, None], 0.0) + ops.take(advances, grown) - ops.take(advances, node)[:, None]
        if self._words[-1] < 0:
            scores = ops.where(grown == self._tree.lost, -math.inf, scores)
        return ops.where(every == self._boundaries.end_token, scores + end[:, None], scores)
