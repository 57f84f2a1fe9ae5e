"""Scorer that knows where attention was, and nothing else of the memory."""

import math

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers.additive import energy_initializer
from keras_attn.scorers.additive_scores import additive_scores
from keras_attn.scorers.convolutions import centred_convolution, convolve, windows
from keras_attn.scorers.scorer import Scorer


def beta_binomial(length, alpha, beta):
    """Probabilities of ``0 ... length - 1`` successes in ``length - 1`` trials, with a beta prior of their rate.

    >>> [round(p, 3) for p in beta_binomial(4, alpha=1, beta=1)]
    [0.25, 0.25, 0.25, 0.25]
    """

    def log_beta(x, y):
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    trials, start = length - 1, log_beta(alpha, beta)
    return [math.comb(trials, k) * math.exp(log_beta(k + alpha, trials - k + beta) - start) for k in range(length)]


def log_prior(alignment, steps):
    """``log(P * a)``, at least log 1e-6: where attention may be after one random step forward.

    Args:
        alignment: ``(batch, Tv)``, the weights ``a``.
        steps: A list, the probabilities ``P`` of a step by 0, 1, 2, ... frames.

    Returns:
        ``(batch, Tv)``.

    >>> print(ops.convert_to_numpy(ops.exp(log_prior(ops.array([[0.0, 1.0, 0.0, 0.0]]), [0.75, 0.25]))).round(2))
    [[0.   0.75 0.25 0.  ]]
    """
    last_steps = windows(alignment, before=len(steps) - 1, after=0)
    prior = ops.matmul(last_steps, ops.convert_to_tensor(steps[::-1], dtype=alignment.dtype)[:, None])
    return ops.log(ops.maximum(ops.squeeze(prior, axis=-1), 1e-6))


@keras.saving.register_keras_serializable(package="keras_attn")
class DynamicConvolution(Scorer):
    """Scores from convolutions of the previous alignment, with filters of which some are made by the query.

    ``score(q, h_j) = v . tanh(U f_j + T g_j + b) + log(P * a')_j``

    ``f = F * a'``, ``g = G(q) * a'``, ``G(q) = V_G tanh(W_G q + b_G)``

    ``*`` is a convolution over the frames and ``a'`` the previous alignment. The filters ``F`` are
    static and ``G(q)`` dynamic. The prior filter ``P`` is fixed: the beta-binomial probabilities of
    a step by ``0 ... prior_length - 1`` frames, whose mean, with the default numbers, is one frame.
    It holds attention near to where it was and never lets it go back; the logarithm is at least that
    of 1e-6. ``U``, ``T``, ``b``, ``v``, ``F``, ``V_G``, ``W_G`` and ``b_G`` are weights.

    Before the first query, ``a'`` is 1 at the first real frame, whatever the alignment function
    starts from. The keys take no part: use it where the memory is read from its beginning to its
    end, as text is in speech synthesis.

    Args:
        units: Size of the hidden layers.
        filters: Number of static filters.
        kernel_size: Width of all filters but ``P``, in frames, odd, so that they are centred.
        dynamic_filters: Number of dynamic filters.
        prior_length: Width of ``P`` in frames.
        prior_alpha, prior_beta: Positive numbers, the parameters of ``P``. The mean step is
            ``(prior_length - 1) * alpha / (alpha + beta)``.

    Reference: Battenberg et al., "Location-Relative Attention Mechanisms For Robust Long-Form
    Speech Synthesis", 2020, arXiv:1910.10288, section 2.

    >>> scorer = DynamicConvolution(units=8)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(ops.ones((1, 6, 3)))
    >>> state = scorer.initial_state(memory, ops.ones((1, 6)) / 6)
    >>> print(ops.convert_to_numpy(state["previous"]))
    [[1. 0. 0. 0. 0. 0.]]
    >>> tuple(scorer.score(ops.ones((1, 1, 4)), memory, state).shape)
    (1, 1, 6)
    """

    recurrent = True

    def __init__(
        self,
        units=128,
        filters=8,
        kernel_size=21,
        dynamic_filters=8,
        prior_length=11,
        prior_alpha=0.1,
        prior_beta=0.9,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if prior_length < 1:
            raise ValueError(f"Expected at least one frame. Received: prior_length={prior_length}")
        for name, value in (("prior_alpha", prior_alpha), ("prior_beta", prior_beta)):
            if not 0 < value < math.inf:
                raise ValueError(f"Expected a positive number. Received: {name}={value}")
        self.units = units
        self.filters = filters
        self.kernel_size = kernel_size
        self.dynamic_filters = dynamic_filters
        self.prior_length = prior_length
        self.prior_alpha = prior_alpha
        self.prior_beta = prior_beta
        self.convolution = centred_convolution(filters, kernel_size, self.dtype_policy)
        self.static_projection = self._dense(units, "static_projection", use_bias=False)
        self.dynamic_projection = self._dense(units, "dynamic_projection", use_bias=False)
        self.hidden = self._dense(units, "hidden", activation="tanh")
        self.kernel_projection = self._dense(kernel_size * dynamic_filters, "kernel_projection", use_bias=False)

    def _dense(self, units, name, **options):
        return keras.layers.Dense(units, name=name, dtype=self.dtype_policy, **options)

    def build(self, query_shape, key_shape):
        self.convolution.build((None, None, 1))
        self.static_projection.build((None, None, self.filters))
        self.dynamic_projection.build((None, None, self.dynamic_filters))
        self.hidden.build(query_shape)
        self.kernel_projection.build((None, self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.energy = self.add_weight(name="energy", shape=(self.units,), initializer=energy_initializer())

    def prepare(self, key, mask=None):
        mask = masking.both(mask, ops.ones(ops.shape(key)[:2], dtype="bool"))
        return {"first": ops.logical_and(mask, masking.positions(mask) == 0)}

    def initial_state(self, memory, alignment):
        return {"previous": ops.cast(memory["first"], alignment.dtype)}

    def dynamic_features(self, query, alignment):
        """The alignment ``(batch, Tv)`` seen through the filters of a query: ``(batch, Tv, dynamic_filters)``."""
        kernel = self.kernel_projection(self.hidden(query[:, 0]))
        kernel = ops.reshape(kernel, (-1, self.kernel_size, self.dynamic_filters))
        reach = self.kernel_size // 2
        return ops.matmul(ops.cast(windows(alignment, reach, reach), kernel.dtype), kernel)

    def score(self, query, memory, state):
        previous = state["previous"]
        static = self.static_projection(convolve(self.convolution, previous[..., None]))
        dynamic = self.dynamic_projection(self.dynamic_features(query, previous))
        bias = ops.broadcast_to(ops.cast(self.bias, static.dtype), (ops.shape(static)[0], 1, self.bias.shape[0]))
        energies = additive_scores(bias, static + dynamic, self.energy)
        steps = beta_binomial(self.prior_length, self.prior_alpha, self.prior_beta)
        return energies + log_prior(previous, steps)[:, None, :]

    def next_state(self, state, alignment, query, memory):
        return {"previous": alignment}

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "dynamic_filters": self.dynamic_filters,
            "prior_length": self.prior_length,
            "prior_alpha": self.prior_alpha,
            "prior_beta": self.prior_beta,
        }
