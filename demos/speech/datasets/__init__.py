"""Speech datasets that this demo brings with it or puts together."""
