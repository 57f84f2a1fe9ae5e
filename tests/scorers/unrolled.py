"""What a scorer that remembers should make of several queries, one element after the other, in NumPy."""

import numpy as np
from keras import ops

from keras_attn import Attention

# A row without padding, and one with padding on both sides and in between.
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0]], bool)


def weights_of(scorer):
    """The weights of a scorer by their paths inside it."""
    return {weight.path.split("/", 1)[1]: ops.convert_to_numpy(weight) for weight in scorer.weights}


def randomize(layer, rng):
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))


def assert_attends_as(oracle, scorer, rng, alignment="softmax", weigh=None, tolerance=1e-5):
    """Compare the alignments of four queries with those of an oracle, and every weight takes part.

    Args:
        oracle: Takes the weights, a query ``(query_dim,)``, the keys ``(Tv, key_dim)`` with zeros where
            masked, the mask ``(Tv,)`` and all alignments so far, the uniform one before the first query
            among them, and returns scores ``(Tv,)``.
        scorer: The scorer.
        rng: A NumPy generator.
        alignment: The alignment function, and
        weigh: what it does: takes scores and mask of one query, returns weights. Softmax when None.
    """
    queries, keys = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((4, 4), (6, 5)))
    attention = Attention(scorer, alignment)
    attention.build(queries.shape, keys.shape)
    randomize(scorer, rng)
    _, alignments = attention(queries, keys, value_mask=MASK, return_attention_scores=True)
    weights = {path.removeprefix(f"{scorer.name}/"): value for path, value in weights_of(scorer).items()}
    for row, mask in enumerate(MASK):
        earlier = [mask / mask.sum()]
        for i in range(4):
            scores = oracle(weights, queries[row, i], keys[row] * mask[:, None], mask, earlier)
            earlier.append((weigh or softmax)(scores, mask))
            np.testing.assert_allclose(ops.convert_to_numpy(alignments)[row, i], earlier[-1], atol=tolerance)


def softmax(scores, mask):
    exponentials = np.exp(scores - scores[mask].max()) * mask
    return exponentials / exponentials.sum()


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
