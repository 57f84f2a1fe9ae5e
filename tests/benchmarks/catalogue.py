"""All benchmarks."""

from tests.benchmarks import decoder_steps

BENCHMARKS = [*decoder_steps.benchmarks()]
