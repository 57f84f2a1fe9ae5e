"""Attention: a scorer, an alignment function and the values, all queries at once or step by step."""

import keras
from keras import ops

from keras_attn import alignments, call_forms, deferred, heads, loops, masking, queries, registry, scorers


@keras.saving.register_keras_serializable(package="keras_attn")
class Attention(keras.layers.Layer):
    """Attention with a pluggable score function and alignment function.

    ``a = alignment(score(q, h))``, ``c = sum_j a_j value_j``

    In words: the scorer compares the query ``q`` with every element ``h_j`` of the memory, the
    alignment function turns the scores into weights ``a``, and the context ``c`` is the weighted
    sum of the values. With a recurrent scorer or alignment function, ``a`` also depends on the
    alignments of the earlier queries, and the layer loops over the queries.

    Args:
        scorer: A name such as ``"additive"``, a `Scorer`, its configuration, or a registered
            function ``(query, key) -> scores``.
        alignment: A name such as ``"softmax"``, an `Alignment`, its configuration, or a
            registered function ``(scores, mask) -> weights``.
        value_projection, output_projection: Layers, such as `Dense`, for the values before they are
            attended to, and for the context.

    With a scorer of several heads (`MultiHead`), the values, projected or not, are split evenly
    among the heads, and the context is the concatenation of theirs.

    Call arguments:
        query: ``(batch, Tq, query_dim)``, or the list ``[query, value]`` or
            ``[query, value, key]``, as `keras.layers.Attention` takes it.
        value: ``(batch, Tv, value_dim)``; the query when not given (self-attention).
        key: ``(batch, Tv, key_dim)``; the value when not given.
        query_mask: ``(batch, Tq)`` booleans; where False, context and alignment are 0 and the state
            passes unchanged. If not given, the mask that Keras attached; so with the other two.
        value_mask, key_mask: ``(batch, Tv)`` booleans; only elements where both are True are attended.
        attention_mask: ``(batch, Tq, Tv)``, ``(batch, 1, Tv)`` or ``(batch, Tv)`` booleans: what each
            query may attend to.
        use_causal_mask: Whether query ``i`` sees only the values ``0 ... i``.
        return_attention_scores: Whether to return the alignment as well.
        mask: ``[query_mask, value_mask]`` and perhaps a key mask, as the list form has it; in
            self-attention also the one mask. A mask given by its own name comes before it.
        training: Whether the model is being trained.

    Returns:
        The context ``(batch, Tq, value_dim)``; with `return_attention_scores` also the alignment
        ``(batch, Tq, Tv)`` or ``(batch, heads, Tq, Tv)``, in at least float32. A query that may
        attend to nothing gets zeros (before the output projection).

    Raises:
        ValueError: If scorer and alignment function make no sense together, or inputs do not fit.

    For one step at a time, in a decoder:

    >>> attention = Attention("location_aware")
    >>> encoded, state_of_decoder = ops.ones((2, 7, 3)), ops.ones((2, 5))
    >>> attention.build(query_shape=(2, None, 5), value_shape=(2, None, 3))
    >>> memory = attention.prepare(encoded)
    >>> state = attention.initial_state(memory)
    >>> context, state = attention.step(state_of_decoder, memory, state)
    >>> tuple(context.shape), tuple(state["alignment"].shape)
    ((2, 3), (2, 7))
    """

    def __init__(self, scorer="additive", alignment="softmax", value_projection=None, output_projection=None, **kwargs):
        super().__init__(**kwargs)
        self.scorer = scorers.get(scorer, dtype=self.dtype_policy.name)
        self.alignment = alignments.get(alignment, dtype=self.dtype_policy.name)
        self.value_projection = registry.layer(value_projection)
        self.output_projection = registry.layer(output_projection)
        self.supports_masking = True
        self.supports_jit = loops.SUPPORT_JIT or not self.recurrent
        self.alignment.require_sense(self.scorer)

    @property
    def recurrent(self):
        """Whether an alignment depends on earlier ones, so that the layer loops over the queries."""
        return self.scorer.recurrent or self.alignment.recurrent

    def build(self, query_shape, value_shape=None, key_shape=None):
        query_shape, value_shape, key_shape = call_forms.unpack(query_shape, value_shape, key_shape)
        registry.build(self.scorer, query_shape, key_shape)
        registry.build(self.value_projection, value_shape)
        projected = value_shape
        if self.value_projection is not None:
            projected = self.value_projection.compute_output_shape(value_shape)
        if self.scorer.heads is not None and projected[-1] % self.scorer.heads:
            raise ValueError(
                f"Expected values that {self.scorer.heads} heads can share evenly (a value_projection may see to "
                f"that). Received: value_dim={projected[-1]}"
            )
        registry.build(self.output_projection, (*query_shape[:2], projected[-1]))
        context_shape = (*query_shape[:2], self.context_dim(value_shape[-1]))
        registry.build(self.alignment, query_shape, key_shape, context_shape)

    def context_dim(self, value_dim):
        """The last dimension of the context, for values of `value_dim`."""
        shape = (None, None, value_dim)
        for projection in (self.value_projection, self.output_projection):
            shape = shape if projection is None else projection.compute_output_shape(shape)
        return shape[-1]

    def prepare(self, value, key=None, mask=None):
        """Make the memory: what does not depend on the queries, once per utterance.

        Args:
            value: ``(batch, Tv, value_dim)``.
            key: ``(batch, Tv, key_dim)``; `value` when None.
            mask: ``(batch, Tv)`` booleans; everything is real when None.

        Returns:
            A nest of batch-major tensors: ``"value"``, ``"mask"`` and what the parts prepare,
            ``"scorer"`` and ``"alignment"``.
        """
        value = ops.cast(value, self.compute_dtype)
        key = value if key is None else ops.cast(key, self.compute_dtype)
        mask = None if mask is None else ops.cast(mask, "bool")
        key, value = masking.zero_padding(key, mask), masking.zero_padding(value, mask)
        mask = ops.ones(ops.shape(value)[:2], dtype="bool") if mask is None else mask
        if self.value_projection is not None:
            value = self.value_projection(value)
        return {
            "value": heads.split(value, self.scorer.heads),
            "mask": mask,
            "scorer": self.scorer.prepare(key, mask),
            "alignment": self.alignment.prepare(key, mask),
        }

    def initial_state(self, memory):
        """State before the first query.

        Returns:
            A dict of batch-major tensors: ``"alignment"``, ``(batch, Tv)`` or ``(batch, heads, Tv)``;
            ``"position"``, the number of queries so far; and what the parts remember, ``"scorer"``
            and ``"alignment_function"``.
        """
        alignment = self.alignment.initial_alignment(memory["mask"])
        alignment = ops.cast(alignment, masking.accumulation_dtype(self.compute_dtype))
        if self.scorer.heads is not None:
            alignment = ops.repeat(alignment[:, None], self.scorer.heads, axis=1)
        return {
            "alignment": alignment,
            "position": ops.zeros(ops.shape(alignment)[:1], dtype="int32"),
            "scorer": self.scorer.initial_state(memory["scorer"], alignment),
            "alignment_function": self.alignment.initial_state(memory["alignment"], alignment),
        }

    def score(self, query, memory, state):
        """Scores ``(batch, [heads,] Tq, Tv)`` of queries ``(batch, Tq, query_dim)``; see `Scorer.score`."""
        scores = self.scorer.score(query, memory["scorer"], state)
        return ops.cast(scores, masking.accumulation_dtype(self.compute_dtype))

    def context(self, alignment, memory):
        """Context ``(batch, Tq, value_dim)`` of an alignment ``(batch, [heads,] Tq, Tv)``."""
        value = memory["value"]
        return self.project(deferred.matmul(ops.cast(alignment, value.dtype), value))

    def project(self, context):
        """Context ``(batch, Tq, context_dim)`` of those of the heads, ``(batch, [heads,] Tq, value_dim)``."""
        context = heads.join(context, self.scorer.heads)
        return context if self.output_projection is None else self.output_projection(context)

    def step(self, query, memory, state, training=None, mask=None):
        """Attend once.

        Args:
            query: ``(batch, query_dim)``.
            memory: What `prepare` returned.
            state: What `initial_state` or an earlier step returned.
            training: Whether the model is being trained.
            mask: ``(batch, Tv)`` booleans for this query alone, beside the mask of the memory.

        Returns:
            The context ``(batch, value_dim)`` and the next state, with the alignment of this step,
            ``(batch, Tv)`` or ``(batch, heads, Tv)``, under ``"alignment"``.
        """
        query = ops.cast(query, self.compute_dtype)[:, None, :]
        own, position = state["scorer"], state["position"]
        scores = self.score(query, memory, {**own, "position": position[:, None]})[..., 0, :]
        mask = heads.of_all(masking.both(memory["mask"], mask), self.scorer.heads)
        alignment, alignment_state = self.alignment.step(
            queries.spare_padding(self.alignment, scores, mask),
            mask,
            state["alignment"],
            state["alignment_function"],
            query,
            memory["alignment"],
            training,
        )
        context = self.context(alignment[..., None, :], memory)[:, 0, :]
        return context, {
            "alignment": alignment,
            "position": position + 1,
            "scorer": self.scorer.next_state(own, alignment, query, memory["scorer"]),
            "alignment_function": self.alignment.next_state(alignment_state, query, context),
        }

    def call(
        self,
        query,
        value=None,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
        mask=None,
    ):
        self_attention = value is None and not call_forms.is_list(query)
        masks = call_forms.unpack_masks(mask, query_mask, value_mask, key_mask, self_attention)
        query_mask, value_mask, key_mask = masks
        query, value, key = call_forms.unpack(query, value, key)
        query_mask = None if query_mask is None else ops.cast(query_mask, "bool")
        query = masking.zero_padding(ops.cast(query, self.compute_dtype), query_mask)
        mask = call_forms.mask_of_pairs(attention_mask, use_causal_mask, query, value)
        # What no query may attend to is padding too, whatever stands there.
        seen = None if mask is None else ops.any(mask, axis=1)
        value, key = masking.zero_padding(value, seen), masking.zero_padding(key, seen)
        memory = self.prepare(value, key, masking.both(value_mask, key_mask))
        if value_mask is None and key_mask is None and not self.recurrent:
            del memory["mask"]  # which masks nothing
        attend = queries.way(self, query, value, memory, training, return_attention_scores)
        context, alignment = attend(self, query, query_mask, mask, memory, training)
        context = masking.zero_padding(context, query_mask)
        if not return_attention_scores:
            return context
        return context, masking.zero_padding(alignment, heads.of_all(query_mask, self.scorer.heads))

    def compute_mask(self, query, mask=None):
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    def compute_output_spec(self, query, value=None, key=None, attention_mask=None, return_attention_scores=False, **_):
        query, value, key = call_forms.unpack(query, value, key)
        call_forms.require_pairs(attention_mask)
        batch, time = query.shape[:2]
        context = keras.KerasTensor((batch, time, self.context_dim(value.shape[-1])), dtype=self.compute_dtype)
        shape = (batch, time) if self.scorer.heads is None else (batch, self.scorer.heads, time)
        dtype = masking.accumulation_dtype(self.compute_dtype)
        alignment = keras.KerasTensor((*shape, value.shape[1]), dtype=dtype)
        return (context, alignment) if return_attention_scores else context

    def get_config(self):
        return {
            **super().get_config(),
            "scorer": scorers.serialize(self.scorer),
            "alignment": alignments.serialize(self.alignment),
            "value_projection": keras.saving.serialize_keras_object(self.value_projection),
            "output_projection": keras.saving.serialize_keras_object(self.output_projection),
        }
