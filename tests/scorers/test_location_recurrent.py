import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Additive, LocationRecurrent
from keras_attn.scorers.location_recurrent import lstm_step
from tests.scorers import unrolled


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(weights, inputs):
    """Output of an LSTM after a list of inputs."""
    output = carry = np.zeros(8)
    for x in inputs:
        gates = weights["gates/kernel"].T @ np.concatenate([x, output]) + weights["gates/bias"]
        enter, keep, candidate, leave = np.split(gates, 4)
        carry = sigmoid(keep + 1) * carry + sigmoid(enter) * np.tanh(candidate)
        output = sigmoid(leave) * np.tanh(carry)
    return output


def test_the_step_is_that_of_keras(rng):
    cell = keras.layers.LSTMCell(3, bias_initializer="normal")
    cell.build((None, 2))
    x, output, carry = (ops.cast(rng.normal(size=(4, dim)), "float32") for dim in (2, 3, 3))
    kernel = np.concatenate(cell.get_weights()[:2])
    bias = cell.get_weights()[2] - np.repeat([0, 1, 0, 0], 3)
    gates = ops.matmul(ops.concatenate([x, output], axis=-1), kernel) + bias
    expected, (_, expected_carry) = cell(x, [output, carry])
    output, carry = lstm_step(ops.cast(gates, "float32"), carry)
    np.testing.assert_allclose(ops.convert_to_numpy(output), ops.convert_to_numpy(expected), atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(carry), ops.convert_to_numpy(expected_carry), atol=1e-6)


@pytest.mark.parametrize("kernel_size", [3, 13], ids=["narrow", "wider_than_memory"])
def test_numpy_oracle_over_several_queries(rng, kernel_size):
    def oracle(weights, queries, key, mask, alignments):
        def summary(alignment):
            features = [
                unrolled.convolution(weights["convolution/kernel"], [alignment], j) for j in np.flatnonzero(mask)
            ]
            return np.maximum(np.max(features, axis=0), 0)

        output = lstm(weights, [summary(alignment) for alignment in alignments])
        return unrolled.additive(weights, queries[-1], key, lambda j: output)

    unrolled.assert_attends_as(oracle, LocationRecurrent(units=8, filters=2, kernel_size=kernel_size), rng)


def test_with_an_lstm_of_0_it_is_additive(rng):
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    recurrent, additive = Attention(LocationRecurrent(units=8)), Attention(Additive(units=8))
    for attention in (recurrent, additive):
        attention.build(query.shape, value.shape)
    recurrent.scorer.gates.set_weights([np.zeros(weight.shape) for weight in recurrent.scorer.gates.get_weights()])
    for name in ("query_projection", "key_projection"):
        getattr(additive.scorer, name).set_weights(getattr(recurrent.scorer, name).get_weights())
    additive.scorer.energy.assign(recurrent.scorer.energy)
    np.testing.assert_allclose(*(ops.convert_to_numpy(each(query, value)) for each in (recurrent, additive)), atol=1e-6)


def test_it_sees_how_sharp_an_alignment_is_but_not_where(rng):
    scorer = LocationRecurrent(units=8, filters=2, kernel_size=3)
    scorer.build((None, None, 4), (None, None, 5))
    unrolled.randomize(scorer, rng)
    memory = scorer.prepare(ops.zeros((1, 9, 5)))

    def output(*weights):
        alignment = np.zeros((1, 9), "float32")
        alignment[0, list(weights)] = 1 / len(weights)
        return ops.convert_to_numpy(scorer.initial_state(memory, ops.convert_to_tensor(alignment))["output"])

    np.testing.assert_allclose(output(2), output(6), atol=1e-6)
    assert np.abs(output(2) - output(2, 3)).max() > 1e-3


def test_an_empty_memory():
    context = Attention(LocationRecurrent(units=8))(ops.ones((2, 3, 4)), ops.ones((2, 0, 5)))
    np.testing.assert_array_equal(ops.convert_to_numpy(context), np.zeros((2, 3, 5)))


def test_even_kernel():
    with pytest.raises(ValueError, match=r"an odd number of frames. Received: kernel_size=4"):
        LocationRecurrent(kernel_size=4)
