"""Several scorers side by side."""

import keras
from keras import ops

from keras_attn import registry
from keras_attn.scorers.scorer import Scorer


@keras.saving.register_keras_serializable(package="keras_attn")
class MultiHead(Scorer):
    """Several scorers side by side, each with weights, scores and an alignment of its own.

    ``score(q, h_j)_k = score_k(q, h_j)`` for every head ``k``

    The scores have an axis of heads, ``(batch, heads, Tq, Tv)``. `Attention` splits the values
    evenly among the heads and puts their contexts side by side. A recurrent scorer sees the
    alignments of its own head. The multi-head attention of Vaswani et al. is::

        Attention(
            scorers.MultiHead(scorers.ProjectedDot(units=64), heads=8),
            value_projection=keras.layers.Dense(512),
            output_projection=keras.layers.Dense(512),
        )

    Args:
        scorer: What `scorers.get` takes: each head is a copy of it, with its options and weights
            of its own. Or a list of these, one for each head, such as `LocationAware` with filters
            of different widths.
        heads: Number of copies, 4 when None; of a list, its length.

    Raises:
        ValueError: If a scorer has heads already, if the scores of only some heads are logarithms
            of weights, or, in `build`, if the copies have no weights to differ in.

    Reference: Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762, section 3.2.2.

    >>> scorer = MultiHead("additive", heads=2)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(ops.ones((1, 5, 3)))
    >>> state = scorer.initial_state(memory, ops.zeros((1, 2, 5)))
    >>> tuple(scorer.score(ops.ones((1, 6, 4)), memory, {**state, "position": ops.zeros((1, 6))}).shape)
    (1, 2, 6, 5)
    """

    def __init__(self, scorer="projected_dot", heads=None, **kwargs):
        super().__init__(**kwargs)
        self.copied = not isinstance(scorer, (list, tuple))
        self.scorers = (_copies if self.copied else _given)(scorer, heads, self.dtype_policy.name)
        self.heads = len(self.scorers)
        self.recurrent = any(scorer.recurrent for scorer in self.scorers)
        self.log_weights = all(scorer.log_weights for scorer in self.scorers)
        _require_one_kind(self.scorers)

    def build(self, query_shape, key_shape):
        for scorer in self.scorers:
            registry.build(scorer, query_shape, key_shape)
        if self.copied and self.heads > 1 and not self.scorers[0].weights:
            raise ValueError(
                "MultiHead expected a scorer with weights, as the heads would all be the same without ('projected_dot' "
                f"is 'scaled_dot' with weights). Received: scorer={type(self.scorers[0]).__name__}, heads={self.heads}"
            )

    def prepare(self, key, mask=None):
        return {name: scorer.prepare(key, mask) for name, _, scorer in self._each_head()}

    def initial_state(self, memory, alignment):
        return {name: scorer.initial_state(memory[name], alignment[:, i]) for name, i, scorer in self._each_head()}

    def score(self, query, memory, state):
        # All queries at once come with their positions alone.
        scores = [
            scorer.score(query, memory[name], {**state.get(name, {}), "position": state["position"]})
            for name, _, scorer in self._each_head()
        ]
        return ops.stack(scores, axis=1)

    def factors(self, query, memory):
        of_heads = [scorer.factors(query, memory[name]) for name, _, scorer in self._each_head()]
        if any(one is None for one in of_heads) or len({key.shape[-1] for _, key in of_heads}) > 1:
            return None
        return tuple(ops.stack(vectors, axis=1) for vectors in zip(*of_heads, strict=True))

    def next_state(self, state, alignment, query, memory):
        return {
            name: scorer.next_state(state[name], alignment[:, i], query, memory[name])
            for name, i, scorer in self._each_head()
        }

    def _each_head(self):
        """Of every head: the key of its memory and its state, its index, its scorer."""
        return [(f"head_{i}", i, scorer) for i, scorer in enumerate(self.scorers)]

    def get_config(self):
        scorers = [keras.saving.serialize_keras_object(scorer) for scorer in self.scorers]
        return {**super().get_config(), "scorer": scorers, "heads": self.heads}


def _copies(scorer, heads, dtype):
    from keras_attn import scorers  # here, as the family imports its members

    heads = 4 if heads is None else heads
    if heads < 1:
        raise ValueError(f"Expected at least one head. Received: heads={heads}")
    scorer = scorers.get(scorer, dtype=dtype)
    return [type(scorer).from_config({**scorer.get_config(), "name": f"head_{i}"}) for i in range(heads)]


def _given(identifiers, heads, dtype):
    from keras_attn import scorers

    if not identifiers or heads not in (None, len(identifiers)):
        raise ValueError(
            f"Expected a scorer for each head, and at least one. Received: {len(identifiers)} scorers, heads={heads}"
        )
    return [scorers.get(identifier, dtype=dtype) for identifier in identifiers]


def _require_one_kind(scorers):
    for scorer in scorers:
        if scorer.heads is not None:
            raise ValueError(
                "MultiHead expected scorers of one head, and not heads within heads. "
                f"Received: a {type(scorer).__name__} with heads={scorer.heads}"
            )
    if len({scorer.log_weights for scorer in scorers}) > 1:
        kinds = {type(scorer).__name__: scorer.log_weights for scorer in scorers}
        raise ValueError(
            "MultiHead expected either logarithms of weights from all heads or from none, as one alignment function "
            f"takes them all. Received: log_weights={kinds}"
        )
