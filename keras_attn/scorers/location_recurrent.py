"""Additive scorer with an LSTM over the earlier alignments."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers.convolutions import centred_convolution, convolve
from keras_attn.scorers.location_scorer import LocationScorer


def lstm_step(gates, carry):
    """Output and carry of an LSTM. It is written out, as `keras.layers.LSTMCell` makes a variable before `build`.

    Args:
        gates: ``(batch, 4 * units)``, affine maps of input and previous output: of what enters, what is
            kept (which starts near 1, by a constant), the candidate, and what leaves.
        carry: ``(batch, units)``.
    """
    enter, keep, candidate, leave = ops.split(gates, 4, axis=-1)
    carry = ops.sigmoid(keep + 1) * carry + ops.sigmoid(enter) * ops.tanh(candidate)
    return ops.sigmoid(leave) * ops.tanh(carry), carry


@keras.saving.register_keras_serializable(package="keras_attn")
class LocationRecurrent(LocationScorer):
    """Additive scorer with what an LSTM makes of the earlier alignments.

    ``score(q, h_j) = v . tanh(U q + W h_j + r + b)``, ``r = LSTM(max_j relu(F * a)_j)``

    ``F * a`` is a convolution over the frames, as in `LocationAware`, and of each of its filters the
    LSTM is given the largest value at a real frame. It takes one step for every alignment ``a``, the
    first for that which the alignment function starts from. ``U``, ``W``, ``b``, ``v``, ``F`` and
    those of the LSTM are weights.

    Its output ``r`` is the same for every frame. The maximum forgets where attention was; what
    remains is how sharp it was, and how that went on.

    Args:
        units: Size of the hidden layer, and of the LSTM.
        filters: Number of filters.
        kernel_size: Width of a filter in frames, odd, so that it is centred.
        use_bias: Whether there is a ``b``.

    Reference: the attention "location_recurrent" of ESPnet, Watanabe et al., 2018,
    arXiv:1804.00015, which has no paper of its own.

    >>> scorer = LocationRecurrent(units=8, filters=2, kernel_size=5)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(ops.ones((1, 6, 3)))
    >>> state = scorer.initial_state(memory, ops.ones((1, 6)) / 6)
    >>> tuple(scorer.score(ops.ones((1, 1, 4)), memory, state).shape)
    (1, 1, 6)
    """

    def __init__(self, units=128, filters=10, kernel_size=31, use_bias=True, **kwargs):
        super().__init__(units, use_bias, **kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.convolution = centred_convolution(filters, kernel_size, self.dtype_policy)
        self.gates = keras.layers.Dense(4 * units, name="gates", dtype=self.dtype_policy)

    def build(self, query_shape, key_shape):
        super().build(query_shape, key_shape)
        self.convolution.build((None, None, 1))
        self.gates.build((None, self.filters + self.units))

    def prepare(self, key, mask=None):
        mask = masking.both(mask, ops.ones(ops.shape(key)[:2], dtype="bool"))
        return {**super().prepare(key, mask), "mask": mask}

    def initial_state(self, memory, alignment):
        zeros = ops.zeros((ops.shape(alignment)[0], self.units), dtype=self.compute_dtype)
        return self.next_state({"output": zeros, "carry": zeros}, alignment, None, memory)

    def location(self, state):
        return state["output"][:, None, :]

    def next_state(self, state, alignment, query, memory):
        features = ops.relu(convolve(self.convolution, alignment[..., None]))
        features = masking.zero_padding(features, memory["mask"])
        features = ops.max(ops.pad(features, [[0, 0], [0, 1], [0, 0]]), axis=1)  # 0 if there are no frames
        gates = self.gates(ops.concatenate([ops.cast(features, self.compute_dtype), state["output"]], axis=-1))
        output, carry = lstm_step(gates, state["carry"])
        return {"output": output, "carry": carry}

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size}
