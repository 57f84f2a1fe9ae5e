"""Changes of the features over time."""

from keras import ops


def deltas(features, mask, window):
    """How every band changes, and not how much of it there is, which the room, the line and the voice decide, too.

    `deltas[t] = features[t + window] - features[t - window]`

    with the first frame for what is before it, and the last one of each utterance for what is after it.

    Args:
        features: `(batch, frames, bands)`.
        mask: bool `(batch, frames)`, True for real frames, which come first.
        window: frames, at least 1.

    Returns:
        As `features`, 0 where `mask` is False.

    Reference: Young et al., The HTK Book, 2006, section 5.9, SIMPLEDIFFS, there divided by `2 window`.

    >>> import numpy as np
    >>> features, mask = np.array([[[1.0], [3.0], [6.0], [9.0]]]), np.array([[True, True, True, False]])
    >>> deltas(features, mask, window=1).numpy().squeeze().tolist()
    [2.0, 5.0, 3.0, 0.0]
    """
    frames = ops.arange(ops.shape(features)[1], dtype="int32")
    last = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True) - 1, 0)
    after = ops.take_along_axis(features, ops.minimum(frames + window, last)[..., None], axis=1)
    before = ops.take(features, ops.maximum(frames - window, 0), axis=1)
    return ops.where(mask[..., None], after - before, 0.0)
