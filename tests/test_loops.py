"""The loop over queries against a loop in Python: its gradients, by hand where that is cheaper, are the same."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, AttentionCell, AttentionRNN
from tests.attention_rnn_cells import CELLS
from tests.backends import BACKEND, assert_close, differentiated, to_numpy
from tests.contract import weighed

LSTM_CELLS = {
    scorer: lambda scorer=scorer: AttentionCell(keras.layers.LSTMCell(3), scorer)
    for scorer in ("additive", "scaled_dot", "location_aware", "coverage", "dynamic_convolution", "location_recurrent")
}
OTHERS = {
    "monotonic": lambda: AttentionCell(keras.layers.LSTMCell(6), Attention("additive", "monotonic")),
    "another LSTM": lambda: AttentionCell(
        keras.layers.LSTMCell(6, use_bias=False, activation="relu", recurrent_activation="hard_sigmoid"), "general"
    ),
    "stack of LSTMs": lambda: AttentionCell(
        keras.layers.StackedRNNCells([keras.layers.LSTMCell(5), keras.layers.LSTMCell(6)]), "general"
    ),
}
EVERY = {**CELLS, **LSTM_CELLS, **OTHERS}
VALUE_MASK = np.array([[True] * 5, [True, True, True, False, False]])


@pytest.fixture
def arrays(rng):
    """Sequences (2, 4, 4) and values (2, 5, 3)."""
    return [rng.normal(size=size).astype("float32") for size in ((2, 4, 4), (2, 5, 3))]


def weigh(outputs):
    return weighed([outputs])


def in_python(rnn, sequences, value):
    """What the layer computes, by a loop in Python over the steps of its cell."""
    memory = rnn.cell.prepare(value, mask=VALUE_MASK)
    state, outputs = rnn.cell.initial_state(memory), []
    for i in range(sequences.shape[1]):
        output, state = rnn.cell.step(sequences[:, i], memory, state)
        outputs.append(output)
    return ops.stack(outputs, axis=1)


@pytest.mark.parametrize("make_cell", EVERY.values(), ids=EVERY)
def test_gradients_are_those_of_a_loop_in_python(arrays, make_cell):
    rnn = AttentionRNN(make_cell())
    rnn(*arrays)
    call = lambda *arrays: rnn(*arrays, value_mask=VALUE_MASK)  # noqa: E731
    outputs, gradients = differentiated(call, weigh, rnn.trainable_variables)(*arrays)
    expected = differentiated(lambda *arrays: in_python(rnn, *arrays), weigh, rnn.trainable_variables)(*arrays)
    assert_close(outputs, expected[0])
    for gradient, other in zip(gradients, expected[1], strict=True):
        assert_close(gradient, other, 1e-5 * max(1, np.abs(other).max()))
    assert sum(np.any(gradient != 0) for gradient in gradients) > len(gradients) / 2


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a function of TensorFlow")
@pytest.mark.parametrize("shape", [(2, 4, 4), (None, None, 4)], ids=["shapes known", "shapes unknown"])
def test_gradients_in_a_graph_are_those_of_eager_execution(arrays, shape):
    import tensorflow as tf

    rnn = AttentionRNN(LSTM_CELLS["location_aware"]())
    rnn(*arrays)
    in_graph = tf.function(rnn, input_signature=[tf.TensorSpec(shape), tf.TensorSpec((*shape[:2], 3))])
    arrays[1] = arrays[1][:, :4]
    _, eager = differentiated(rnn, weigh, rnn.trainable_variables)(*arrays)
    of_known_shape = lambda *arrays: ops.reshape(in_graph(*arrays), (2, 4, -1))  # noqa: E731
    _, gradients = differentiated(of_known_shape, weigh, rnn.trainable_variables)(*arrays)
    assert_close(gradients, eager)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX compiles in every test, Keras on torch in none")
@pytest.mark.parametrize("name", ["location_aware", "monotonic", "stack of LSTMs"])
def test_gradients_compiled_by_xla_are_those_of_eager_execution(arrays, name):
    import tensorflow as tf

    rnn = AttentionRNN(EVERY[name]())
    rnn(*arrays)
    expected = differentiated(rnn, weigh, rnn.trainable_variables)(*arrays)

    @tf.function(jit_compile=True)
    def compiled(*arrays):
        sources = [*arrays, *(variable.value for variable in rnn.trainable_variables)]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = tf.ensure_shape(rnn(*arrays), (2, 4, rnn.cell.output_dim))
            scalar = weigh(outputs)
        return outputs, tape.gradient(scalar, sources, unconnected_gradients="zero")

    assert_close(to_numpy(compiled(*map(tf.constant, arrays))), expected)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="other backends form second derivatives")
def test_second_derivatives_by_weights_are_refused_rather_than_wrong(arrays):
    import tensorflow as tf

    rnn = AttentionRNN(LSTM_CELLS["scaled_dot"]())
    rnn(*arrays)
    kernel = rnn.cell.cell.recurrent_kernel.value
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = weighed([rnn(*arrays)])
        length = ops.sum(ops.square(inner.gradient(value, kernel)))
    with pytest.raises(LookupError, match="Second derivatives"):
        outer.gradient(length, kernel)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="other backends form second derivatives")
def test_a_penalty_on_the_gradients_of_inputs_can_be_trained(arrays):
    import tensorflow as tf

    rnn = AttentionRNN(LSTM_CELLS["scaled_dot"]())
    rnn(*arrays)
    kernel = rnn.cell.cell.recurrent_kernel.value

    def penalty(function):
        sequences, value = map(tf.constant, arrays)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(sequences)
                y = weighed([function(sequences, value)])
            length = ops.sum(ops.square(inner.gradient(y, sequences)))
        return outer.gradient(length, kernel)

    masked = lambda *arrays: rnn(*arrays, value_mask=VALUE_MASK)  # noqa: E731
    assert_close(penalty(masked).numpy(), penalty(lambda *arrays: in_python(rnn, *arrays)).numpy())
