"""How good an alignment is: on its own, against the true times of words, and against true links.

An alignment is ``(batch, steps, frames)`` or, with heads, ``(batch, heads, steps, frames)``: the
weights of each step over the frames of the memory. Heads are measured one by one: wherever a shape
begins with ``(batch, ...)``, the dots stand for ``heads`` when the alignment has them, and for
nothing else. Masks are booleans, True = real: `step_mask` is ``(batch, steps)``, `frame_mask` is
``(batch, frames)``, and None means that all is real. What padding holds, be it NaN, changes
nothing, and neither does the amount of it. Results are in float32, or in float64 for an alignment
in float64.
"""

from keras_attn.metrics.links import alignment_error_rate
from keras_attn.metrics.quality import coverage, monotonicity, monotonicity_violations, sharpness
from keras_attn.metrics.words import boundary_error, mass_inside, word_alignment, word_spans

__all__ = [
    "alignment_error_rate",
    "boundary_error",
    "coverage",
    "mass_inside",
    "monotonicity",
    "monotonicity_violations",
    "sharpness",
    "word_alignment",
    "word_spans",
]
