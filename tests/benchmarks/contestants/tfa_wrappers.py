"""The attention wrapper of TensorFlow Addons around an LSTM cell, forward and backward."""

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa


def decoder_steps(attention, batch=32, steps=50, frames=100, dim=256, units=128, cell=256, inputs=64):
    """The loop that `tfa.seq2seq.BasicDecoder` runs over inputs that are known; the context is fed back.

    Luong's attention compares the cell's output with a projection of the memory to its size.
    """
    rng = np.random.default_rng(0)
    sequences = tf.constant(rng.standard_normal((batch, steps, inputs), "float32"))
    memory = tf.constant(rng.standard_normal((batch, frames, dim), "float32"))
    mechanism = getattr(tfa.seq2seq, attention)(cell if attention.startswith("Luong") else units)
    wrapper = tfa.seq2seq.AttentionWrapper(tf.keras.layers.LSTMCell(cell), mechanism, output_attention=False)
    decoder = tfa.seq2seq.BasicDecoder(wrapper, tfa.seq2seq.TrainingSampler())
    lengths = tf.fill([batch], steps)

    def outputs(sequences, memory):
        mechanism.setup_memory(memory)
        state = wrapper.get_initial_state(batch_size=batch, dtype=tf.float32)
        return decoder(sequences, initial_state=state, sequence_length=lengths)[0].rnn_output

    outputs(sequences, memory)

    @tf.function
    def work():
        with tf.GradientTape() as tape:
            tape.watch([sequences, memory])
            result = tf.reduce_sum(outputs(sequences, memory))
        return tape.gradient(result, [sequences, memory, *decoder.trainable_variables])

    return lambda: work()[0].numpy()
