"""All queries of a call to `Attention`: at once where no alignment depends on earlier ones, else one by one."""

import functools
import operator

import keras
from keras import ops

from keras_attn import compiled, heads, loops, masking, softmax_attention

# Queries of a block.
BLOCK = 256
# From so many scores on, blocks take less time, as measured on two cores: blocks of softmaxes of inner products that
# XLA compiles, and any others.
FEWEST_INNER_PRODUCTS = 4_000_000 if keras.config.backend() == "jax" else 2_000_000
FEWEST_SCORES = 8_000_000
# So many alignments, at most, are kept for the gradients in a plain graph of TensorFlow: 256 MB.
MOST_KEPT = 2**26


def way(layer, query, value, memory, training, with_alignment):
    """The function of this file that suits a call of the `Attention` `layer`."""
    if layer.recurrent:
        return attend_one_by_one
    # Whatever draws random numbers would draw others when it is computed anew.
    draws = training and len(layer.variables) > len(layer.weights)
    count = _count(layer, query, value)
    if with_alignment or draws or count < FEWEST_INNER_PRODUCTS:
        return attend_at_once
    by_xla = compiled.by_xla()
    if by_xla and layer.alignment.softmax_temperature is not None:
        factors = layer.scorer.factors(query, memory["scorer"])
        if factors is not None:
            return functools.partial(attend_to_inner_products, factors)
    if query.shape[1] <= BLOCK or count < FEWEST_SCORES:
        return attend_at_once
    plain_graph = keras.config.backend() == "tensorflow" and not by_xla
    return functools.partial(attend_in_blocks, keep=plain_graph and count <= MOST_KEPT)


def _count(layer, query, value):
    """The number of scores, 0 where a length is not known."""
    tq, tv = query.shape[1], value.shape[1]
    return (query.shape[0] or 1) * (layer.scorer.heads or 1) * (tq or 0) * (tv or 0)


def attend_at_once(layer, query, query_mask, mask, memory, training):
    """Context ``(batch, Tq, value_dim)`` and alignment ``(batch, [heads,] Tq, Tv)`` without a loop.

    Args:
        layer: The `Attention`.
        query: ``(batch, Tq, query_dim)``.
        query_mask: ``(batch, Tq)`` booleans or None.
        mask: What each query may attend to, booleans that broadcast to ``(batch, Tq, Tv)``, or None.
        memory: What `Attention.prepare` returned; without a mask where everything is real.
        training: Whether the model is being trained.
    """
    return _attend(layer, _inputs(query, query_mask, mask), memory, training)


def attend_to_inner_products(factors, layer, query, query_mask, mask, memory, training):
    """As `attend_at_once`, but for the alignment, which is None.

    Args:
        factors: What `Scorer.factors` made of `query`; for all else see `attend_at_once`.
    """
    query, key = factors
    # What stands where a query is padding is nobody's business.
    mask = heads.of_all(_mask_of_pairs({} if mask is None else {"mask": mask}, memory), layer.scorer.heads)
    query, value = query / layer.alignment.softmax_temperature, masking.at_least_float32(memory["value"])
    context = softmax_attention.attend(query, key, value, mask)
    return layer.project(ops.cast(context, memory["value"].dtype)), None


def attend_in_blocks(layer, query, query_mask, mask, memory, training, keep=False):
    """As `attend_at_once`, but for the alignment, which is None.

    Scores are held for one block of queries at a time, and are computed anew for the gradients, as are alignments.

    Args:
        keep: Whether what the gradients need is kept, which takes more memory and less time. For all else see
            `attend_at_once`.
    """
    time = ops.shape(query)[1]
    if mask is not None:
        mask = ops.broadcast_to(mask, (ops.shape(mask)[0], time, ops.shape(mask)[2]))
    inputs = {name: _blocks(x) for name, x in _inputs(query, query_mask, mask).items()}
    weights = [ops.convert_to_tensor(weight.value) for weight in layer.weights]

    def attend(inputs, memory, weights):  # On TensorFlow no variable can be computed anew inside a loop.
        with keras.StatelessScope(list(zip(layer.weights, weights, strict=True))):
            return _attend(layer, inputs, memory, training)[0]

    call = operator.call if keep else _recomputed
    context = ops.swapaxes(ops.map(lambda block: call(attend, block, memory, weights), inputs), 0, 1)
    batch, blocks, _, dim = ops.shape(context)
    return ops.reshape(context, (batch, blocks * BLOCK, dim))[:, :time], None


def _inputs(query, query_mask, mask):
    """What `_attend` needs to know of each query: a dict of ``(batch, Tq, ...)`` or ``(1, Tq, ...)``."""
    real = ops.ones(ops.shape(query)[:2], dtype="bool") if query_mask is None else query_mask
    inputs = {"query": query, "position": masking.positions(real), "real": query_mask, "mask": mask}
    return {name: x for name, x in inputs.items() if x is not None}


def _attend(layer, inputs, memory, training):
    scores = layer.score(inputs["query"], memory, {"position": inputs["position"]})
    mask = heads.of_all(_mask_of_pairs(inputs, memory), layer.scorer.heads)
    if mask is not None:
        scores = spare_padding(layer.alignment, scores, mask)
    elif layer.alignment.needs_mask:
        mask = ops.ones_like(scores, dtype="bool")
    alignment = layer.alignment.align(scores, mask, None, training)
    return layer.context(alignment, memory), alignment


def _mask_of_pairs(inputs, memory):
    """What each query may attend to, all in all, booleans that broadcast to ``(batch, Tq, Tv)``, or None."""
    mask = inputs.get("mask")
    if "mask" in memory:
        mask = masking.both(mask, memory["mask"][:, None, :])
    return masking.both(mask, inputs["real"][:, :, None]) if "real" in inputs else mask


def _recomputed(function, *arguments):
    """``function(*arguments)``, which are nests of tensors, computed anew for the gradients."""
    flat = keras.tree.flatten(arguments)
    real = [i for i, x in enumerate(flat) if "float" in keras.utils.standardize_dtype(x.dtype)]

    def of_real(*tensors):  # TensorFlow can be given no others here, as it differentiates with respect to all.
        given = dict(zip(real, tensors, strict=True))
        both = [given.get(i, x) for i, x in enumerate(flat)]
        return function(*keras.tree.pack_sequence_as(arguments, both))

    return keras.remat(of_real)(*(flat[i] for i in real))


def _blocks(x):
    """``(batch, Tq, ...)`` to ``(blocks, batch, BLOCK, ...)``, with zeros at the end."""
    batch, time, *dims = ops.shape(x)
    blocks = -(-time // BLOCK)
    x = ops.pad(x, [(0, 0), (0, blocks * BLOCK - time)] + [(0, 0)] * len(dims))
    return ops.swapaxes(ops.reshape(x, (batch, blocks, BLOCK, *dims)), 0, 1)


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


def spare_padding(alignment, scores, mask):
    """Spare the alignment function what the scorer makes of padding, in values and in gradients."""
    if alignment.softmax_temperature is not None:  # A softmax sees nothing of it.
        return scores
    return ops.where(mask, scores, ops.zeros_like(scores))
