"""Where words begin and end in a sequence of tokens."""

import numpy as np
from keras import ops

from keras_attn.search_arguments import check_integer


class WordBoundaries:
    """A word ends before and after each separator, before each token that begins a word, and before the end token.

    Args:
        separators: For every token of the vocabulary, whether it stands between words, such as the space.
        end_token: The token that closes a hypothesis.
        word_starts: For every token, whether a word begins with it whatever is before it, as with pieces of words that
            carry the mark of a space; none does, if None.

    Raises: ValueError unless `separators` and `word_starts` have one entry for each token, and `end_token` is one.

    >>> boundaries = WordBoundaries([False, False, True], end_token=0)
    >>> print(ops.convert_to_numpy(boundaries.before(ops.arange(3), after_boundary=ops.zeros(3, "bool"))))
    [ True False  True]
    """

    def __init__(self, separators, end_token, word_starts=None):
        self.separators = np.asarray(separators, "bool")
        if self.separators.ndim != 1 or not self.separators.size:
            raise ValueError(f"Expected one boolean for each token. Received: separators={separators}")
        starts = np.zeros_like(self.separators) if word_starts is None else np.asarray(word_starts, "bool")
        if starts.shape != self.separators.shape:
            message = f"Expected one boolean for each of {self.size} tokens."
            raise ValueError(f"{message} Received: word_starts={word_starts}")
        check_integer("end_token", end_token, 0, self.size - 1)
        self.end_token = int(end_token)
        self._opening = self.separators | starts | (np.arange(self.size) == self.end_token)

    @property
    def size(self):
        """The number of tokens."""
        return len(self.separators)

    def after(self, tokens):
        """Whether no word goes on after each of the tokens, whatever follows."""
        return ops.take(ops.convert_to_tensor(self.separators), tokens)

    def before(self, tokens, after_boundary):
        """Whether a word ends, or none is open, before each of the tokens.

        Args:
            tokens: Integers from 0 to `size - 1`.
            after_boundary: For each, whether what stands before it is a separator or nothing.
        """
        return ops.logical_or(ops.take(ops.convert_to_tensor(self._opening), tokens), after_boundary)
