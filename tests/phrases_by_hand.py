"""How many tokens of a hypothesis lie in phrases, counted from the definition."""


def boundaries(tokens, separators, word_starts):
    """The positions between tokens, 0 to their number, at which no word is under way, if the last one ends there."""
    inner = range(1, len(tokens))
    found = {i for i in inner if tokens[i - 1] in separators or tokens[i] in separators or tokens[i] in word_starts}
    return found | {0, len(tokens)}


def tokens_said(tokens, phrases, separators, word_starts=()):
    """The number of tokens that lie in a phrase, for a hypothesis that is complete."""
    where = boundaries(tokens, separators, word_starts)
    spans = [(i, i + len(phrase), phrase) for i in range(len(tokens)) for phrase in phrases if phrase]
    said = [(i, j) for i, j, phrase in spans if tuple(tokens[i:j]) == tuple(phrase) and {i, j} <= where]
    return len({t for i, j in said for t in range(i, j)})


def worth(tokens, phrases, separators, word_starts=()):
    """What a hypothesis that may go on has: its longest end that is the beginning of a phrase counts, too."""
    ended = bool(tokens) and tokens[-1] in separators
    where = boundaries(tokens, separators, word_starts) - (set() if ended else {len(tokens)})
    spans = [(i, i + len(phrase), phrase) for i in where for phrase in phrases]
    said = [(i, j) for i, j, phrase in spans if j in where and tuple(tokens[i:j]) == tuple(phrase)]
    begun = [i for i, j, phrase in spans if j >= len(tokens) and tuple(phrase[: len(tokens) - i]) == tuple(tokens[i:])]
    return len({t for i, j in [*said, (min(begun, default=len(tokens)), len(tokens))] for t in range(i, j)})
