"""A recurrent decoder that attends, run over inputs that are all known (teacher forcing)."""

import contextlib

import keras
from keras import ops

from keras_attn import heads, loops, masking, several
from keras_attn.attention_cell import AttentionCell


@keras.saving.register_keras_serializable(package="keras_attn")
class AttentionRNN(keras.layers.Layer):
    """The loop of an `AttentionCell` over a sequence of inputs.

    To decode step by step with the same weights, use the methods of `cell`: `prepare`,
    `initial_state` and `step`.

    Args:
        cell: An `AttentionCell`, or its configuration.

    Call arguments:
        sequences: ``(batch, T, input_dim)``, the inputs of the steps.
        value: ``(batch, Tv, value_dim)``, what is attended to: the output of an encoder. With several
            attentions also a list, one for each; so with key and masks.
        key: ``(batch, Tv, key_dim)``; the value when not given.
        sequences_mask: ``(batch, T)`` booleans; where False the state passes unchanged.
        value_mask, key_mask: ``(batch, Tv)`` booleans; only elements where both are True are attended.
            A mask that is not given is the one that Keras attached to its tensor.
        initial_state: State to start from: one that was returned with `return_state`, or a part of
            it, such as ``{"cell": states}`` with the states of an encoder.
        return_attention_scores: Whether to return the alignment as well, ``(batch, T, Tv)``, or
            ``(batch, heads, T, Tv)`` from a scorer with heads; a list of them when there are several
            attentions.
        return_state: Whether to return the last state as well, a dict as `AttentionCell.initial_state`
            makes it.
        training: Whether the model is being trained.

    Returns:
        ``(batch, T, output_dim)``; with the options above, a tuple of outputs, alignment, state.

    >>> rnn = AttentionRNN(AttentionCell(keras.layers.GRUCell(5), "location_aware"))
    >>> outputs, alignment = rnn(ops.ones((2, 6, 4)), ops.ones((2, 7, 3)), return_attention_scores=True)
    >>> tuple(outputs.shape), tuple(alignment.shape)
    ((2, 6, 8), (2, 6, 7))
    """

    def __init__(self, cell, **kwargs):
        # No autocast: a state that is handed in keeps its dtypes. The cell casts its inputs.
        super().__init__(autocast=False, **kwargs)
        self.cell = keras.saving.deserialize_keras_object(cell) if isinstance(cell, dict) else cell
        if not isinstance(self.cell, AttentionCell):
            raise TypeError(f"Expected an AttentionCell. Received: cell={cell!r}")
        self.supports_masking = True
        self.supports_jit = loops.SUPPORT_JIT

    def build(self, sequences_shape, value_shape, key_shape=None):
        if not self.cell.built:
            self.cell.build((sequences_shape[0], sequences_shape[-1]), value_shape, key_shape)

    def call(
        self,
        sequences,
        value,
        key=None,
        sequences_mask=None,
        value_mask=None,
        key_mask=None,
        initial_state=None,
        return_attention_scores=False,
        return_state=False,
        training=None,
    ):
        masks = several.each(self.cell.attentions, value_mask=value_mask, key_mask=key_mask)
        memory = self.cell.prepare(value, key, [masking.both(*own) for _, *own in masks])
        state = {**self.cell.initial_state(memory), **(initial_state or {})}
        inputs = {"x": sequences}
        if sequences_mask is not None:
            real = ops.cast(sequences_mask, "bool")
            inputs = {"x": masking.zero_padding(sequences, real), "real": real}

        def step(state, inputs):
            _, after = self.cell.step(inputs["x"], memory, state, training)
            after = loops.where_real(inputs["real"], after, state) if "real" in inputs else after
            return after, (after["output"], [attention["alignment"] for attention in after["attention"]])

        with _dropout_masks(self.cell.cell, lambda: step(state, _first(inputs)), training):
            last, (outputs, alignments) = loops.scan(self, step, state, inputs, training)
        alignments = [heads.swap(alignment) for alignment in alignments]
        outputs = [outputs]
        if return_attention_scores:
            outputs.append(alignments[0] if len(alignments) == 1 else alignments)
        if return_state:
            outputs.append(last)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def compute_mask(self, sequences, mask=None):
        return mask

    def compute_output_spec(self, sequences, value, *args, return_attention_scores=False, return_state=False, **kwargs):
        if return_state:  # Only a trial run knows what the parts remember.
            kwargs |= {"return_attention_scores": return_attention_scores, "return_state": True}
            return super().compute_output_spec(sequences, value, *args, **kwargs)
        batch, time = sequences.shape[:2]
        outputs = keras.KerasTensor((batch, time, self.cell.output_dim), dtype=self.compute_dtype)
        if not return_attention_scores:
            return outputs
        pairs = several.each(self.cell.attentions, value=value)
        alignments = [_alignment_spec(attention, batch, time, own.shape[1]) for attention, own in pairs]
        return outputs, alignments[0] if len(alignments) == 1 else alignments

    def get_config(self):
        return {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell)}


def _alignment_spec(attention, batch, time, elements):
    own_heads = () if attention.scorer.heads is None else (attention.scorer.heads,)
    dtype = masking.accumulation_dtype(attention.compute_dtype)
    return keras.KerasTensor((batch, *own_heads, time, elements), dtype=dtype)


def _first(inputs):
    return keras.tree.map_structure(lambda x: x[:, 0], inputs)


@contextlib.contextmanager
def _dropout_masks(cell, step, training):
    """Draw the dropout masks of a Keras cell before the loop: it keeps them for all steps of one call."""
    cells = [one for one in (cell, *getattr(cell, "cells", ())) if hasattr(one, "reset_dropout_mask")]
    random = training and any(one.dropout or one.recurrent_dropout for one in cells)

    def reset():
        for one in cells:
            one.reset_dropout_mask()
            one.reset_recurrent_dropout_mask()

    try:
        if random:
            reset()
            step()
        yield
    finally:
        if random:
            reset()
