"""Measures the memory that attention to a long recording takes, and draws docs/memory.png.

    python docs/measure_memory.py

Twenty queries attend to a memory of up to 10,000 frames (256 features, additive scorer with 128 units but for
LocalGaussian). Each figure is what the call adds to the largest resident size of a process of its own.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

QUERIES, FEATURES = 20, 256
FRAMES = (100, 300, 1000, 3000, 10000)
PAIRS = {
    "additive, softmax": ("additive", "softmax"),
    "local_gaussian": ("local_gaussian", "softmax"),
    "window": ("additive", "window"),
    "monotonic": ("additive", "monotonic"),
    "mocha": ("additive", "mocha"),
    "stepwise_monotonic": ("additive", "stepwise_monotonic"),
    "forward": ("additive", "forward"),
}


def measure(scorer, alignment, frames):
    """Megabytes that one call takes at most, in this process."""
    import numpy as np
    import tensorflow as tf

    from keras_attn import Attention

    layer = Attention(scorer, alignment)

    @tf.function(input_signature=[tf.TensorSpec((1, None, FEATURES)), tf.TensorSpec((1, None, FEATURES))])
    def attend(queries, memory):
        return layer(queries, memory, return_attention_scores=True)

    rng = np.random.default_rng(0)
    queries, memory = (rng.normal(size=(1, length, FEATURES)).astype("float32") for length in (QUERIES, frames))
    attend(queries[:, :2], memory[:, :10])  # whatever a first call takes
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    context, _ = attend(queries, memory)
    assert np.isfinite(context).all()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main():
    if len(sys.argv) > 1:  # in a process of its own
        print(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
        return
    from matplotlib.figure import Figure

    figures = {}
    for name, pair in PAIRS.items():
        figures[name] = []
        for frames in FRAMES:
            command = [sys.executable, __file__, *pair, str(frames)]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            figures[name].append(round(float(run.stdout.split()[-1]), 1))
        print(f"{name:20}", dict(zip(FRAMES, figures[name], strict=True)), flush=True)
    figure = Figure((7, 4), layout="constrained")
    axes = figure.subplots()
    for name, megabytes in figures.items():
        axes.plot(FRAMES, megabytes, marker="o", label=name)
    axes.set(xlabel="frames", ylabel="peak memory of the call (MB)", title=f"{QUERIES} queries, {FEATURES} features")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    figure.savefig(ROOT / "docs" / "memory.png", dpi=90)
    (ROOT / "docs" / "memory.json").write_text(json.dumps({"frames": FRAMES, "megabytes": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
