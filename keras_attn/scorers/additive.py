"""A network with one hidden layer over query and key."""

import keras

from keras_attn import compiled, deferred, masking
from keras_attn.scorers import additive_step
from keras_attn.scorers.additive_scores import additive_scores
from keras_attn.scorers.scorer import Scorer
from keras_attn.scorers.unit_vectors import unit_vectors


@keras.saving.register_keras_serializable(package="keras_attn")
class Additive(Scorer):
    """A network with one hidden layer over query and key.

    ``score(q, h_j) = v . tanh(U q + W h_j + b)``

    ``U`` (units, query_dim), ``W`` (units, key_dim), ``b`` and ``v`` (units) are weights, named
    after the paper's ``W_a``, ``U_a`` and ``v_a``; the paper has no ``b``. ``W h_j`` is made
    once per utterance. Luong's "concat" is the same function, as one product ``[U W] [q; h_j]``.

    Args:
        units: Size of the hidden layer.
        use_bias: Whether there is a ``b``.
        normalize: Whether ``g v / |v|`` stands for ``v``, where ``g`` is a weight that starts at
            ``1 / sqrt(units)``: training then sets the size of the scores apart from their pattern.

    Reference: Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to Align
    and Translate", 2015, arXiv:1409.0473, appendix A.1.2; normalised: Salimans and Kingma, "Weight
    Normalization", 2016, arXiv:1602.07868.

    >>> scorer = Additive(units=8, name="additive")
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> sorted(weight.path for weight in scorer.weights)[:2]
    ['additive/energy', 'additive/key_projection/kernel']
    """

    def __init__(self, units=128, use_bias=True, normalize=False, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias
        self.normalize = normalize
        self.query_projection = keras.layers.Dense(
            units, use_bias=use_bias, name="query_projection", dtype=self.dtype_policy
        )
        self.key_projection = keras.layers.Dense(units, use_bias=False, name="key_projection", dtype=self.dtype_policy)

    def build(self, query_shape, key_shape):
        self.query_projection.build(query_shape)
        self.key_projection.build(key_shape)
        self.energy = self.add_weight(name="energy", shape=(self.units,), initializer=energy_initializer())
        if self.normalize:
            start = keras.initializers.Constant(self.units**-0.5)
            self.scale = self.add_weight(name="scale", shape=(), initializer=start)

    def prepare(self, key, mask=None):
        key = self.key_projection(key)
        return {"key": key, "step": additive_step.prepare(key)} if compiled.by_xla() else {"key": key}

    def score(self, query, memory, state):
        energy = self.energy
        if self.normalize:
            energy = masking.at_least_float32(self.scale) * unit_vectors(energy)
        query = deferred.dense(self.query_projection, query)
        if query.shape[1] == 1 and "step" in memory:
            return additive_step.scores(query, memory["step"], energy)
        return additive_scores(query, memory["key"], energy)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "normalize": self.normalize,
        }


def energy_initializer():
    """Initialiser of ``v``: unit variance of the scores of independent hidden units of size 1."""
    return keras.initializers.VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform")
