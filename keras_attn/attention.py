"""Attention: a scorer, an alignment function and the values, all queries at once or step by step."""

import keras
from keras import ops

from keras_attn import alignments, call_forms, loops, masking, scorers


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

    Call arguments:
        query: ``(batch, Tq, query_dim)``, or the list ``[query, value]`` or
            ``[query, value, key]``, as `keras.layers.Attention` takes it.
        value: ``(batch, Tv, value_dim)``; the query when not given (self-attention).
        key: ``(batch, Tv, key_dim)``; the value when not given.
        query_mask: ``(batch, Tq)`` booleans; where False, context and alignment are 0 and the
            state passes unchanged. The mask that Keras attached to `query` when not given; the
            same holds for the other two.
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
        ``(batch, Tq, Tv)``, in at least float32. A query that may attend to nothing gets zeros.

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

    def __init__(self, scorer="additive", alignment="softmax", **kwargs):
        super().__init__(**kwargs)
        self.scorer = scorers.get(scorer, dtype=self.dtype_policy.name)
        self.alignment = alignments.get(alignment, dtype=self.dtype_policy.name)
        self.supports_masking = True
        self.supports_jit = loops.SUPPORT_JIT or not self.recurrent

    @property
    def recurrent(self):
        """Whether an alignment depends on earlier ones, so that the layer loops over the queries."""
        return self.scorer.recurrent or self.alignment.recurrent

    def build(self, query_shape, value_shape=None, key_shape=None):
        query_shape, value_shape, key_shape = call_forms.unpack(query_shape, value_shape, key_shape)
        # A part that comes from a saved file may be built already.
        if not self.scorer.built:
            self.scorer.build(query_shape, key_shape)
        if not self.alignment.built:
            self.alignment.build((query_shape[0], query_shape[1], value_shape[1]))

    def prepare(self, value, key=None, mask=None):
        """Make the memory: what does not depend on the queries, once per utterance.

        Args:
            value: ``(batch, Tv, value_dim)``.
            key: ``(batch, Tv, key_dim)``; `value` when None.
            mask: ``(batch, Tv)`` booleans; everything is real when None.

        Returns:
            A nest of batch-major tensors: ``"value"``, ``"mask"`` and the scorer's own ``"scorer"``.
        """
        value = ops.cast(value, self.compute_dtype)
        mask = ops.ones(ops.shape(value)[:2], dtype="bool") if mask is None else ops.cast(mask, "bool")
        key = value if key is None else ops.cast(key, self.compute_dtype)
        key = masking.zero_padding(key, mask)
        return {
            "value": masking.zero_padding(value, mask),
            "mask": mask,
            "scorer": self.scorer.prepare(key, mask),
        }

    def initial_state(self, memory):
        """State before the first query: ``"alignment"`` ``(batch, Tv)`` and the scorer's own ``"scorer"``."""
        alignment = self.alignment.initial_alignment(memory["mask"])
        alignment = ops.cast(alignment, masking.accumulation_dtype(self.compute_dtype))
        return {"alignment": alignment, "scorer": self.scorer.initial_state(memory["scorer"], alignment)}

    def step(self, query, memory, state, training=None, mask=None):
        """Attend once.

        Args:
            query: ``(batch, query_dim)``.
            memory: What `prepare` returned.
            state: What `initial_state` or an earlier step returned.
            training: Whether the model is being trained.
            mask: ``(batch, Tv)`` booleans for this query alone, beside the mask of the memory.

        Returns:
            The context ``(batch, value_dim)`` and the next state, with the alignment of this step
            ``(batch, Tv)`` under ``"alignment"``.
        """
        query = ops.cast(query, self.compute_dtype)
        scores = self._score(query[:, None, :], memory, state["scorer"])[:, 0, :]
        return self._align(scores, mask, memory, state, training)

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
        query = ops.cast(query, self.compute_dtype)
        if query_mask is not None:
            query_mask = ops.cast(query_mask, "bool")
            query = masking.zero_padding(query, query_mask)
        mask = call_forms.mask_of_pairs(attention_mask, use_causal_mask, query, value)
        if mask is not None:  # What no query may attend to is padding too, whatever stands there.
            seen = ops.any(mask, axis=1)
            value, key = masking.zero_padding(value, seen), masking.zero_padding(key, seen)
        memory = self.prepare(value, key, masking.both(value_mask, key_mask))
        run = self._loop if self.recurrent else self._all_at_once
        context, alignment = run(query, query_mask, mask, memory, training)
        return (context, alignment) if return_attention_scores else context

    def _score(self, query, memory, state):
        scores = self.scorer.score(query, memory["scorer"], state)
        return ops.cast(scores, masking.accumulation_dtype(self.compute_dtype))

    def _weights(self, scores, mask, previous, training):
        # The alignment function is spared what the scorer makes of padding, in values and in gradients.
        return self.alignment.align(ops.where(mask, scores, ops.zeros_like(scores)), mask, previous, training)

    def _align(self, scores, mask, memory, state, training):
        mask = masking.both(memory["mask"], mask)
        alignment = self._weights(scores, mask, state["alignment"], training)
        context = _weighted_sum(alignment[:, None, :], memory["value"])[:, 0, :]
        return context, {"alignment": alignment, "scorer": self.scorer.next_state(state["scorer"], alignment)}

    def _all_at_once(self, query, query_mask, mask, memory, training):
        scores = self._score(query, memory, {})
        mask = masking.both(memory["mask"][:, None, :], mask)
        if query_mask is not None:
            mask = masking.both(mask, query_mask[:, :, None])
        alignment = self._weights(scores, mask, None, training)
        return _weighted_sum(alignment, memory["value"]), alignment

    def _loop(self, query, query_mask, mask, memory, training):
        state = self.initial_state(memory)
        inputs = {"query": query} if self.scorer.recurrent else {"scores": self._score(query, memory, {})}
        if mask is not None:
            shape = (*ops.shape(query)[:2], ops.shape(memory["mask"])[1])
            inputs["mask"] = ops.broadcast_to(mask, shape)
        if query_mask is not None:
            inputs["real"] = query_mask

        def step(carry, x):
            mask, state = x.get("mask"), carry["state"]
            if self.scorer.recurrent:
                context, state = self.step(x["query"], memory, state, training, mask)
            else:
                context, state = self._align(x["scores"], mask, memory, state, training)
            after = {"context": context, "state": state}
            return loops.where_real(x["real"], after, carry) if "real" in x else after

        value = memory["value"]
        context = ops.zeros((ops.shape(value)[0], value.shape[-1]), dtype=value.dtype)
        _, states = loops.scan(self, step, {"context": context, "state": state}, inputs, training)
        context, alignment = states["context"], states["state"]["alignment"]
        if query_mask is None:
            return context, alignment
        return masking.zero_padding(context, query_mask), masking.zero_padding(alignment, query_mask)

    def compute_mask(self, query, mask=None):
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    def compute_output_spec(self, query, value=None, key=None, attention_mask=None, return_attention_scores=False, **_):
        query, value, key = call_forms.unpack(query, value, key)
        call_forms.require_pairs(attention_mask)
        context = keras.KerasTensor((*query.shape[:2], value.shape[-1]), dtype=self.compute_dtype)
        dtype = masking.accumulation_dtype(self.compute_dtype)
        alignment = keras.KerasTensor((*query.shape[:2], value.shape[1]), dtype=dtype)
        return (context, alignment) if return_attention_scores else context

    def get_config(self):
        return {
            **super().get_config(),
            "scorer": scorers.serialize(self.scorer),
            "alignment": alignments.serialize(self.alignment),
        }


def _weighted_sum(alignment, value):
    """``(batch, Tq, Tv)`` and ``(batch, Tv, dim)`` to ``(batch, Tq, dim)``, in the dtype of `value`."""
    return ops.matmul(ops.cast(alignment, value.dtype), value)
