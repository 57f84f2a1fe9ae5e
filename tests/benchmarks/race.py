"""Two contestants in turn: only one works at a time, so that both see the same machine."""

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
_TURN = 0.15  # seconds
_PAUSE = 0.05  # seconds between turns: threads that wait by spinning have gone to sleep by then
_CLEANING = 2.0  # seconds that are waited at most for one that still gives memory back after its turn
_OTHERS = 0.15  # cores that other processes may take in a round
_PATIENCE = 4  # rounds that are tried for each one that shall count


class Failed(Exception):
    """A contestant has ended; the text is the last line that it wrote."""


class Process:
    """Contestants, mostly one, at the other end of a pipe; see `contestant.py`.

    Args:
        python: the interpreter, of the environment that has what they need.
        *contestants: each a `Contestant` of the catalogue; the variables are those of the first.

    Raises:
        Failed: one could not prepare itself, or later run.
    """

    def __init__(self, python, *contestants):
        self._errors = tempfile.TemporaryFile("w+")
        arguments = [part for one in contestants for part in (one.module, one.function, json.dumps(one.options))]
        self._process = subprocess.Popen(
            [str(python), str(FOLDER / "contestant.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT), **contestants[0].variables},
        )

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(self, **command):
        """The answer to a command."""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(command), file=self._process.stdin, flush=True)
        return self.answer()

    def answer(self):
        """The next answer."""
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._errors.seek(0)
            lines = self._errors.read().strip().splitlines() or ["it wrote nothing"]
            raise Failed(f"exit code {code}: {lines[-1]}")
        return json.loads(line)


def race(contestants, rounds, progress=lambda: None, together=False):
    """Let contestants run in turn, after each has run to warm up.

    A round counts only if the machine was free: threads that wait for each other by spinning, as those of torch do,
    take ten times as long when another process holds a core, and the ratio would be one of luck.

    Args:
        contestants: pairs of interpreter and contestant; one alone is measured all the same.
        rounds: rounds that count.
        progress: called after each of them.
        together: whether they share one process, with the interpreter of the first.

    Returns:
        A list of dicts: `seconds` of every round, `megabytes`, `idle` and `versions` of each contestant.

    Raises:
        Failed: one of them ended before the end, or the machine was not free.
    """
    with contextlib.ExitStack() as stack:
        runners, results = [], []
        for group in [contestants] if together else [[one] for one in contestants]:
            process = stack.enter_context(Process(group[0][0], *(contestant for _, contestant in group)))
            ready = process.answer()
            runners += [(process, number) for number in range(len(group))]
            results += [{**ready, "seconds": []} for _ in group]
        for process, number in runners * 2:  # the first time it compiles, and may have no time left for more
            process.ask(do="run", who=number, seconds=_TURN)
        others = []
        while len(results[0]["seconds"]) < rounds:
            # There and back, since who comes after the other may be the faster one for that alone.
            there = [_turn(*runner) for runner in runners]
            back = [_turn(*runner) for runner in reversed(runners)][::-1]
            others.append(max(busy for _, busy in (*there, *back)))
            if others[-1] <= _OTHERS:
                for result, (first, _), (second, _) in zip(results, there, back, strict=True):
                    result["seconds"].append((first + second) / 2)
                progress()
            elif len(others) >= _PATIENCE * rounds:
                taken = statistics.median(others)
                raise Failed(f"the machine is not free: other processes take {taken:.1f} cores; nothing was measured")
        for (process, number), result in zip(runners, results, strict=True):
            result |= process.ask(do="report", who=number)
    return results


def race_together(contestants, rounds, processes, progress=lambda: None):
    """What `race` returns, of several new processes that all contestants share, among which the rounds are divided.

    `megabytes` and `idle` are those of processes of their own.
    """
    results = race(contestants, 1)
    every = [race(contestants, -(-rounds // processes), progress, together=True) for _ in range(processes)]
    for number, result in enumerate(results):
        result["seconds"] = [seconds for one in every for seconds in one[number]["seconds"]]
    return results


def _turn(process, number):
    """Seconds of a run, and how many cores other processes took meanwhile."""
    waited, at_work = 0.0, True
    while at_work and waited < _CLEANING:
        _, others = _watch(process, lambda: time.sleep(_PAUSE))
        waited, at_work = waited + _PAUSE, others > _OTHERS
    answer, others = _watch(process, lambda: process.ask(do="run", who=number, seconds=_TURN))
    return answer["seconds"], others


def _watch(process, do):
    """What a function returns, and how many cores all processes but one took meanwhile."""
    start, before = time.perf_counter(), _taken_by_others(process.pid)
    result = do()
    return result, (_taken_by_others(process.pid) - before) / (time.perf_counter() - start)


def _taken_by_others(pid):
    """CPU seconds of all processes but one, ended ones too, and those that the host kept from this machine.

    They are asked one by one: of the time of all together, the kernel's work on the memory of that one is a part.
    """
    others = (one.info["cpu_times"] for one in psutil.process_iter(["cpu_times"]) if one.pid != pid)
    steal = getattr(psutil.cpu_times(), "steal", 0.0)
    # What an ended process took is among what the children of its parent took.
    return steal + sum(one.user + one.system + one.children_user + one.children_system for one in others if one)


def quartiles(numbers):
    """Lower quartile, median and upper quartile.

    >>> quartiles([1, 2, 3, 4, 5])
    [2.0, 3.0, 4.0]
    """
    return [numbers[0]] * 3 if len(numbers) == 1 else statistics.quantiles(numbers, n=4, method="inclusive")


def ratios(ours, peer):
    """Quartiles of the ratios of the rounds: each compares what ran one right after the other.

    >>> ratios([1.0, 1.0, 1.0], [2.0, 4.0, 2.0])
    [0.375, 0.5, 0.5]
    """
    return quartiles([one / other for one, other in zip(ours, peer, strict=True)])
