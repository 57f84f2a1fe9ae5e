"""What a process goes through to its first transcript: `python cold_start.py SAVED_MODEL` prints seconds as JSON."""

import importlib
import json
import statistics
import sys
import time

_SECONDS = 3.0


def main(saved_model):
    seconds, last = {}, time.perf_counter()

    def phase(name):
        nonlocal last
        now = time.perf_counter()
        seconds[name], last = now - last, now

    importlib.import_module("keras")
    tensorflow = importlib.import_module("tensorflow")
    phase("import keras, and TensorFlow with it")
    importlib.import_module("keras_attn")
    phase("import keras_attn")
    model = tensorflow.saved_model.load(saved_model)
    phase("load saved_models/digits")
    waveform = _noise(tensorflow, round(_SECONDS * int(model.sample_rate)))
    last = time.perf_counter()
    model.transcribe(waveform, [waveform.shape[1]])
    phase("first transcript, of 3 s")
    times = []
    for _ in range(10):
        last = time.perf_counter()
        model.transcribe(waveform, [waveform.shape[1]])
        times.append(time.perf_counter() - last)
    seconds["each further one"] = statistics.median(times)
    print(json.dumps(seconds))


def _noise(tensorflow, samples):
    return 0.1 * tensorflow.random.stateless_normal((1, samples), (0, 0))


if __name__ == "__main__":
    main(*sys.argv[1:])
