"""N-gram models with backoff, from their definition, in Python; random ones, and ARPA files of them."""

import itertools
import math

import numpy as np


def log_prob(ngrams, history, word):
    """`log p(word | history)`, by the recursion; the whole history is tried, however long."""
    history = tuple(history)
    if (*history, word) in ngrams:
        return ngrams[*history, word][0]
    if not history:
        return -math.inf
    return ngrams.get(history, (0.0, 0.0))[1] + log_prob(ngrams, history[1:], word)


def log_prob_of_sentence(ngrams, words, unknown="<unk>"):
    """With the start before it and the end after it; words that the model does not know are the unknown one."""
    known = {word for words in ngrams for word in words}
    sentence = ["<s>", *(word if word in known else unknown for word in words), "</s>"]
    return sum(log_prob(ngrams, sentence[:i], sentence[i]) for i in range(1, len(sentence)))


def random_ngrams(seed, words, order):
    """A model of which the probabilities of all words but the start add up to 1 after everything."""
    rng = np.random.default_rng(seed)
    words = [*words, "</s>"]
    chances = np.log(rng.dirichlet(np.ones(len(words))))
    ngrams = {("<s>",): (-math.inf, 0.0)} | {(w,): (p, 0.0) for w, p in zip(words, chances, strict=True)}
    for length in range(1, order):
        for context in [context for context in ngrams if len(context) == length and context[-1] != "</s>"]:
            chosen = [word for word in words if rng.random() < 0.4][:-1]
            if not chosen or rng.random() < 0.2:
                continue
            mass = rng.uniform(0.2, 0.8)
            shorter = math.fsum(math.exp(log_prob(ngrams, context[1:], word)) for word in chosen)
            ngrams[context] = (ngrams[context][0], math.log((1 - mass) / (1 - shorter)))
            for word, chance in zip(chosen, rng.dirichlet(np.ones(len(chosen))), strict=True):
                ngrams[*context, word] = (math.log(mass * chance), 0.0)
    return ngrams


def arpa(ngrams):
    """The text of an ARPA file."""
    orders = {n: list(group) for n, group in itertools.groupby(sorted(ngrams, key=len), key=len)}
    lines = ["\\data\\", *(f"ngram {n}={len(group)}" for n, group in orders.items())]
    for n, group in orders.items():
        lines += ["", f"\\{n}-grams:"]
        for words in group:
            log_prob, log_backoff = (max(x / math.log(10), -99) for x in ngrams[words])
            lines.append(
                "\t".join([f"{log_prob:.9f}", " ".join(words), *([f"{log_backoff:.9f}"] * (log_backoff != 0))])
            )
    return "\n".join([*lines, "", "\\end\\", ""])
