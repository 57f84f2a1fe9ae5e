"""A recurrent decoder that attends, run over inputs that are all known (teacher forcing)."""

import contextlib

import keras
from keras import ops

from keras_attn import loops, masking
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
        value: ``(batch, Tv, value_dim)``, what is attended to: the output of an encoder.
        key: ``(batch, Tv, key_dim)``; the value when not given.
        sequences_mask: ``(batch, T)`` booleans; where False the state passes unchanged.
        value_mask: ``(batch, Tv)`` booleans. The masks that Keras attached to `sequences` and
            `value` when not given.
        initial_state: State to start from, as returned with `return_state`.
        return_attention_scores: Whether to return the alignment as well, ``(batch, T, Tv)``, or a
            list of them when there are several attentions.
        return_state: Whether to return the last state as well.
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
        initial_state=None,
        return_attention_scores=False,
        return_state=False,
        training=None,
    ):
        memory = self.cell.prepare(value, key, value_mask)
        state = self.cell.initial_state(memory) if initial_state is None else initial_state
        inputs = {"x": sequences}
        if sequences_mask is not None:
            real = ops.cast(sequences_mask, "bool")
            inputs = {"x": masking.zero_padding(sequences, real), "real": real}

        def step(state, inputs):
            _, after = self.cell.step(inputs["x"], memory, state, training)
            return loops.where_real(inputs["real"], after, state) if "real" in inputs else after

        with _dropout_masks(self.cell.cell, lambda: step(state, _first(inputs)), training):
            last, states = loops.scan(self, step, state, inputs, training)
        alignments = [attention["alignment"] for attention in states["attention"]]
        outputs = [states["output"]]
        if return_attention_scores:
            outputs.append(alignments[0] if len(alignments) == 1 else alignments)
        if return_state:
            outputs.append(last)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def compute_mask(self, sequences, mask=None):
        return mask

    def compute_output_spec(self, sequences, value, return_attention_scores=False, return_state=False, **_):
        if return_state:
            raise ValueError("Expected return_state=False in a functional model. Received: return_state=True")
        outputs = keras.KerasTensor((*sequences.shape[:2], self.cell.output_dim), dtype=self.compute_dtype)
        if not return_attention_scores:
            return outputs
        alignments = [
            keras.KerasTensor(
                (*sequences.shape[:2], value.shape[1]), dtype=masking.accumulation_dtype(attention.compute_dtype)
            )
            for attention in self.cell.attentions
        ]
        return outputs, alignments[0] if len(alignments) == 1 else alignments

    def get_config(self):
        return {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell)}


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
