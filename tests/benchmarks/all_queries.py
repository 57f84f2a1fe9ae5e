"""Attention of all queries at once, forward and backward, against the layers of Keras.

The same work on either side: where ours projects queries and keys to the units of the score, the layer of Keras, which
has no projections, stands behind two `Dense` layers of that size. The values are the keys before the projection.
"""

from tests.benchmarks.benchmark import Benchmark, Contestant

_SIZES = {  # batch, queries, frames, dimension
    "small": (8, 50, 100, 128),
    "speech": (32, 50, 100, 256),
    "long": (8, 512, 512, 128),
}
_VERY_LONG = (1, 8192, 8192, 64)
_GOALS = {"long": {"goal": 0.2, "memory_goal": 0.06}}  # of the additive score


def benchmarks(backend):
    """Additive in a plain graph, where no layer of Keras has the memory for the longest; dot also compiled by XLA."""
    very_long = {"very-long": _VERY_LONG} if backend == "tensorflow" else {}
    for name, sizes in _SIZES.items():
        yield _benchmark(backend, "additive", name, sizes, 128, False, **_GOALS.get(name, {}))
    for name, sizes in (_SIZES | very_long).items():
        for jit_compile in (False, True) if backend == "tensorflow" else (False,):
            yield _benchmark(backend, "dot", name, sizes, None, jit_compile, goal=1.0, together=9)
    options = {"scorer": "Additive", "options": {"units": 64}, "jit_compile": False, **_shape(_VERY_LONG)}
    ours = Contestant.on_backend(backend, "keras_attn_layers", "attention", options)
    yield Benchmark("additive-very-long", _work("additive", _VERY_LONG, False), ours)


def _benchmark(backend, score, name, sizes, units, jit_compile, **more):
    shape = {**_shape(sizes), "jit_compile": jit_compile}
    units = {"units": units} if units else {}
    ours = {"scorer": score.capitalize(), "options": units, **shape}
    ours = Contestant.on_backend(backend, "keras_attn_layers", "attention", ours)
    peer = Contestant.on_backend(backend, "keras_layers", score, {**units, **shape})
    peer_name = {"additive": "keras AdditiveAttention", "dot": "keras Attention"}[score]
    name = f"{score}-{name}{'-xla' if jit_compile else ''}"
    return Benchmark(name, _work(score, sizes, jit_compile), ours, peer, peer_name, **more)


def _work(score, sizes, jit_compile):
    return f"{score} attention, {' x '.join(map(str, sizes))}, forward and backward{', XLA' if jit_compile else ''}"


def _shape(sizes):
    return dict(zip(("batch", "queries", "frames", "dim"), sizes, strict=True))
