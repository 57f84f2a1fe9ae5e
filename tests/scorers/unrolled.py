"""What a scorer that remembers should make of several queries, one element after the other, in NumPy."""

import numpy as np
from keras import ops

from keras_attn import Attention

# A row without padding, and one with padding on both sides and in between.
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0]], bool)


def weights_of(scorer):
    """The weights of a scorer by their paths inside it."""
    return {weight.path.split("/", 1)[1]: ops.convert_to_numpy(weight) for weight in scorer.weights}


def randomize(layer, rng, scale=1.0):
    for weight in layer.weights:
        weight.assign(rng.normal(scale=scale, size=weight.shape))


def assert_attends_as(oracle, scorer, rng, alignment="softmax", scale=1.0):
    """Compare the alignments of four queries with those of an oracle, where all weights are random.

    Args:
        oracle: Takes the weights, a list of the queries ``(query_dim,)`` so far, the keys
            ``(Tv, key_dim)`` with zeros where masked, the mask ``(Tv,)``, and a list of the alignments
            so far, from the uniform one before the first query; returns scores ``(Tv,)``.
        scorer: The scorer.
        rng: A NumPy generator.
        alignment: ``"softmax"`` or ``"exponential"``.
        scale: Size of the weights.
    """
    queries, keys = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((4, 4), (6, 5)))
    attention = Attention(scorer, alignment)
    attention.build(queries.shape, keys.shape)
    randomize(scorer, rng, scale)
    _, alignments = attention(queries, keys, value_mask=MASK, return_attention_scores=True)
    weights = {path.removeprefix(f"{scorer.name}/"): value for path, value in weights_of(scorer).items()}
    for row, mask in enumerate(MASK):
        earlier = [mask / mask.sum()]
        for i in range(4):
            scores = oracle(weights, list(queries[row, : i + 1]), keys[row] * mask[:, None], mask, earlier)
            exponentials = np.exp(scores) * mask
            earlier.append(exponentials / exponentials.sum() if alignment == "softmax" else exponentials)
            np.testing.assert_allclose(ops.convert_to_numpy(alignments)[row, i], earlier[-1], atol=1e-5)


def additive(weights, query, key, location):
    """``v . tanh(U q + W h_j + l_j + b)`` of every key, where `location` takes ``j``."""
    u, w = weights["query_projection/kernel"].T, weights["key_projection/kernel"].T
    b = weights["query_projection/bias"]
    return np.array([weights["energy"] @ np.tanh(u @ query + w @ key[j] + location(j) + b) for j in range(len(key))])


def convolution(kernel, channels, j):
    """Output at frame ``j`` of a centred convolution of `channels`, a list of ``(Tv,)``."""
    features = np.zeros(kernel.shape[-1])
    reach = len(kernel) // 2
    for offset in range(-reach, reach + 1):
        if 0 <= j + offset < len(channels[0]):
            for channel, alignment in enumerate(channels):
                features += kernel[offset + reach, channel] * alignment[j + offset]
    return features
