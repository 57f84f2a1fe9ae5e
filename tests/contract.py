"""The parts under contract, small, and the inputs on which they are held to it.

A member of a registry takes part by being registered. The parts of the README, read out of its
examples, stand beside the built-in ones, and so do some of them around each other.

With the environment variable ``CONTRACT=all`` every pair is under test, else some in which every part occurs.
"""

import contextlib
import dataclasses
import functools
import inspect
import io
import os
import re
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_attn import Attention, alignments, loops, masking, registry, scorers
from tests.backends import assert_close, assert_same, fast, gradients, to_numpy  # noqa: F401

# No two are equal, and a layer that confuses them fails.
BATCH, TQ, HEADS, TV, QUERY_DIM, KEY_DIM, VALUE_DIM = 2, 3, 4, 5, 6, 7, 8

# Arguments that make a member small.
SIZES = {"units": 8, "filters": 3, "kernel_size": 3, "heads": HEADS}


@keras.saving.register_keras_serializable(package="contract")
def product_of_means(query, key):
    """A plain function as a scorer."""
    return ops.mean(query, axis=-1)[:, :, None] * ops.mean(key, axis=-1)[:, None, :]


@keras.saving.register_keras_serializable(package="contract")
def independent_sigmoids(scores, mask):
    """A plain function as an alignment function; Attention masks its result."""
    return ops.sigmoid(scores)


def registered_in_the_readme():
    """The classes that the section of the README on the parts registers, by their registered names."""
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    section = re.search(r"^## The parts$(.*?)^## ", readme, flags=re.DOTALL | re.MULTILINE)[1]
    names = {"__name__": "readme"}
    with contextlib.redirect_stdout(io.StringIO()):
        for code in re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL):
            exec(code, names)
    mine = [x for x in names.values() if callable(x) and getattr(x, "__module__", None) == "readme"]
    return {keras.saving.get_registered_name(x): x for x in mine}


