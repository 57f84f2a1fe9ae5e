"""One part or several of them: lists as arguments of a layer, and attentions that one query asks side by side."""

import keras
from keras import ops

from keras_attn import registry


def as_list(part):
    """The parts of an argument that is one part, a list of them, or None for none."""
    if isinstance(part, (list, tuple)):
        return list(part)
    return [] if part is None else [part]


def layers(argument):
    """The layers of an argument that is one layer, a list of them, or None; each as itself or its configuration."""
    return [registry.layer(one) for one in as_list(argument)]


def serialize(layers):
    """The argument that `layers` turns back into these: one configuration, a list of several, None for none."""
    configurations = [keras.saving.serialize_keras_object(layer) for layer in layers]
    return configurations if len(configurations) > 1 else next(iter(configurations), None)


def each(attentions, **arguments):
    """Tuples of an attention and its part of every argument.

    Args:
        attentions: List of `Attention` layers.
        arguments: By name, a tensor, a shape or None, which all attentions share; or a list with one
            for each.

    Raises:
        ValueError: If a list has another length.
    """
    columns = [_column(name, x, len(attentions)) for name, x in arguments.items()]
    return list(zip(attentions, *columns, strict=True))


def _column(name, x, number):
    if not isinstance(x, (list, tuple)) or any(isinstance(dim, int) for dim in x):
        return [x] * number
    if len(x) != number:
        message = f"Expected {name} for all attentions, or a list with one for each of {number}."
        raise ValueError(f"{message} Received: a list of {len(x)}")
    return x


def step(attentions, query, memory, states, training=None):
    """Contexts and next states of all attentions, as lists; see `Attention.step`."""
    parts = zip(attentions, memory, states, strict=True)
    steps = [attention.step(query, part, state, training) for attention, part, state in parts]
    return [context for context, _ in steps], [state for _, state in steps]


def join(parts):
    """The concatenation of one or several tensors along the last axis."""
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
