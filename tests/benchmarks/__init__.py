"""Benchmarks: the same work by this package and by its peers, in turn, in one run. See `python -m tests.benchmarks -h`."""
