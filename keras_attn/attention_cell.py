"""One step of a recurrent decoder that attends: recurrent cell and attention, state in and state out."""

import itertools

import keras
from keras import ops

from keras_attn import recurrent, registry, several
from keras_attn.attention import Attention

_QUERIES = ("last", "first", "previous")
_OUTPUTS = (None, "concatenation", "attention", "cell")


@keras.saving.register_keras_serializable(package="keras_attn")
class AttentionCell(keras.layers.Layer):
    """One step of a decoder: a recurrent cell, then attention with the cell's output as the query.

    ``s_i, cell state = cell([x_i; f_{i-1}])``, ``c_i = attention(s_i, memory)``,
    ``f_i = layer([s_i; c_i])``

    ``x_i`` is the input of the step, ``s_i`` the output of the recurrent cell, ``c_i`` the context
    (of several attentions, the concatenation of theirs). ``f_i`` is fed back to the cell in the
    next step: the output of the attention layer (Luong's input feeding) or, without one, the
    context (Listen, Attend and Spell).

    Args:
        cell: A recurrent cell of Keras, such as `keras.layers.LSTMCell(256)`,
            `keras.layers.StackedRNNCells([...])`, or its configuration.
        attention: An `Attention` or the name of a scorer; or a list of them, for one memory or each its own.
        attention_layer: A layer for ``[s_i; c_i]``, such as ``Dense(256, activation="tanh")``; or a list
            with one for each attention, which sees the context of that attention alone. The
            outputs are concatenated.
        input_feeding: Whether ``f_{i-1}`` is fed back. If not, ``x_i`` is the only input of the cell.
        input_layer: A layer for ``[x_i; f_{i-1}]`` before the cell.
        query: What asks:

            * ``"last"``: ``s_i``, as above; the output of the last cell if there is a stack of them;
            * ``"first"``: the output of the first cell of `StackedRNNCells`. Every other cell is fed
              ``[output of the cell below; c_i]`` (GNMT, where however the previous step's output asks);
            * ``"previous"``: ``s_{i-1}``, zeros at the start. ``c_i`` is then known before the cell runs,
              and is fed to it in the place of ``f_{i-1}`` (Bahdanau).

        output: What a step returns: ``"concatenation"``, ``[s_i; c_i]``; ``"attention"``, ``f_i``;
            ``"cell"``, ``s_i``. By default ``f_i`` with an attention layer, ``[s_i; c_i]`` without one.

    Raises:
        TypeError: If `cell` is no recurrent cell.
        ValueError: If an option is not known, or does not fit the cell or the number of attentions.

    References: Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to Align and
    Translate", 2015, arXiv:1409.0473; Luong, Pham, Manning, "Effective Approaches to Attention-based
    Neural Machine Translation", 2015, arXiv:1508.04025, section 3.3 (input feeding); Chan et al.,
    "Listen, Attend and Spell", 2016, arXiv:1508.01211, section 3.2; Wu et al., "Google's Neural
    Machine Translation System", 2016, arXiv:1609.08144.

    >>> cell = AttentionCell(keras.layers.LSTMCell(5), Attention("additive"))
    >>> cell.build(inputs_shape=(2, 4), value_shape=(2, 7, 3))
    >>> memory = cell.prepare(ops.ones((2, 7, 3)))
    >>> output, state = cell.step(ops.ones((2, 4)), memory, cell.initial_state(memory))
    >>> tuple(output.shape)  # the LSTM's 5 and the context's 3
    (2, 8)
    """

    def __init__(
        self,
        cell,
        attention="additive",
        attention_layer=None,
        input_feeding=True,
        input_layer=None,
        query="last",
        output=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.cell = registry.layer(cell)
        self.attentions = [_attention(one, self.dtype_policy.name) for one in several.as_list(attention)]
        self.attention_layers = several.layers(attention_layer)
        self.input_feeding = input_feeding
        self.input_layer = registry.layer(input_layer)
        self.query = query
        self.output_choice = output  # the name `output` is taken by Keras
        self._require_sense()

    def _require_sense(self):
        cell, layers, attentions = self.cell, len(self.attention_layers), len(self.attentions)
        if not hasattr(cell, "output_size"):
            raise TypeError(f"Expected a recurrent cell, such as keras.layers.LSTMCell(256). Received: cell={cell!r}")
        for name, value, known in (("query", self.query, _QUERIES), ("output", self.output_choice, _OUTPUTS)):
            if value not in known:
                raise ValueError(f"Expected {name} to be one of {known}. Received: {name}={value!r}")
        if self.query == "first" and not hasattr(cell, "cells"):
            raise ValueError(f"Expected keras.layers.StackedRNNCells with query='first'. Received: cell={cell!r}")
        if not attentions:
            raise ValueError("Expected an attention, or a list of them. Received: none")
        if layers not in (0, 1, attentions):
            raise ValueError(f"Expected one attention_layer, or {attentions}, one per attention. Received: {layers}")

    @property
    def _cells(self):
        """The cells between which the context comes in: those of a stack, or the cell as a whole."""
        return self.cell.cells if self.query == "first" else [self.cell]

    def build(self, inputs_shape, value_shape, key_shape=None):
        batch = inputs_shape[0]
        parts = several.each(self.attentions, value_shape=value_shape, key_shape=key_shape)
        context_dims = [attention.context_dim(shape[-1]) for attention, shape, _ in parts]
        self.context_dim, self.cell_output_dim = sum(context_dims), self.cell.output_size
        self.feedback_dim = self._build_attention_layers(batch, context_dims)
        self.output_dim = sum(self._output_parts(self.cell_output_dim, self.context_dim, self.feedback_dim))
        self._build_cells(batch, inputs_shape[-1])
        for attention, *shapes in parts:
            registry.build(attention, (batch, None, self._cells[0].output_size), *shapes)

    def _build_attention_layers(self, batch, context_dims):
        if not self.attention_layers:
            return self.context_dim
        feedback_dim = 0
        dims = context_dims if len(self.attention_layers) > 1 else [self.context_dim]
        for layer, dim in zip(self.attention_layers, dims, strict=True):
            shape = (batch, self.cell_output_dim + dim)
            registry.build(layer, shape)
            feedback_dim += layer.compute_output_shape(shape)[-1]
        return feedback_dim

    def _build_cells(self, batch, input_dim):
        fed_dim = self.context_dim if self.query == "previous" else self.feedback_dim
        shape = (batch, input_dim + (fed_dim if self.input_feeding else 0))
        registry.build(self.input_layer, shape)
        if self.input_layer is not None:
            shape = self.input_layer.compute_output_shape(shape)
        registry.build(self._cells[0], shape)
        for below, cell in itertools.pairwise(self._cells):
            registry.build(cell, (batch, below.output_size + self.context_dim))
        registry.build(self.cell, shape)  # a stack leaves the cells alone that are built

    def prepare(self, value, key=None, mask=None):
        """Make the memory of every attention, once per utterance.

        Args:
            value, key, mask: As `Attention.prepare` takes them, or lists with one for each attention.

        Returns: A list with the memory of each attention.
        """
        parts = several.each(self.attentions, value=value, key=key, mask=mask)
        return [attention.prepare(*own) for attention, *own in parts]

    def initial_state(self, memory):
        """State before the first step.

        Returns:
            A dict: ``"cell"``, the state of the recurrent cell; ``"attention"``, the state of each
            attention, with its ``"alignment"``; and of the last step ``"cell_output"`` ``s_i``, ``"context"``
            ``c_i``, ``"feedback"`` ``f_i`` and ``"output"``. To start from the states of an encoder:
            ``{**cell.initial_state(memory), "cell": states}``.
        """
        batch = ops.shape(memory[0]["mask"])[0]
        return {
            "cell": self.cell.get_initial_state(batch_size=batch),
            "attention": [one.initial_state(part) for one, part in zip(self.attentions, memory, strict=True)],
            "cell_output": ops.zeros((batch, self.cell_output_dim), dtype=self.compute_dtype),
            "context": ops.zeros((batch, self.context_dim), dtype=self.compute_dtype),
            "feedback": ops.zeros((batch, self.feedback_dim), dtype=self.compute_dtype),
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
        run = self._attend_then_run if self.query == "previous" else self._run_then_attend
        cell_output, cell_state, contexts, attention_states = run(inputs, memory, state, training)
        context, feedback = several.join(contexts), self._feedback(cell_output, contexts, training)
        output = several.join(self._output_parts(cell_output, context, feedback))
        return output, {
            "cell": keras.tree.pack_sequence_as(state["cell"], keras.tree.flatten(cell_state)),
            "attention": attention_states,
            "cell_output": cell_output,
            "context": context,
            "feedback": feedback,
            "output": output,
        }

    def _output_parts(self, cell_output, context, feedback):
        """Which of these, tensors or their dimensions, make up the output."""
        default = "attention" if self.attention_layers else "concatenation"
        parts = {"concatenation": [cell_output, context], "attention": [feedback], "cell": [cell_output]}
        return parts[self.output_choice or default]

    def _run_then_attend(self, inputs, memory, state, training):
        first, *above = self._cells
        first_state, *states = state["cell"] if self.query == "first" else [state["cell"]]
        x, first_state = recurrent.step(first, self._fed(inputs, [state["feedback"]], training), first_state, training)
        contexts, attention_states = several.step(self.attentions, x, memory, state["attention"], training)
        cell_states = [first_state]
        for cell, cell_state in zip(above, states, strict=True):
            x, cell_state = recurrent.step(cell, [x, *contexts], cell_state, training)
            cell_states.append(cell_state)
        return x, cell_states, contexts, attention_states

    def _attend_then_run(self, inputs, memory, state, training):
        query = state["cell_output"]
        contexts, attention_states = several.step(self.attentions, query, memory, state["attention"], training)
        fed = self._fed(inputs, contexts, training)
        return *recurrent.step(self.cell, fed, state["cell"], training), contexts, attention_states

    def _fed(self, inputs, feedback, training):
        """The inputs of the cell, beside each other."""
        inputs = [inputs, *feedback] if self.input_feeding else [inputs]
        return inputs if self.input_layer is None else [self.input_layer(several.join(inputs), training=training)]

    def _feedback(self, cell_output, contexts, training):
        """``f_i``: what the attention layer, or layers, make of the contexts."""
        if not self.attention_layers:
            return several.join(contexts)
        contexts = contexts if len(self.attention_layers) > 1 else [several.join(contexts)]
        pairs = zip(self.attention_layers, contexts, strict=True)
        outputs = [layer(several.join([cell_output, context]), training=training) for layer, context in pairs]
        return several.join(outputs)

    def get_config(self):
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": several.serialize(self.attentions),
            "attention_layer": several.serialize(self.attention_layers),
            "input_feeding": self.input_feeding,
            "input_layer": keras.saving.serialize_keras_object(self.input_layer),
            "query": self.query,
            "output": self.output_choice,
        }


def _attention(attention, dtype):
    """An `Attention`, from an instance, its configuration, or the name of a scorer."""
    attention = registry.layer(attention)
    return attention if isinstance(attention, Attention) else Attention(attention, dtype=dtype)
