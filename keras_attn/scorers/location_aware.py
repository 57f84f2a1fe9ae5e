"""Additive scorer that also sees where it attended before."""

import keras
from keras import ops

from keras_attn.scorers.additive import additive_scores, energy_initializer
from keras_attn.scorers.scorer import Scorer

_FEATURES = {"previous": ("previous",), "cumulative": ("cumulative",), "both": ("previous", "cumulative")}


@keras.saving.register_keras_serializable(package="keras_attn")
class LocationAware(Scorer):
    """Additive scorer with features of the earlier alignments around each frame.

    ``score(q, h_j) = v . tanh(U q + W h_j + V f_j + b)``, ``f = F * a``

    ``F * a`` is a convolution over the frames, with `filters` filters of `kernel_size` frames;
    ``a`` is the previous alignment, the sum of all earlier ones, or both as two channels.
    ``U``, ``W``, ``V``, ``b``, ``v`` and ``F`` are weights. At the first query, "previous" sees
    what the alignment function starts from (for softmax: uniform over the real frames), and
    "cumulative" sees zeros.

    Use it where attention moves through the memory in order, as in speech: content alone cannot
    tell the first "seven" from the second.

    Args:
        units: Size of the hidden layer.
        filters: Number of filters (``k`` in the paper).
        kernel_size: Width of a filter in frames (``r``), odd, so that it is centred.
        features: ``"previous"``, ``"cumulative"`` or ``"both"``.
        use_bias: Whether there is a ``b``.

    Reference: Chorowski et al., "Attention-Based Models for Speech Recognition", 2015,
    arXiv:1506.07503, section 2.2 (previous); Shen et al., "Natural TTS Synthesis by Conditioning
    WaveNet on Mel Spectrogram Predictions", 2018, arXiv:1712.05884, section 2.2 (cumulative).

    >>> scorer = LocationAware(units=8, filters=2, kernel_size=5)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(ops.ones((1, 6, 3)))
    >>> state = scorer.initial_state(memory, ops.ones((1, 6)) / 6)
    >>> tuple(scorer.score(ops.ones((1, 1, 4)), memory, state).shape)
    (1, 1, 6)
    """

    recurrent = True

    def __init__(self, units=128, filters=10, kernel_size=31, features="previous", use_bias=True, **kwargs):
        super().__init__(**kwargs)
        if features not in _FEATURES:
            raise ValueError(f"Expected features to be one of {sorted(_FEATURES)}. Received: features={features!r}")
        if kernel_size % 2 == 0:
            raise ValueError(f"Expected an odd number of frames. Received: kernel_size={kernel_size}")
        self.units = units
        self.filters = filters
        self.kernel_size = kernel_size
        self.features = features
        self.use_bias = use_bias
        dtype = self.dtype_policy
        self.query_projection = keras.layers.Dense(units, use_bias=use_bias, name="query_projection", dtype=dtype)
        self.key_projection = keras.layers.Dense(units, use_bias=False, name="key_projection", dtype=dtype)
        self.convolution = keras.layers.Conv1D(
            filters, kernel_size, padding="same", use_bias=False, name="convolution", dtype=dtype
        )
        self.location_projection = keras.layers.Dense(units, use_bias=False, name="location_projection", dtype=dtype)

    def build(self, query_shape, key_shape):
        self.query_projection.build(query_shape)
        self.key_projection.build(key_shape)
        self.convolution.build((None, None, len(_FEATURES[self.features])))
        self.location_projection.build((None, None, self.filters))
        self.energy = self.add_weight(name="energy", shape=(self.units,), initializer=energy_initializer())

    def prepare(self, key, mask=None):
        return {"key": self.key_projection(key)}

    def initial_state(self, memory, alignment):
        state = {"previous": alignment, "cumulative": ops.zeros_like(alignment)}
        return {name: state[name] for name in _FEATURES[self.features]}

    def score(self, query, memory, state):
        channels = ops.stack([state[name] for name in _FEATURES[self.features]], axis=-1)
        location = self.location_projection(self.convolution(channels))
        return additive_scores(self.query_projection(query), memory["key"] + location, self.energy)

    def next_state(self, state, alignment, query, memory):
        after = {"previous": lambda: alignment, "cumulative": lambda: state["cumulative"] + alignment}
        return {name: after[name]() for name in state}

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "features": self.features,
            "use_bias": self.use_bias,
        }
