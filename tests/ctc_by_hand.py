"""CTC prefix probabilities in NumPy, written from their definitions."""

import itertools

import numpy as np


def collapse(path, blank):
    return tuple(token for token, _ in itertools.groupby(path) if token != blank)


def all_sayings(log_probs, blank):
    """What CTC may say, {tokens: probability}, by a walk over all paths of `(T, vocabulary)` log probabilities."""
    frames, vocabulary = log_probs.shape
    found = {}
    for path in itertools.product(range(vocabulary), repeat=frames):
        chance = np.exp(sum(log_probs[t, token] for t, token in enumerate(path)))
        said = collapse(path, blank)
        found[said] = found.get(said, 0.0) + chance
    return found


def paths(log_probs, tokens, blank):
    """`n` and `b` of the tokens after 0 ... T frames, probabilities; the textbook's recursion in float64."""
    probs = np.exp(np.asarray(log_probs, "float64"))
    n, b = np.zeros(len(probs) + 1), np.concatenate([[1.0], np.cumprod(probs[:, blank])])
    for i, token in enumerate(tokens):
        before = b if i and tokens[i - 1] == token else n + b
        new_n, new_b = np.zeros_like(n), np.zeros_like(b)
        for t in range(1, len(n)):
            new_n[t] = probs[t - 1, token] * (new_n[t - 1] + before[t - 1])
            new_b[t] = probs[t - 1, blank] * (new_b[t - 1] + new_n[t - 1])
        n, b = new_n, new_b
    return n, b


def prefix_probability(log_probs, tokens, blank):
    """psi: that what CTC says begins with the tokens."""
    if not tokens:
        return 1.0
    n, b = paths(log_probs, tokens[:-1], blank)
    before = b if tokens[-2:-1] == tokens[-1:] else n + b
    return sum(before[t - 1] * np.exp(np.float64(log_probs[t - 1, tokens[-1]])) for t in range(1, len(n)))


def increments(log_probs, tokens, blank, end):
    """`log psi(h c) - log psi(h)` for every token c, as an array; -inf for all if psi(h) is 0."""
    tokens = tuple(tokens)
    whole = prefix_probability(log_probs, tokens, blank)
    n, b = paths(log_probs, tokens, blank)
    scores = [prefix_probability(log_probs, (*tokens, c), blank) for c in range(log_probs.shape[1])]
    scores[blank] = 0.0
    scores[end] = n[-1] + b[-1]
    with np.errstate(divide="ignore"):
        return np.log(scores) - (np.log(whole) if whole else 0.0)
