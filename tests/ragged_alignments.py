"""Alignments of several sizes in one batch, with NaN for padding: what losses and metrics are tested on."""

import numpy as np

SIZES = [(4, 6), (6, 3), (1, 5), (0, 6), (3, 1), (6, 6), (2, 4), (5, 5), (3, 0)]


def batch(seed=0, padded=(6, 6)):
    """Random alignments, ``(len(SIZES), *padded)``, and their masks of steps and of frames."""
    rng = np.random.default_rng(seed)
    alignment = np.full((len(SIZES), *padded), np.nan, "float32")
    for x, (steps, frames) in zip(alignment, SIZES, strict=True):
        if frames:
            x[:steps, :frames] = rng.dirichlet(np.full(frames, 0.3), size=steps)
    alignment[6, 1, :4] = 0  # a step that lost its mass
    lengths = zip(*SIZES, strict=True)
    return alignment, *(np.arange(size) < np.array(n)[:, None] for size, n in zip(padded, lengths, strict=True))


def apart(alignment):
    """Each alignment of a batch without its padding, in float64."""
    return [x[:steps, :frames].astype("float64") for x, (steps, frames) in zip(alignment, SIZES, strict=True)]
