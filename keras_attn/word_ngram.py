"""A language model of n-grams of words as a step function over smaller tokens."""

import itertools
import math

import numpy as np
from keras import ops

from keras_attn.backoff import BackoffAutomaton
from keras_attn.sorted_arcs import SortedArcs
from keras_attn.word_boundaries import WordBoundaries


class WordNGramScorer:
    r"""Scores tokens that make up words, by a language model of n-grams of words with backoff.

    `log p(c | h) = log p(w | words of h)` if `c` ends the word `w`, and 0 if it ends none; for the end token that of
    `"</s>"` is added. So the sum over a hypothesis that ends with the end token is the log probability of its words.

    Which word the tokens have spelled is looked up in a tree of the letters of all words, however they are cut into
    tokens. What is none of them is the unknown word, and impossible, as soon as that is seen, if the model has none.

    `step` is a step function for `BeamSearch`, as that of `NGramScorer`. A word is paid for when it ends, so the search
    needs a beam that is wide enough to keep it until then.

    Args:
        ngrams: A dict `{words: (log_prob, log_backoff)}`, as `read_arpa` returns it.
        parts: For every token of the vocabulary, the letters that it adds to its word, a string.
        separators, end_token, word_starts: As for `WordBoundaries`: where words begin and end.
        unknown: How the model writes a word that it does not know.

    Raises: ValueError if there are no n-grams, or one whose first words are not there, or none for `"</s>"`; or if
    `parts`, `separators` and `word_starts` do not have one entry for each token.

    Example:

    >>> ngrams = {("</s>",): (-0.5, 0.0), ("ab",): (-1.0, -0.25), ("a",): (-3.0, 0.0), ("ab", "a"): (-0.125, 0.0)}
    >>> scorer = WordNGramScorer(ngrams, parts=["", "a", "b", ""], separators=[False] * 3 + [True], end_token=0)
    >>> state = scorer.initial_state(batch=1)
    >>> for token in (0, 1, 2, 3, 1):  # the start, "ab a"
    ...     log_probs, state = scorer.step(ops.full([1], token), state)
    ...     print(ops.convert_to_numpy(log_probs))
    [[-0.5  0.   0.   0. ]]
    [[-3.5  0.   0.  -3. ]]
    [[-1.75  0.    0.   -1.  ]]
    [[-0.75  0.    0.    0.  ]]
    [[-0.625  0.     0.    -0.125]]
    """

    def __init__(self, ngrams, parts, separators, end_token, word_starts=None, unknown="<unk>"):
        self._boundaries = WordBoundaries(separators, end_token, word_starts)
        if len(parts) != self._boundaries.size:
            raise ValueError(f"Expected one string for each of {self._boundaries.size} tokens. Received: parts={parts}")
        self._automaton = BackoffAutomaton(ngrams)
        words = self._automaton.words
        if "</s>" not in words:
            raise ValueError("Expected a language model that knows the end of a sentence. Received: no n-gram of </s>")
        self._start, self._end = self._automaton.context(["<s>"]), words["</s>"]
        spelled = {word: number for word, number in words.items() if word not in ("<s>", "</s>", unknown)}
        self._spell(spelled, words.get(unknown, -1))
        letters = [[ord(x) for x in part] for part in np.where(self._boundaries.separators, "", list(parts)).tolist()]
        self._letters = np.array(list(itertools.zip_longest(*letters, fillvalue=0)), "int32")

    def _spell(self, words, unknown):
        """Makes the tree of the letters: node 0 is the empty word, the last one what begins no word."""
        nodes = {"": 0}
        for word in words:
            for i in range(len(word)):
                nodes.setdefault(word[: i + 1], len(nodes))
        beginnings = list(nodes)[1:]
        self._lost = len(nodes)
        self._words = np.full(self._lost + 1, unknown, "int32")
        self._words[[nodes[word] for word in words]] = list(words.values())
        labels = [ord(text[-1]) for text in beginnings]
        self._tree = SortedArcs([nodes[text[:-1]] for text in beginnings], labels, self._lost + 1)
        self._children = np.append(self._tree.order + 1, 0).astype("int32")

    def initial_state(self, batch):
        """The state of the empty hypothesis, a dict of int32 tensors `(batch,)`."""
        return {"context": ops.full((batch,), self._start, "int32"), "node": ops.full((batch,), -1, "int32")}

    def step(self, tokens, state):
        """Append tokens to the hypotheses, and score what may come next.

        Args:
            tokens: `(batch,)` integers. Those of the first step, start tokens, are not looked at.
            state: As returned by `initial_state` or the step before.

        Returns: `(batch, vocabulary)` float32 log probabilities and the next state.
        """
        started = state["node"] >= 0
        tokens = ops.where(started, ops.cast(tokens, "int32"), 0)
        context, node = state["context"], ops.maximum(state["node"], 0)
        _, next_context = self._end_word(context, node)
        ends = self._boundaries.before(tokens, ops.zeros_like(started))
        grown = self._grow(ops.where(ends, 0, node), tokens)
        context = ops.where(ops.logical_and(started, ends), next_context, context)
        node = ops.where(started, grown, 0)
        return self._scores(context, node), {"context": context, "node": node}

    def _end_word(self, context, node):
        """What it costs to end the word of a node, and the context after it; nothing changes if there is no word."""
        log_prob, following = self._automaton.follow(context, ops.take(ops.convert_to_tensor(self._words), node))
        return ops.where(node == 0, 0.0, log_prob), ops.where(node == 0, context, following)

    def _grow(self, node, tokens):
        """The node after the letters of tokens."""
        for letters in self._letters:
            letter = ops.take(ops.convert_to_tensor(letters), tokens)
            arc, found = self._tree.find(node, letter)
            child = ops.where(found, ops.take(ops.convert_to_tensor(self._children), arc), self._lost)
            node = ops.where(letter == 0, node, child)
        return node

    def _scores(self, context, node):
        boundaries, every = self._boundaries, ops.arange(self._boundaries.size, dtype="int32")
        word, context = self._end_word(context, node)
        end, _ = self._automaton.follow(context, ops.full_like(context, self._end))
        # What is lost and not even an unknown word need not wait for its end.
        hopeless = ops.logical_and(node == self._lost, word == -math.inf)
        ends = ops.logical_or(boundaries.before(every, ops.zeros_like(every, "bool")), hopeless[:, None])
        scores = ops.where(ends, word[:, None], 0.0)
        return ops.where(every == boundaries.end_token, scores + end[:, None], scores)
