"""TensorFlow Addons."""

import tensorflow as tf
from contestants import versions as _versions
from tensorflow_addons import seq2seq


def versions():
    return _versions.of("tensorflow-addons", "tensorflow-cpu")


def decoder_steps(mechanism, units, batch, frames, dim, lstm, steps, input_dim):
    """Teacher-forced steps of an LSTM that attends, forward and backward, by a `BasicDecoder`."""
    mechanism = getattr(seq2seq, mechanism)(units)
    wrapper = seq2seq.AttentionWrapper(tf.keras.layers.LSTMCell(lstm), mechanism, output_attention=False)
    decoder = seq2seq.BasicDecoder(wrapper, seq2seq.TrainingSampler())

    def call(inputs, memory):
        mechanism.setup_memory(memory, memory_sequence_length=tf.fill((batch,), frames))
        state = wrapper.get_initial_state(batch_size=batch, dtype="float32")
        return decoder(inputs, initial_state=state, sequence_length=tf.fill((batch,), steps), training=True)[
            0
        ].rnn_output

    @tf.function
    def forward_and_backward(inputs, memory):
        with tf.GradientTape() as tape:
            tape.watch((inputs, memory))
            loss = tf.reduce_mean(call(inputs, memory) ** 2)
        return loss, tape.gradient(loss, [inputs, memory, *decoder.trainable_variables])

    inputs, memory = tf.random.normal((batch, steps, input_dim)), tf.random.normal((batch, frames, dim))
    return lambda: forward_and_backward(inputs, memory)
