"""The parts under contract, and the tools to hold them to it on every backend.

A member of a registry takes part by being registered; parts as a user would write them stand
beside the built-in ones.
"""

import dataclasses
import inspect

import keras
import numpy as np
from keras import ops

from keras_attn import Attention, alignments, loops, masking, scorers
from keras_attn.registry import snake_case

BATCH, TQ, TV, QUERY_DIM, KEY_DIM, VALUE_DIM = 2, 3, 5, 6, 4, 7

# Arguments that make a member small.
SIZES = {"units": 8, "filters": 3, "kernel_size": 3}
# Alignment functions whose weights need not add up to 1.
UNNORMALIZED = {"independent_sigmoids", "forward_only"}


@keras.saving.register_keras_serializable(package="contract")
class Bilinear(scorers.Scorer):
    """A scorer of ten lines."""

    def build(self, query_shape, key_shape):
        self.matrix = self.add_weight(name="matrix", shape=(query_shape[-1], key_shape[-1]))

    def score(self, query, memory, state):
        return ops.matmul(ops.matmul(query, self.matrix), ops.swapaxes(memory["key"], 1, 2))


@keras.saving.register_keras_serializable(package="contract")
def product_of_means(query, key):
    """A plain function as a scorer."""
    return ops.mean(query, axis=-1)[:, :, None] * ops.mean(key, axis=-1)[:, None, :]


@keras.saving.register_keras_serializable(package="contract")
def independent_sigmoids(scores, mask):
    """A plain function as an alignment function; Attention masks its result."""
    return ops.sigmoid(scores)


@keras.saving.register_keras_serializable(package="contract")
class ForwardOnly(alignments.Alignment):
    """A recurrent alignment function of ten lines: each weight stays or moves one element on."""

    recurrent = True

    def align(self, scores, mask, previous=None, training=None):
        moved = ops.pad(previous, [[0, 0], [1, 0]])[:, :-1]
        return masking.normalize((previous + moved) * masking.masked_softmax(scores, mask))


SCORERS = [*scorers.registry.members.values(), Bilinear, product_of_means]
ALIGNMENTS = [*alignments.registry.members.values(), independent_sigmoids, ForwardOnly]


def name_of(part):
    return snake_case(part.__name__)


def make(registry, part, dtype="float32"):
    """A small instance of `part`, a class or a function, with a name that does not depend on the process."""
    options = {"dtype": dtype, "name": name_of(part)}
    if not inspect.isclass(part):
        return registry.wrap_function(part, **options)
    return part(**{key: SIZES[key] for key in inspect.signature(part).parameters if key in SIZES}, **options)


def takes_different_dims(scorer):
    """Whether query_dim and key_dim may differ; if not, `build` says so with a ValueError."""
    try:
        make(scorers.registry, scorer).build((None, None, QUERY_DIM), (None, None, KEY_DIM))
    except ValueError:
        return False
    return True


@dataclasses.dataclass(frozen=True)
class Pair:
    """A scorer and an alignment function, each a class or a function."""

    scorer: object
    alignment: object

    def __str__(self):
        return f"{name_of(self.scorer)}-{name_of(self.alignment)}"

    @property
    def key_dim(self):
        return KEY_DIM if takes_different_dims(self.scorer) else QUERY_DIM

    def layer(self, dtype="float32", name="attention"):
        scorer = make(scorers.registry, self.scorer, dtype)
        return Attention(scorer, make(alignments.registry, self.alignment, dtype), dtype=dtype, name=name)

    def arrays(self, batch=BATCH, tq=TQ, tv=TV, dtype="float32", seed=0):
        """Random query, value and key."""
        rng = np.random.default_rng(seed)
        shapes = (batch, tq, QUERY_DIM), (batch, tv, VALUE_DIM), (batch, tv, self.key_dim)
        return [rng.normal(size=shape).astype(dtype) for shape in shapes]

    def model(self, inputs=None):
        """A functional model, None for batch, Tq and Tv, that returns context and alignment."""
        inputs = inputs or [keras.Input((None, dim)) for dim in (QUERY_DIM, VALUE_DIM, self.key_dim)]
        return keras.Model(inputs, self.layer(name=str(self))(*inputs, return_attention_scores=True))


