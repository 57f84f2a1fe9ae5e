"""How good an alignment is against true links between steps and frames."""

from keras import ops

from keras_attn.alignment_reductions import divide, for_heads, hard_links, masked


def alignment_error_rate(alignment, sure, possible=None, step_mask=None, frame_mask=None):
    """The alignment error rate (AER): 0 when every sure link was found and every link found is possible.

    ``1 - (|A and S| + |A and P|) / (|A| + |S|)``

    where ``A`` are the links found, each step linked to the frame of its largest weight (the first of equal ones; a row
    that is all zero has no link), ``S`` the sure links and ``P`` the possible ones. A sure link is always possible.

    A step has one link, but a word lasts many frames. So where words are linked to the time in which they were said,
    say that all its frames are possible and none is sure: then this is the share of steps whose peak lies outside.

    Args:
        alignment: ``(batch, ..., steps, frames)``.
        sure: ``(batch, steps, frames)`` booleans.
        possible: The same; None when only the sure links are possible.
        step_mask, frame_mask: Optional, ``(batch, steps)`` and ``(batch, frames)``.

    Returns:
        ``(batch, ...)``, 0 for an utterance without links. (That of a corpus, whose links are counted together, is not
        the mean of its utterances.)

    Raises:
        ValueError: For an alignment that has not three or four axes.

    >>> alignment = [[[0.9, 0.1, 0.0], [0.0, 0.3, 0.7]]]
    >>> sure = [[[True, False, False], [False, True, False]]]
    >>> print(ops.convert_to_numpy(alignment_error_rate(alignment, sure)))
    [0.5]

    Och, Ney 2003, A Systematic Comparison of Various Statistical Alignment Models.
    """
    alignment, steps, frames = masked(alignment, step_mask, frame_mask)
    real = (steps[..., :, None] * frames[..., None, :]) > 0
    sure = real & for_heads(ops.cast(sure, "bool"), alignment)
    possible = sure if possible is None else sure | (real & for_heads(ops.cast(possible, "bool"), alignment))
    found = hard_links(alignment)

    def count(links):
        return ops.sum(ops.cast(links, alignment.dtype), axis=(-2, -1))

    most = count(found) + count(sure)
    return divide(most - count(found & sure) - count(found & possible), most)
