"""All queries of a call to `Attention`: at once where no alignment depends on earlier ones, else one by one."""

from keras import ops

from keras_attn import heads, loops, masking


def attend_at_once(layer, query, query_mask, mask, memory, training):
    """Context ``(batch, Tq, value_dim)`` and alignment ``(batch, [heads,] Tq, Tv)`` without a loop.

    Args:
        layer: The `Attention`.
        query: ``(batch, Tq, query_dim)``.
        query_mask: ``(batch, Tq)`` booleans or None.
        mask: What each query may attend to, booleans that broadcast to ``(batch, Tq, Tv)``, or None.
        memory: What `Attention.prepare` returned.
        training: Whether the model is being trained.
    """
    real = ops.ones(ops.shape(query)[:2], dtype="bool") if query_mask is None else query_mask
    scores = layer.score(query, memory, {"position": masking.positions(real)})
    mask = masking.both(memory["mask"][:, None, :], mask)
    if query_mask is not None:
        mask = masking.both(mask, query_mask[:, :, None])
    mask = heads.of_all(mask, layer.scorer.heads)
    alignment = layer.alignment.align(spare_padding(scores, mask), mask, None, training)
    return layer.context(alignment, memory), alignment


def attend_one_by_one(layer, query, query_mask, mask, memory, training):
    """As `attend_at_once`, by a loop over the queries, which never holds the scores of more than one."""
    inputs = {"query": query}
    if mask is not None:
        inputs["mask"] = ops.broadcast_to(mask, (*ops.shape(query)[:2], ops.shape(memory["mask"])[1]))
    if query_mask is not None:
        inputs["real"] = query_mask

    def step(carry, x):
        context, state = layer.step(x["query"], memory, carry["state"], training, x.get("mask"))
        after = {"context": context, "state": state}
        after = loops.where_real(x["real"], after, carry) if "real" in x else after
        return after, (after["context"], after["state"]["alignment"])

    state = layer.initial_state(memory)
    context = ops.zeros_like(layer.context(state["alignment"][..., None, :], memory)[:, 0, :])
    _, (contexts, alignments) = loops.scan(layer, step, {"context": context, "state": state}, inputs, training)
    return contexts, heads.swap(alignments)


def spare_padding(scores, mask):
    """Spare the alignment function what the scorer makes of padding, in values and in gradients."""
    return ops.where(mask, scores, ops.zeros_like(scores))