PAIRS = [Pair(scorer, alignment) for scorer in SCORERS for alignment in ALIGNMENTS]


def masks(tq=TQ, tv=TV, seed=1):
    """Masks for two rows, by the name of their call argument: a hole and right padding in the values,
    left padding in the queries, and pairs drawn at random."""
    value_mask, query_mask = np.ones((2, 2, max(tq, tv)), bool)
    value_mask[0, 1] = value_mask[1, tv // 2 + 1 :] = False
    query_mask[1, : tq // 2] = False
    pairs = np.random.default_rng(seed).random((2, tq, tv)) < 0.7
    return {"value_mask": value_mask[:, :tv], "query_mask": query_mask[:, :tq], "attention_mask": pairs}


def to_numpy(nest):
    """Every tensor of `nest` as an array; half precision as float32."""

    def convert(x):
        dtype = keras.utils.standardize_dtype(x.dtype)
        return ops.convert_to_numpy(ops.cast(x, "float32") if dtype in ("float16", "bfloat16") else x)

    return keras.tree.map_structure(convert, nest)


def assert_same(first, second):
    """Equal bit for bit."""
    for one, other in zip(keras.tree.flatten(first), keras.tree.flatten(second), strict=True):
        np.testing.assert_array_equal(one, other)


def assert_close(first, second, tolerance=1e-5):
    for one, other in zip(keras.tree.flatten(first), keras.tree.flatten(second), strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance, rtol=tolerance)


def unroll(layer, query, value, key, value_mask=None, query_mask=None, attention_mask=None, use_causal_mask=False):
    """What `layer` should return, by its steps."""
    memory = layer.prepare(value, key, value_mask)
    state, contexts, alignment = layer.initial_state(memory), [], []
    for i in range(query.shape[1]):
        real = np.ones(query.shape[0], bool) if query_mask is None else query_mask[:, i]
        mask = np.ones((query.shape[0], value.shape[1]), bool) if attention_mask is None else attention_mask[:, i]
        if use_causal_mask:
            mask = mask & (np.arange(value.shape[1]) <= i)
        context, after = layer.step(query[:, i], memory, state, mask=ops.convert_to_tensor(mask))
        contexts.append(np.where(real[:, None], to_numpy(context), 0))
        alignment.append(np.where(real[:, None], to_numpy(after["alignment"]), 0))
        state = loops.where_real(ops.convert_to_tensor(real), after, state)
    return np.stack(contexts, axis=1), np.stack(alignment, axis=1)


def gradients(function, variables):
    """Gradients of the scalar ``function()`` with respect to Keras variables, on any backend, as arrays."""
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = function()
        grads = tape.gradient(value, [variable.value for variable in variables])
    elif backend == "jax":
        import jax

        def stateless(values):
            with keras.StatelessScope(list(zip(variables, values, strict=True))):
                return function()

        grads = jax.grad(stateless)([variable.value for variable in variables])
    else:
        for variable in variables:
            variable.value.grad = None
        function().backward()
        grads = [variable.value.grad for variable in variables]
    return [
        np.zeros(variable.shape, "float32") if grad is None else to_numpy(ops.convert_to_tensor(grad))
        for grad, variable in zip(grads, variables, strict=True)
    ]


def weighed(outputs, seed=2):
    """A scalar that depends on every element of `outputs` in its own way."""
    rng = np.random.default_rng(seed)
    dtype = masking.accumulation_dtype(outputs[0].dtype)
    weights = [ops.convert_to_tensor(rng.normal(size=output.shape), dtype=dtype) for output in outputs]
    return sum(ops.sum(ops.cast(output, dtype) * weight) for output, weight in zip(outputs, weights, strict=True))
