"""The ways to call attention: separate arguments or a list, masks by name, in a list or attached by Keras."""

import itertools

from keras import ops

from keras_attn import masking


def unpack(query, value=None, key=None):
    """Query, value and key, tensors or shapes, from either call form.

    The value is the query when not given (self-attention), the key is the value.

    Raises:
        ValueError: If a list does not hold two or three of them, or a shape is not ``(batch, T, dim)``.
    """
    if is_list(query):
        if value is not None or len(query) not in (2, 3):
            raise ValueError(
                "Expected Attention()(query, value), Attention()(query, value, key), Attention()([query, value]) "
                f"or Attention()([query, value, key]). Received: a list of {len(query)} and value={value}"
            )
        query, value, key = (*query, None)[:3]
    value = query if value is None else value
    key = value if key is None else key
    shapes = [tuple(getattr(x, "shape", x)) for x in (query, value, key)]
    if any(len(shape) != 3 for shape in shapes):
        raise ValueError(
            "Expected query (batch, Tq, query_dim), value (batch, Tv, value_dim) and key (batch, Tv, key_dim). "
            "Received: query.shape={}, value.shape={}, key.shape={}".format(*shapes)
        )
    return query, value, key


def is_list(query):
    """Whether `query` is the list form: of tensors, or of shapes in `build`."""
    return isinstance(query, (list, tuple)) and any(
        hasattr(item, "shape") or isinstance(item, (list, tuple)) for item in query
    )


def unpack_masks(mask, query_mask=None, value_mask=None, key_mask=None, self_attention=False):
    """Masks of query, value and key; those given by name come before those of the list `mask`.

    Keras puts the masks that are attached to a list of inputs into `mask`, or, when the call has
    other tensors too, as a list into `query_mask`; they come last. In self-attention the mask of
    the query is that of the value.
    """
    attached = ()
    if isinstance(query_mask, (list, tuple)):
        query_mask, attached = None, query_mask
    mask = mask if isinstance(mask, (list, tuple)) else (mask,)
    sources = itertools.zip_longest((query_mask, value_mask, key_mask), mask, attached)
    query_mask, value_mask, key_mask = (next((m for m in ms if m is not None), None) for ms in sources)
    return query_mask, query_mask if self_attention and value_mask is None else value_mask, key_mask


def require_pairs(mask):
    """Raise ValueError unless `mask` has the rank of an attention mask."""
    if mask is not None and len(mask.shape) not in (2, 3):
        raise ValueError(
            "Expected attention_mask of shape (batch, Tq, Tv), (batch, 1, Tv) or (batch, Tv). "
            f"Received: attention_mask.shape={tuple(mask.shape)}"
        )


def mask_of_pairs(mask, use_causal_mask, query, value):
    """The mask of query-value pairs, ``(batch, Tq, Tv)`` or with axes of size 1, or None."""
    if mask is not None:
        require_pairs(mask)
        mask = ops.cast(mask, "bool")
        mask = mask[:, None, :] if len(mask.shape) == 2 else mask
    if use_causal_mask:
        mask = masking.both(mask, masking.causal_mask(ops.shape(query)[1], ops.shape(value)[1])[None])
    return mask