USERS = registered_in_the_readme()


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A scorer or an alignment function, and how an instance is made: `options` may hold other parts."""

    registry: registry.Registry
    given: object  # a class or a function
    options: dict = dataclasses.field(default_factory=dict)
    name: str = ""

    def __str__(self):
        return self.name or registry.snake_case(self.given.__name__)

    @property
    def names(self):
        """Its name, or those of the parts around each other."""
        return set(str(self).split("_of_"))

    @property
    def role(self):
        return "scorer" if self.registry is scorers.registry else "alignment"

    def make(self, dtype="float32"):
        """A small instance with a name that does not depend on the process."""
        common = {"dtype": dtype, "name": str(self)}
        if not inspect.isclass(self.given):
            return self.registry.wrap_function(self.given, **common)
        options = {name: SIZES[name] for name in inspect.signature(self.given).parameters if name in SIZES}
        for name, value in self.options.items():
            options[name] = value.make(dtype) if isinstance(value, Part) else value
        return self.given(**options, **common)

    def around(self, inner):
        """This part around another one."""
        return dataclasses.replace(self, options={inner.role: inner}, name=f"{self}_of_{inner}")


def parts_of(family, *functions):
    """The members of a family, and what users add to it."""
    users = [user for user in USERS.values() if inspect.isclass(user) and issubclass(user, family.base)]
    return {str(part): part for part in (Part(family, x) for x in [*family.members.values(), *users, *functions])}


SCORERS = parts_of(scorers.registry, product_of_means)
ALIGNMENTS = parts_of(alignments.registry, independent_sigmoids)
# Parts around parts, beside the defaults: outside and inside by name.
AROUND = [
    ("multi_head", "location_aware"),
    ("relative_position", "multi_head"),
    ("alibi", "coverage"),
    ("window", "monotonic"),
    ("window", "nearby"),
]
for outer, inner in AROUND:
    for parts in (SCORERS, ALIGNMENTS):
        if outer in parts:
            part = parts[outer].around(parts[inner])
            parts[str(part)] = part


@functools.cache
def takes_different_dims(scorer):
    """Whether query_dim and key_dim may differ; if not, `build` of a member says so with a ValueError."""
    if scorer.given in USERS.values():
        return False
    try:
        scorer.make().build((None, None, QUERY_DIM), (None, None, KEY_DIM))
    except ValueError:
        return False
    return True


@dataclasses.dataclass(frozen=True)
class Pair:
    """A scorer and an alignment function."""

    scorer: Part
    alignment: Part

    def __str__(self):
        return f"{self.scorer}-{self.alignment}"

    def layer(self, dtype="float32", name="attention"):
        """An `Attention` that is not built."""
        return Attention(self.scorer.make(dtype), self.alignment.make(dtype), dtype=dtype, name=name)

    def makes_sense(self):
        try:
            return bool(self.layer())
        except ValueError:
            return False

    @property
    def holds_parts(self):
        return bool(self.scorer.options or self.alignment.options)

    @functools.cached_property
    def dims(self):
        """Last dimensions of query, value and key."""
        return QUERY_DIM, VALUE_DIM, KEY_DIM if takes_different_dims(self.scorer) else QUERY_DIM

    def built(self, dtype="float32"):
        """An `Attention` built from shapes in which batch, Tq and Tv are not known."""
        layer = self.layer(dtype)
        layer.build(*((None, None, dim) for dim in self.dims))
        return layer

    def arrays(self, batch=BATCH, tq=TQ, tv=TV, dtype="float32", seed=0):
        """Random query, value and key."""
        rng = np.random.default_rng(seed)
        return [rng.normal(size=(batch, *shape)).astype(dtype) for shape in zip((tq, tv, tv), self.dims, strict=True)]


EVERY_PAIR = [Pair(scorer, alignment) for scorer in SCORERS.values() for alignment in ALIGNMENTS.values()]
REFUSED = [pair for pair in EVERY_PAIR if not pair.makes_sense()]
SENSIBLE = [pair for pair in EVERY_PAIR if pair not in REFUSED]


def crossed(scorer_names, alignment_names):
    """Sensible pairs in which every part occurs: each scorer with some alignment functions, and the other way round."""
    return [p for p in SENSIBLE if str(p.scorer) in scorer_names or str(p.alignment) in alignment_names]


FEW_PAIRS = crossed(["additive"], ["softmax", "exponential"])
# Both parts recurrent: one loop for two.
TWICE_RECURRENT = {"location_aware-monotonic", "location_aware-window", "coverage-forward_transition"}
PAIRS = SOME_PAIRS = [pair for pair in SENSIBLE if pair in FEW_PAIRS or str(pair) in TWICE_RECURRENT]
if os.environ.get("CONTRACT") == "all":
    PAIRS = [pair for pair in SENSIBLE if pair in SOME_PAIRS or not pair.holds_parts]


def by_scorer(pairs):
    """The pairs of each scorer, by its name."""
    return {name: [pair for pair in pairs if pair.scorer is scorer] for name, scorer in SCORERS.items()}


def masks(tq=TQ, tv=TV, seed=1):
    """Masks for two rows, by the name of their call argument: a hole and right padding in the values,
    left padding in the queries, and pairs drawn at random."""
    value_mask, query_mask = np.ones((2, 2, max(tq, tv)), bool)
    value_mask[0, 1] = value_mask[1, tv // 2 + 1 :] = False
    query_mask[1, : tq // 2] = False
    pairs = np.random.default_rng(seed).random((2, tq, tv)) < 0.7
    return {"value_mask": value_mask[:, :tv], "query_mask": query_mask[:, :tq], "attention_mask": pairs}


def model(pairs):
    """A functional model, None for batch, Tq and Tv: context and alignment of pairs that share their scorer."""
    inputs = [keras.Input((None, dim)) for dim in pairs[0].dims]
    query_mask, value_mask = (keras.Input((None,), dtype="bool") for _ in range(2))
    options = {"query_mask": query_mask, "value_mask": value_mask, "return_attention_scores": True}
    outputs = [pair.layer(name=str(pair))(*inputs, **options) for pair in pairs]
    return keras.Model([*inputs, query_mask, value_mask], keras.tree.flatten(outputs))


def inputs_of_model(pairs, repeats=1):
    """Arrays for `model`; the batch, Tq and Tv grow with `repeats`."""
    arrays = [*pairs[0].arrays(), masks()["query_mask"], masks()["value_mask"]]
    return [np.tile(x, (repeats, repeats, 1)[: x.ndim]) for x in arrays]


def unroll(layer, query, value, key, value_mask, query_mask, attention_mask):
    """What `layer` should return, by its steps."""

    def start(value, key, value_mask):
        memory = layer.prepare(value, key, value_mask)
        return memory, layer.initial_state(memory)

    def step(query, memory, state, mask, real):
        context, after = layer.step(query, memory, state, mask=mask)
        outputs = context, after["alignment"]
        zeros = keras.tree.map_structure(ops.zeros_like, outputs)
        return loops.where_real(real, outputs, zeros), loops.where_real(real, after, state)

    memory, state = fast(start)(value, key, value_mask)
    step, outputs = fast(step), []
    for i in range(query.shape[1]):
        output, state = step(query[:, i], memory, state, attention_mask[:, i], query_mask[:, i])
        outputs.append(output)
    contexts, alignments = zip(*outputs, strict=True)
    return np.stack(contexts, axis=1), np.stack(alignments, axis=-2)


def weighed(outputs, seed=2):
    """A scalar that depends on every element of `outputs` in its own way."""
    rng = np.random.default_rng(seed)
    dtype = masking.accumulation_dtype(outputs[0].dtype)
    weights = [ops.convert_to_tensor(rng.normal(size=output.shape), dtype=dtype) for output in outputs]
    return sum(ops.sum(ops.cast(output, dtype) * weight) for output, weight in zip(outputs, weights, strict=True))
