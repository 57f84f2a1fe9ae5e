"""All benchmarks."""

import dataclasses

from tests.benchmarks import all_queries, decoder_steps, growth, recogniser


def _layers(backend):
    for benchmark in (*decoder_steps.benchmarks(backend), *all_queries.benchmarks(backend)):
        prefix = "" if backend == "tensorflow" else f"{backend}-"
        yield dataclasses.replace(benchmark, name=prefix + benchmark.name)


BENCHMARKS = [*_layers("tensorflow"), *recogniser.benchmarks(), *_layers("jax"), *_layers("torch")]
GROWTHS = [*growth.growths()]
