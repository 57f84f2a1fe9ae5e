"""How time and memory of our own grow with the work, forward and backward unless it says otherwise."""

import dataclasses
import math
import statistics

from tests.benchmarks.benchmark import Contestant, Growth
from tests.benchmarks.environments import interpreter
from tests.benchmarks.race import Process

_STEPS = {"batch": 4, "frames": 100, "dim": 128, "lstm": 128, "steps": 10, "input_dim": 32}
_ALL = {"batch": 1, "queries": 100, "frames": 1000, "dim": 64, "jit_compile": False}
_DECODING = {"batch": 1, "frames": 120, "bands": 80, "units": 128, "lstm": 256, "vocabulary": 30, "steps": 30}
_TRAINING = {"batch": 8, "frames": 120, "bands": 80, "units": 128, "lstm": 256, "vocabulary": 30, "length": 32}
_LONG = (100, 300, 1000, 3000, 10000)
_TURN = 0.3  # seconds


def growths():
    """Of the length of memories and texts, and of every other size."""
    for scorer in ("additive", "location_aware"):
        yield _of_steps(f"frames-{scorer}", scorer, "frames", _LONG, linear=True)
    yield _of_steps("steps-location_aware", "location_aware", "steps", (10, 30, 100, 300, 1000), linear=True)
    yield _of_steps("batch-location_aware", "location_aware", "batch", (1, 4, 16, 64, 256))
    for name, scorer, options, changed, values in (
        ("queries-additive", "Additive", {"units": 64}, "queries", _LONG),
        ("heads-projected_dot", "ProjectedDot", {"units": 64}, "heads", (1, 2, 4, 8, 16)),
    ):
        ours = Contestant("keras_attn_layers", "attention", {"scorer": scorer, "options": options, **_ALL})
        yield Growth(name, _work(f"{scorer} attention of all queries at once", _ALL, changed), ours, changed, values)
    ours = Contestant("keras_attn_recogniser", "decoding", _DECODING)
    work = _work("decoding with the SavedModel, forward alone", _DECODING, "beam_width")
    yield Growth("beams-decoding", work, ours, "beam_width", (1, 2, 4, 8, 16, 32))
    ours = Contestant("keras_attn_recogniser", "training_step", _TRAINING)
    work = _work("a training step of the recogniser", _TRAINING, "vocabulary")
    yield Growth("vocabulary-training", work, ours, "vocabulary", (30, 100, 300, 1000, 3000, 10000))


def _of_steps(name, scorer, changed, values, linear=False):
    ours = Contestant("keras_attn_layers", "decoder_steps", {"scorer": scorer, **_STEPS})
    return Growth(
        name, _work(f"decoder steps, {scorer}", _STEPS, changed), ours, changed, values, 1.1 if linear else None
    )


def _work(what, sizes, changed):
    sizes = {name: size for name, size in sizes.items() if name not in ("jit_compile", changed)}
    return f"{what}: " + ", ".join(f"{name} {size}" for name, size in sizes.items())


def measure(growth, rounds, progress=lambda: None):
    """Seconds and megabytes of every value, each in a process of its own."""
    about = {name: getattr(growth, name) for name in ("work", "goal", "changed", "values")}
    result = {**about, "seconds": [], "megabytes": []}
    for value in growth.values:
        contestant = dataclasses.replace(growth.ours, options=growth.ours.options | {growth.changed: value})
        with Process(interpreter(contestant.environment), contestant) as process:
            result["versions"] = process.answer()["versions"]
            process.ask(do="run", seconds=_TURN)
            turns = [process.ask(do="run", seconds=_TURN)["seconds"] for _ in range(rounds)]
            result["seconds"].append(statistics.median(turns))
            result["megabytes"].append(process.ask(do="report")["megabytes"])
        progress()
    return result


def exponent(values, costs):
    """The slope of costs over values, both as logarithms, by least squares over the last three.

    >>> round(exponent([1, 10, 100, 1000], [5.0, 5.0, 50.0, 500.0]), 3)
    1.0
    """
    x, y = ([math.log(max(number, 1e-9)) for number in numbers[-3:]] for numbers in (values, costs))
    return statistics.linear_regression(x, y).slope
