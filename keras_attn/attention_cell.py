"""One step of a recurrent decoder that attends: recurrent cell and attention, state in and state out."""

import keras
from keras import ops

from keras_attn.attention import Attention


@keras.saving.register_keras_serializable(package="keras_attn")
class AttentionCell(keras.layers.Layer):
    """One step of a decoder: a recurrent cell, then attention with the cell's output as the query.

    ``s_i, cell state = cell([x_i; f_{i-1}])``, ``c_i = attention(s_i, memory)``,
    ``y_i = layer([s_i; c_i])``

    ``x_i`` is the input of the step, ``s_i`` the output of the recurrent cell, ``c_i`` the context
    and ``y_i`` the output. ``f_{i-1}``, fed back to the input of the cell, is the previous context
    (Listen, Attend and Spell) or, with an attention layer, the previous output (Luong's input
    feeding). Without an attention layer the output is the concatenation ``[s_i; c_i]``.

    Args:
        cell: A recurrent cell of Keras, such as `keras.layers.LSTMCell(256)`,
            `keras.layers.StackedRNNCells([...])`, or its configuration.
        attention: An `Attention`, or a list of them whose contexts are concatenated.
        attention_layer: A layer for ``[s_i; c_i]``, such as ``Dense(256, activation="tanh")``.
        input_feeding: Whether ``f_{i-1}`` is fed back.

    References: Chan et al., "Listen, Attend and Spell", 2016, arXiv:1508.01211, section 3.2;
    Luong, Pham, Manning, "Effective Approaches to Attention-based Neural Machine Translation",
    2015, arXiv:1508.04025, section 3.3 (input feeding).

    >>> cell = AttentionCell(keras.layers.LSTMCell(5), Attention("additive"))
    >>> cell.build(inputs_shape=(2, 4), value_shape=(2, 7, 3))
    >>> memory = cell.prepare(ops.ones((2, 7, 3)))
    >>> output, state = cell.step(ops.ones((2, 4)), memory, cell.initial_state(memory))
    >>> tuple(output.shape)
    (2, 8)
    """

    def __init__(self, cell, attention="additive", attention_layer=None, input_feeding=True, **kwargs):
        super().__init__(**kwargs)
        self.cell = _layer(cell)
        if not hasattr(self.cell, "output_size"):
            raise TypeError(f"Expected a recurrent cell, such as keras.layers.LSTMCell(256). Received: cell={cell!r}")
        several = isinstance(attention, (list, tuple))
        self.attentions = [_attention(one, self.dtype_policy.name) for one in (attention if several else [attention])]
        self.attention_layer = None if attention_layer is None else _layer(attention_layer)
        self.input_feeding = input_feeding

    def build(self, inputs_shape, value_shape, key_shape=None):
        context_dim = value_shape[-1] * len(self.attentions)
        query_dim = self.cell.output_size
        joined = (inputs_shape[0], query_dim + context_dim)
        if self.attention_layer is not None and not self.attention_layer.built:
            self.attention_layer.build(joined)
        self.context_dim = context_dim
        self.output_dim = joined[-1] if self.attention_layer is None else self._layer_output_dim(joined)
        feedback_dim = context_dim if self.attention_layer is None else self.output_dim
        if not self.cell.built:
            self.cell.build((inputs_shape[0], inputs_shape[-1] + (feedback_dim if self.input_feeding else 0)))
        for attention in self.attentions:
            if not attention.built:
                attention.build((inputs_shape[0], None, query_dim), value_shape, key_shape)

    def _layer_output_dim(self, shape):
        return self.attention_layer.compute_output_shape(shape)[-1]

    def prepare(self, value, key=None, mask=None):
        """Make the memory of every attention, once per utterance; see `Attention.prepare`."""
        return [attention.prepare(value, key, mask) for attention in self.attentions]

    def initial_state(self, memory):
        """State before the first step.

        Returns:
            A dict: ``"cell"``, the state of the recurrent cell; ``"attention"``, the state of each
            attention, with its ``"alignment"``; ``"context"`` and ``"output"`` of the last step.
        """
        batch = ops.shape(memory[0]["mask"])[0]
        return {
            "cell": self.cell.get_initial_state(batch_size=batch),
            "attention": [one.initial_state(part) for one, part in zip(self.attentions, memory, strict=True)],
            "context": ops.zeros((batch, self.context_dim), dtype=self.compute_dtype),
            "output": ops.zeros((batch, self.output_dim), dtype=self.compute_dtype),
        }

    def step(self, inputs, memory, state, training=None):
        """Run one step.

        Args:
            inputs: ``(batch, input_dim)``.
            memory: What `prepare` returned.
            state: What `initial_state` or an earlier step returned.
            training: Whether the model is being trained. A Keras cell with dropout then keeps the
                mask of its first step, until `reset_dropout_mask`; `AttentionRNN` sees to that.

        Returns:
            The output ``(batch, output_dim)`` and the next state.
        """
        inputs = ops.cast(inputs, self.compute_dtype)
        if self.input_feeding:
            feedback = state["context"] if self.attention_layer is None else state["output"]
            inputs = ops.concatenate([inputs, feedback], axis=-1)
        query, cell_state = self.cell(inputs, state["cell"], training=training)
        contexts, attention_states = [], []
        for attention, part, attention_state in zip(self.attentions, memory, state["attention"], strict=True):
            context, attention_state = attention.step(query, part, attention_state, training)
            contexts.append(context)
            attention_states.append(attention_state)
        context = contexts[0] if len(contexts) == 1 else ops.concatenate(contexts, axis=-1)
        output = ops.concatenate([query, context], axis=-1)
        if self.attention_layer is not None:
            output = self.attention_layer(output, training=training)
        return output, {
            "cell": keras.tree.pack_sequence_as(state["cell"], keras.tree.flatten(cell_state)),
            "attention": attention_states,
            "context": context,
            "output": output,
        }

    def get_config(self):
        several = len(self.attentions) > 1
        attention = [keras.saving.serialize_keras_object(one) for one in self.attentions]
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": attention if several else attention[0],
            "attention_layer": keras.saving.serialize_keras_object(self.attention_layer),
            "input_feeding": self.input_feeding,
        }


def _layer(layer):
    return keras.saving.deserialize_keras_object(layer) if isinstance(layer, dict) else layer


def _attention(attention, dtype):
    """An `Attention`, from an instance, its configuration, or the name of a scorer."""
    attention = _layer(attention)
    return attention if isinstance(attention, Attention) else Attention(attention, dtype=dtype)
