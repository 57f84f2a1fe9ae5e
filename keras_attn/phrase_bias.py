"""Phrases that a search shall prefer to others."""

from keras import ops

from keras_attn.loops import where_real
from keras_attn.word_boundaries import WordBoundaries


class PhraseBias:
    r"""Favours phrases, such as names and commands, wherever a hypothesis says one of them (contextual biasing).

    `sum_t s(y_t | y_1 .. y_{t-1}) = |{t : y_t lies in a phrase that y says}|`

    for a hypothesis `y` that ends with the end token: every token counts once, in however many phrases it lies. A
    phrase is said where all its tokens stand in a row, with a boundary of words before and after them.

    What may become a phrase is paid in advance and taken back when it comes to nothing, so that a search finds it:

    `s(c | h) = v(h c) - v(h)`, `v(h) = |{t : h_t lies in a phrase that h says, or in its longest end that begins one}|`

    `step` is a step function for a `Fusion`, in which its weight is the bonus for every token of a phrase. Of phrases
    that begin alike, the common beginning is paid once. With "new" and "new york", "new york" is worth 8 letters and
    "new ark" 3; with "new york" and "york city", "new york city" is worth 13. A hypothesis that is cut before its end
    token keeps what was paid in advance.

    Phrases are data: an exported graph can take them as an input. A step costs O(rows (phrases length + vocabulary)).

    Args:
        separators: For every token of the vocabulary, whether it stands between words, such as the space. A boundary
            of words is before and after each.
        end_token: The token that closes a hypothesis.
        word_starts: For every token, whether a word begins with it whatever is before it, as with pieces of words that
            carry the mark of a space; a boundary is before each. None does, if None.

    Raises: ValueError unless `separators` and `word_starts` have one entry for each token, and `end_token` is one.

    Example:

    >>> letters = "_ abc"  # "_" is the end, " " the separator
    >>> bias = PhraseBias(separators=[letter == " " for letter in letters], end_token=0)
    >>> constants = bias.prepare(phrases=[[2, 3, 0], [2, 3, 4]], lengths=[2, 3], batch=1)  # "ab" and "abc"
    >>> state = bias.initial_state(constants)
    >>> for token in (0, 2, 3):  # the start, "a", "b"
    ...     scores, state = bias.step(ops.full([1], token), state, constants)
    ...     print(ops.convert_to_numpy(scores))
    [[0. 0. 1. 0. 0.]]
    [[-1. -1. -1.  1. -1.]]
    [[ 0.  0. -2. -2.  1.]]

    Reference:
        Zhao et al. Shallow-fusion end-to-end contextual biasing. Interspeech 2019.
    """

    def __init__(self, separators, end_token, word_starts=None):
        self.boundaries = WordBoundaries(separators, end_token, word_starts)

    def prepare(self, phrases, lengths, batch=None):
        """What no step changes.

        Args:
            phrases: `(num_phrases, length)` integers, the tokens of each phrase, anything after its length. There may
                be none. A phrase with a number that is no token, or with the end token, is never said.
            lengths: `(num_phrases,)` integers, the tokens of each phrase; what has none is no phrase.
            batch: The number of utterances, which all have these phrases; or None for phrases of their own,
                `(batch, num_phrases, length)` with lengths `(batch, num_phrases)`.

        Returns: The constants for `initial_state` and `step`, a dict of tensors `(batch, ...)`.
        Raises: ValueError for other shapes.
        """
        phrases, lengths = (ops.cast(ops.convert_to_tensor(x), "int32") for x in (phrases, lengths))
        rank = 3 if batch is None else 2
        if len(phrases.shape) != rank or len(lengths.shape) != rank - 1:
            message = f"Expected phrases with {rank} axes and lengths with {rank - 1} for batch={batch}."
            shapes = f"phrases.shape={tuple(phrases.shape)}, lengths.shape={tuple(lengths.shape)}"
            raise ValueError(f"{message} Received: {shapes}")
        if batch is not None:
            phrases, lengths = (ops.repeat(x[None], batch, axis=0) for x in (phrases, lengths))
        # A phrase and a token more: no axis is empty, and every phrase has a position after its last token.
        phrases = ops.pad(phrases, [[0, 0], [0, 1], [0, 1]])
        lengths = ops.pad(lengths, [[0, 0], [0, 1]])
        inside = ops.arange(ops.shape(phrases)[2], dtype="int32") < lengths[:, :, None]
        tokens = (phrases >= 0) & (phrases < self.boundaries.size) & (phrases != self.boundaries.end_token)
        sayable = ops.all(ops.logical_or(tokens, ops.logical_not(inside)), axis=2)
        return {
            # The token after so many of the phrase, -1 for none.
            "following": ops.where(inside & sayable[:, :, None], phrases, -1),
            "lengths": ops.where(sayable, lengths, 0),
        }

    def initial_state(self, constants):
        """The state of the empty hypothesis, a dict of tensors `(batch, ...)`."""
        following = constants["following"]
        batch, positions = ops.shape(following)[0], ops.shape(following)[2]
        return {
            # Whether the last `i` tokens are the first `i` of the phrase, and may become all of it.
            "begun": ops.logical_and(ops.arange(positions) == 0, ops.ones_like(following, "bool")),
            # How many of the last `i` tokens lie in no phrase that has been said.
            "outside": ops.zeros((batch, positions), "int32"),
            "after_boundary": ops.ones((batch,), "bool"),
            "started": ops.zeros((batch,), "bool"),
        }

    def step(self, tokens, state, constants):
        """Append tokens to the hypotheses, and score what may come next.

        Args:
            tokens: `(batch,)` integers. Those of the first step, start tokens, are not looked at.
            state: As returned by `initial_state` or the step before.
            constants: As returned by `prepare`.

        Returns: `(batch, vocabulary)` float32 and the next state.
        """
        started = state["started"]
        tokens = ops.where(started, ops.cast(tokens, "int32"), 0)
        state = where_real(started, self._append(tokens, state, constants), state)
        said, best = self._said(state, constants), self._best_continuation(state, constants)
        every = ops.arange(self.boundaries.size, dtype="int32")[None]
        boundary = self.boundaries.before(every, state["after_boundary"][:, None])
        after = ops.maximum(best, ops.where(boundary, said[:, None], 0))
        paid = ops.max(ops.where(state["begun"], state["outside"][:, None], 0), axis=(1, 2))
        return ops.cast(after - paid[:, None], "float32"), state | {"started": ops.ones_like(started)}

    def _append(self, tokens, state, constants):
        """The state of the hypotheses with a token more."""
        boundary = self.boundaries.before(tokens, state["after_boundary"])
        goes_on = self._may_go_on(boundary[:, None, None], state["begun"])
        goes_on = ops.logical_and(goes_on, constants["following"] == tokens[:, None, None])
        said = ops.where(boundary, self._said(state, constants), 0)
        outside = ops.maximum(state["outside"] - said[:, None], 0)
        return {
            "begun": ops.pad(goes_on[:, :, :-1], [[0, 0], [0, 0], [1, 0]], constant_values=True),
            "outside": ops.pad(outside[:, :-1] + 1, [[0, 0], [1, 0]]),
            "after_boundary": self.boundaries.after(tokens),
            "started": state["started"],
        }

    @staticmethod
    def _may_go_on(boundary, begun):
        """Which beginnings of phrases may grow by a token that follows: the empty one only at a boundary of words."""
        empty = ops.arange(ops.shape(begun)[2], dtype="int32") == 0
        return ops.logical_and(begun, ops.logical_or(boundary, ops.logical_not(empty)))

    @staticmethod
    def _said(state, constants):
        """How many more tokens will lie in phrases if a word ends here, `(batch,)`."""
        positions = ops.arange(ops.shape(state["begun"])[2], dtype="int32")
        whole = ops.logical_and(state["begun"], positions == constants["lengths"][:, :, None])
        return ops.max(ops.where(whole, state["outside"][:, None], 0), axis=(1, 2))

    def _best_continuation(self, state, constants):
        """What the longest beginning of a phrase is worth after each token, `(batch, vocabulary)`, 0 without one."""
        following, vocabulary = constants["following"], self.boundaries.size
        candidates = ops.maximum(following, 0)
        boundary = self.boundaries.before(candidates, state["after_boundary"][:, None, None])
        goes_on = ops.logical_and(self._may_go_on(boundary, state["begun"]), following >= 0)
        said = ops.where(boundary, self._said(state, constants)[:, None, None], 0)
        worth = ops.where(goes_on, ops.maximum(state["outside"][:, None], said) + 1, 0)
        batch = ops.shape(following)[0]
        of_row = ops.arange(batch, dtype="int32")[:, None, None] * vocabulary + candidates
        best = ops.segment_max(ops.reshape(worth, (-1,)), ops.reshape(of_row, (-1,)), batch * vocabulary)
        return ops.maximum(ops.reshape(best, (-1, vocabulary)), 0)
