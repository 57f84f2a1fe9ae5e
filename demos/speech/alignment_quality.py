"""How good the alignments of transcripts are on their own, without true times."""

import numpy as np

from keras_attn import metrics

MEASURES = {
    "sharpness": metrics.sharpness,
    "monotonicity": metrics.monotonicity,
    "coverage": metrics.coverage,
}
# Alignments that are measured at a time.
_BATCH = 64


def alignment_quality(transcripts):
    """The measures of `keras_attn.metrics` of each transcript.

    Args:
        transcripts: list of `Transcript`.

    Returns: a dict of `sharpness`, `monotonicity` and `coverage`, each `(transcripts,)`; 0 where nothing is recognised.
    """
    values = {name: [np.zeros(0, "float32")] for name in MEASURES}
    for first in range(0, len(transcripts), _BATCH):
        alignment, steps, frames = _padded([one.alignment for one in transcripts[first : first + _BATCH]])
        for name, measure in MEASURES.items():
            values[name].append(np.asarray(measure(alignment, steps, frames)))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def _padded(alignments):
    """A batch `(batch, steps, frames)` of alignments of different sizes, and its masks of steps and frames."""
    sizes = np.array([alignment.shape for alignment in alignments])
    batch = np.zeros((len(alignments), *np.maximum(sizes.max(axis=0), 1)), "float32")
    for row, alignment in zip(batch, alignments, strict=True):
        row[: alignment.shape[0], : alignment.shape[1]] = alignment
    steps, frames = (np.arange(batch.shape[1 + i]) < sizes[:, i, None] for i in range(2))
    return batch, steps, frames
