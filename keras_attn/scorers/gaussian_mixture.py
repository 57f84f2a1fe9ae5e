"""A mixture of Gaussians that moves forward."""

import math

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers.scorer import Scorer


def log_mixture(frames, log_heights, means, widths):
    """``log sum_m exp(log_heights_m - (j - means_m)^2 / (2 widths_m^2))`` for every frame ``j``.

    Args:
        frames: ``(batch, Tv)``, the numbers ``j``.
        log_heights, means, widths: ``(batch, components)``; heights are those at the means.

    Returns:
        ``(batch, Tv)``.
    """
    distances = (frames[:, :, None] - means[:, None, :]) / widths[:, None, :]
    return ops.logsumexp(log_heights[:, None, :] - ops.square(distances) / 2, axis=-1)


def _exp(x):
    # What neither overflows nor vanishes when it is added up over many queries, and squared, in float32.
    return ops.exp(ops.clip(x, -10, 10))


def _softplus(x):
    return ops.softplus(ops.clip(x, -10, 1e4))


def _inverse_softplus(y):
    return y + math.log(-math.expm1(-y))


# What makes numbers positive, and its inverse.
_FORMS = {"graves": (_exp, math.log), "exponential": (_exp, math.log), "softplus": (_softplus, _inverse_softplus)}


@keras.saving.register_keras_serializable(package="keras_attn")
class GaussianMixture(Scorer):
    """A mixture of Gaussians over the frames, which the query moves forward and shapes.

    ``score(q, h_j) = log sum_m w_m / Z_m exp(-(j - mu_m)^2 / (2 sigma_m^2))``

    ``mu_m = mu'_m + Delta_m``

    The mean ``mu_m`` of a component is a frame, where ``j`` counts the real frames from 0. It
    starts at 0, and every query moves it on from where the last one left it, ``mu'_m``, and never
    back. A network makes weights, steps ``Delta`` and widths ``sigma`` from the query: of its
    outputs ``u = V tanh(W q + b) + d``, with a third of them for each,

    * the form ``"graves"`` makes ``w = exp(u)``, ``Delta = exp(u)`` and ``sigma = exp(u)``, and has ``Z = 1``;
    * ``"exponential"`` makes ``w = softmax(u)`` instead, and has ``Z = sqrt(2 pi) sigma``;
    * ``"softplus"`` makes ``Delta = softplus(u)`` and ``sigma = softplus(u)`` besides.

    ``W``, ``b``, ``V`` and ``d`` are weights. The forms are V0, V1 and V2 of Battenberg et al., but
    for the scale of the ``u`` of the width: theirs is ``sigma^2 = exp(u)``, and Graves has
    ``beta = exp(u)``, which is ``1 / (2 sigma^2)``.

    The keys take no part: use it where the memory is read from its beginning to its end, as text is
    in speech synthesis. The scores are the logarithms of weights. With the alignment function
    `Exponential` these are the weights, as in both papers, and need not add up to 1; with `Softmax`
    they are normalised.

    Args:
        components: Number of Gaussians.
        form: ``"graves"``, ``"exponential"`` or ``"softplus"``.
        units: Size of the hidden layer of the network.
        initial_step, initial_width: Steps and widths, in frames, where ``V tanh(...)`` is 0: the biases
            ``d`` start there.

    References: Graves, "Generating Sequences With Recurrent Neural Networks", 2013,
    arXiv:1308.0850, section 5.1; Battenberg et al., "Location-Relative Attention Mechanisms For
    Robust Long-Form Speech Synthesis", 2020, arXiv:1910.10288, section 2.

    >>> scorer = GaussianMixture(initial_step=2.0, initial_width=1.0)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(ops.ones((1, 6, 3)))
    >>> state, query = scorer.initial_state(memory, ops.ones((1, 6)) / 6), ops.zeros((1, 1, 4))
    >>> for _ in range(2):
    ...     print(ops.convert_to_numpy(ops.exp(scorer.score(query, memory, state))).round(2))
    ...     state = scorer.next_state(state, None, query, memory)
    [[[0.05 0.24 0.4  0.24 0.05 0.  ]]]
    [[[0.   0.   0.05 0.24 0.4  0.24]]]
    """

    recurrent = True
    log_weights = True

    def __init__(self, components=5, form="softplus", units=128, initial_step=1.0, initial_width=10.0, **kwargs):
        super().__init__(**kwargs)
        if components < 1:
            raise ValueError(f"Expected at least one. Received: components={components}")
        if form not in _FORMS:
            raise ValueError(f"Expected form to be one of {list(_FORMS)}. Received: form={form!r}")
        for name, value in (("initial_step", initial_step), ("initial_width", initial_width)):
            if not 0 < value < math.inf:
                raise ValueError(f"Expected a positive number of frames. Received: {name}={value}")
        self.components = components
        self.form = form
        self.units = units
        self.initial_step = initial_step
        self.initial_width = initial_width
        self.hidden = keras.layers.Dense(units, activation="tanh", name="hidden", dtype=self.dtype_policy)
        self._positive, inverse = _FORMS[form]
        self.weight_projection = self._projection("weight_projection", 0)
        self.step_projection = self._projection("step_projection", inverse(initial_step))
        self.width_projection = self._projection("width_projection", inverse(initial_width))

    def _projection(self, name, bias):
        start = keras.initializers.Constant(bias)
        return keras.layers.Dense(self.components, bias_initializer=start, name=name, dtype=self.dtype_policy)

    def build(self, query_shape, key_shape):
        self.hidden.build(query_shape)
        for projection in (self.weight_projection, self.step_projection, self.width_projection):
            projection.build((None, self.units))

    def prepare(self, key, mask=None):
        mask = masking.both(mask, ops.ones(ops.shape(key)[:2], dtype="bool"))
        return {"frame": ops.cast(masking.positions(mask), masking.accumulation_dtype(self.compute_dtype))}

    def initial_state(self, memory, alignment):
        return {"mean": ops.zeros((ops.shape(alignment)[0], self.components), dtype=alignment.dtype)}

    def mixture(self, query, state):
        """Logarithms of the heights, means and widths for a query, each ``(batch, components)``."""
        hidden = self.hidden(query[:, 0])
        projections = self.weight_projection, self.step_projection, self.width_projection
        weights, steps, widths = (masking.at_least_float32(projection(hidden)) for projection in projections)
        means, widths = state["mean"] + self._positive(steps), self._positive(widths)
        if self.form == "graves":
            return ops.clip(weights, -10, 10), means, widths
        return ops.log_softmax(weights) - ops.log(widths) - math.log(2 * math.pi) / 2, means, widths

    def score(self, query, memory, state):
        return log_mixture(memory["frame"], *self.mixture(query, state))[:, None, :]

    def next_state(self, state, alignment, query, memory):
        _, means, _ = self.mixture(query, state)
        return {"mean": means}

    def get_config(self):
        return {
            **super().get_config(),
            "components": self.components,
            "form": self.form,
            "units": self.units,
            "initial_step": self.initial_step,
            "initial_width": self.initial_width,
        }
