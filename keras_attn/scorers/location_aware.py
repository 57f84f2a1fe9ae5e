"""Additive scorer that also sees where it attended before."""

import keras
from keras import ops

from keras_attn import products, several
from keras_attn.scorers.convolutions import centred_convolution, convolve
from keras_attn.scorers.location_scorer import LocationScorer

_FEATURES = {"previous": ("previous",), "cumulative": ("cumulative",), "both": ("previous", "cumulative")}


@keras.saving.register_keras_serializable(package="keras_attn")
class LocationAware(LocationScorer):
    """Additive scorer with features of the earlier alignments around each frame.

    ``score(q, h_j) = v . tanh(U q + W h_j + V f_j + b)``, ``f = F * a``

    ``F * a`` is a convolution over the frames, with `filters` filters of `kernel_size` frames;
    ``a`` is the previous alignment, the sum of all earlier ones, or both as two channels.
    ``U``, ``W``, ``V``, ``b``, ``v`` and ``F`` are weights. At the first query, "previous" sees
    what the alignment function starts from (for softmax: uniform over the real frames), and
    "cumulative" sees zeros.

    With a `history` of several alignments, each is a channel of its own, and a filter sees how
    attention has moved: the two-dimensional convolution over frames and queries that ESPnet calls
    "location2d". The name ``"location_aware_2d"`` stands for a history of 5.

    Use it where attention moves through the memory in order, as in speech: content alone cannot
    tell the first "seven" from the second.

    Args:
        units: Size of the hidden layer.
        filters: Number of filters (``k`` in the paper).
        kernel_size: Width of a filter in frames (``r``), odd, so that it is centred.
        features: ``"previous"``, ``"cumulative"`` or ``"both"``.
        use_bias: Whether there is a ``b``.
        history: Number of previous alignments that are seen; 1 where none is, with "cumulative".

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

    def __init__(self, units=128, filters=10, kernel_size=31, features="previous", use_bias=True, history=1, **kwargs):
        super().__init__(units, use_bias, **kwargs)
        if features not in _FEATURES:
            raise ValueError(f"Expected features to be one of {sorted(_FEATURES)}. Received: features={features!r}")
        if history < 1 or (history > 1 and features == "cumulative"):
            raise ValueError(
                "Expected at least one alignment, and no more with features='cumulative'. "
                f"Received: history={history}, features={features!r}"
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.features = features
        self.history = history
        self.convolution = centred_convolution(filters, kernel_size, self.dtype_policy)
        self.location_projection = keras.layers.Dense(
            units, use_bias=False, name="location_projection", dtype=self.dtype_policy
        )

    def build(self, query_shape, key_shape):
        super().build(query_shape, key_shape)
        channels = {"previous": self.history, "cumulative": 1}
        self.convolution.build((None, None, sum(channels[name] for name in _FEATURES[self.features])))
        self.location_projection.build((None, None, self.filters))

    def initial_state(self, memory, alignment):
        alignment = alignment[..., None]
        state = {"previous": ops.repeat(alignment, self.history, axis=-1), "cumulative": ops.zeros_like(alignment)}
        return {name: state[name] for name in _FEATURES[self.features]}

    def location(self, state):
        channels = ops.concatenate([state[name] for name in _FEATURES[self.features]], axis=-1)
        filtered = convolve(self.convolution, channels)
        return products.matmul(filtered, ops.cast(self.location_projection.kernel, filtered.dtype))

    def next_state(self, state, alignment, query, memory):
        alignment = alignment[..., None]
        kept = [state["previous"][..., 1:]] if self.history > 1 else []
        after = {
            "previous": lambda: several.join([*kept, alignment]),
            "cumulative": lambda: state["cumulative"] + alignment,
        }
        return {name: after[name]() for name in state}

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "features": self.features,
            "history": self.history,
        }
