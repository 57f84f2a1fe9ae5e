"""Monotonic chunkwise attention."""

import keras
from keras import ops

from keras_attn import masking, registry, scorers
from keras_attn.alignments.monotonic import Monotonic
from keras_attn.alignments.moving_alignment import last_place
from keras_attn.alignments.recurrences import linear_recurrence, running_maximum, shift


def spread_over_chunks(chosen, scores, mask, size):
    """Spread the weight of every frame over the `size` frames that end with it, by a softmax of `scores`.

    ``b_j = sum_{k=j}^{j+size-1} a_k exp(u_j) / sum_{l=k-size+1}^k exp(u_l)``

    Args:
        chosen: ``(..., Tv)``, the weights ``a``, 0 where masked.
        scores: ``(..., Tv)``, the scores ``u``.
        mask: Booleans that broadcast to both.
        size: Number of frames.
    """
    chunks = ops.stack([shift(scores, i) for i in range(size)], axis=-1)
    real = ops.stack([shift(mask, i) for i in range(size)], axis=-1)
    weights = chosen[..., None] * masking.masked_softmax(chunks, real)
    return sum(shift(weights[..., i], -i) for i in range(size))


def spread_over_all_before(chosen, scores, mask):
    """Spread the weight of every frame over all frames up to it: `spread_over_chunks` with chunks of any size.

    A frame keeps the share of its own among all frames up to it, and passes on the rest to
    the frame before, where the same happens.
    """
    scores = ops.where(mask, scores, ops.cast(-1e30, scores.dtype))
    peak = ops.stop_gradient(running_maximum(scores))
    fade = ops.exp(shift(peak, fill=-1e30) - peak)
    own = ops.where(mask, ops.exp(scores - peak), ops.zeros_like(scores))
    total = linear_recurrence(fade, own)  # sum_{l <= j} exp(u_l) is exp(peak_j) times that, which is at least 1
    divisor = ops.where(total > 0, total, ops.ones_like(total))
    rest = fade * shift(total) / divisor
    passing = linear_recurrence(ops.flip(shift(rest, -1), axis=-1), ops.flip(chosen, axis=-1))
    return own / divisor * ops.flip(passing, axis=-1)


@keras.saving.register_keras_serializable(package="keras_attn")
class MoChA(Monotonic):
    """Monotonic attention that finds where to stop, then soft attention over the chunk that ends there.

    ``b_j = sum_{k=j}^{j+w-1} a_k exp(u_j) / sum_{l=k-w+1}^k exp(u_l)``

    ``a`` is the alignment of `Monotonic`, made of the scores, which starts on the first real frame.
    ``w`` is the size of the chunk and ``u`` are scores of a second scorer. ``b`` is the alignment;
    ``a`` moves on to the next query. Masked frames get weight 0, though they count in the size of a
    chunk. The weights may add up to less than 1, as those of ``a``.

    Args:
        chunk_size: Number of frames in a chunk. With 1, it is `Monotonic`; with None, a chunk goes back
            to the first frame: monotonic infinite lookback (the name ``"milk"``).
        chunk_scorer: What `scorers.get` takes, not recurrent and with energies for scores. If it has
            heads, they are as many as those of the scorer; else all heads share its scores.
        mode, noise, bias, seed: As `Monotonic` has them. The chunk is soft in every mode.

    Raises:
        ValueError: If the chunk scorer is of another kind than that.

    Reference: Chiu and Raffel, "Monotonic Chunkwise Attention", 2018, arXiv:1712.05382; infinite
    lookback: Arivazhagan et al., "Monotonic Infinite Lookback Attention for Simultaneous Machine
    Translation", 2019, arXiv:1906.05218.

    >>> chosen, scores = ops.array([0.0, 0.0, 0.5, 0.5]), ops.zeros(4)
    >>> print(ops.convert_to_numpy(spread_over_chunks(chosen, scores, ops.ones(4, dtype="bool"), size=2)))
    [0.   0.25 0.5  0.25]
    """

    def __init__(
        self, chunk_size=4, chunk_scorer="additive", mode="parallel", noise=0.0, bias=0.0, seed=None, **kwargs
    ):
        super().__init__(mode, noise, bias, seed, **kwargs)
        if chunk_size is not None and chunk_size < 1:
            raise ValueError(f"Expected at least one frame, or None for all. Received: chunk_size={chunk_size}")
        self.chunk_size = chunk_size
        self.chunk_scorer = scorers.get(chunk_scorer, dtype=self.dtype_policy.name)
        _require_plain_energies(self.chunk_scorer)

    def require_sense(self, scorer):
        super().require_sense(scorer)
        if self.chunk_scorer.heads not in (None, scorer.heads):
            raise ValueError(
                "MoChA expected a chunk scorer without heads, or with those of the scorer. "
                f"Received: a scorer with heads={scorer.heads}, a chunk scorer with heads={self.chunk_scorer.heads}"
            )

    def build(self, query_shape, key_shape, context_shape):
        super().build(query_shape, key_shape, context_shape)
        registry.build(self.chunk_scorer, query_shape, key_shape)

    def prepare(self, key, mask=None):
        return self.chunk_scorer.prepare(key, mask)

    def initial_state(self, memory, alignment):
        position = ops.zeros(ops.shape(alignment)[:1], dtype="int32")
        return {**super().initial_state(memory, alignment), "position": position}

    def step(self, scores, mask, previous, state, query, memory, training=None):
        chosen = self.align(scores, mask, state["place"], training)
        chunk_scores = self.chunk_scorer.score(query, memory, {"position": state["position"][:, None]})[..., 0, :]
        if len(chunk_scores.shape) < len(scores.shape):
            chunk_scores = chunk_scores[:, None]
        alignment = self._spread(chosen, ops.cast(chunk_scores, scores.dtype), mask)
        return alignment, {"place": last_place(chosen, state["place"]), "position": state["position"] + 1}

    def _spread(self, chosen, scores, mask):
        if self.chunk_size is None:
            return spread_over_all_before(chosen, scores, mask)
        return spread_over_chunks(chosen, scores, mask, self.chunk_size)

    def get_config(self):
        return {
            **super().get_config(),
            "chunk_size": self.chunk_size,
            "chunk_scorer": keras.saving.serialize_keras_object(self.chunk_scorer),
        }


def _require_plain_energies(scorer):
    if scorer.recurrent:
        reason = "that is not recurrent, as it is not told of its earlier alignments"
    elif scorer.log_weights:
        reason = "of energies, as the softmax in a chunk would normalise logarithms of weights once more"
    else:
        return
    raise ValueError(f"MoChA expected a chunk scorer {reason}. Received: chunk_scorer={type(scorer).__name__}")
