"""All benchmarks."""

from tests.benchmarks import all_queries, decoder_steps, recogniser

BENCHMARKS = [*decoder_steps.benchmarks(), *all_queries.benchmarks(), *recogniser.benchmarks()]
