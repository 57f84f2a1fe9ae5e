"""Two contestants run in turn: medians, their ratio, and its spread."""

import contextlib
import json
import os
import signal
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Time that one turn should take at least, so that what the clock and the scheduler do matters little.
_TURN_SECONDS = 0.5
_MOST_RUNS = 20


class Contestant:
    """A process that does some work when told, and is stopped in between, so that it cannot slow its rival down.

    Use as a context manager.

    Args:
        python: Path of the interpreter.
        path: File, relative to the folder of the contestants.
        function: Its function that prepares the work.
        sizes: Dict of its arguments.
        environment: Environment variables beside those of this process.
    """

    def __init__(self, python, path, function, sizes, environment=None):
        here = Path(__file__).parent
        command = [python, here / "contestant.py", here / "contestants" / path, function, json.dumps(sizes)]
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([str(part) for part in command], env=variables, text=True, **pipes)

    def __enter__(self):
        self._answer()
        self.process.send_signal(signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def run(self, times=1):
        """Do the work so many times; the seconds of each."""
        return self._ask(f"run {times}")

    def memory(self):
        """Bytes by which the process has grown at most since it was prepared."""
        return self._ask("memory")

    def _ask(self, command):
        self.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):  # the answer then says why
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        answer = self._answer()
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            _, errors = self.process.communicate()
            last = (errors.strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"The process ended with status {self.process.returncode}: {last}")
        return json.loads(line)


def run_in_turn(ours, peer, rounds, progress=lambda: None):
    """Let two contestants, or one alone, work in turn.

    Args:
        ours, peer: Contestants; `peer` may be None.
        rounds: How often each has its turn.
        progress: Called after every round.

    Returns:
        A dict: ``"ours"`` and ``"peer"``, each with the median ``"seconds"`` of a run and the ``"memory"`` in bytes;
        ``"ratio"`` and ``"memory_ratio"``; and ``"spread"``, the quartiles of the ratios of the rounds.
    """
    sides = {"ours": ours} if peer is None else {"ours": ours, "peer": peer}
    result, times, medians = {}, {}, {name: [] for name in sides}
    for name, side in sides.items():
        first = side.run()[0]
        result[name] = {"first_seconds": first, "memory": side.memory()}
        times[name] = max(1, min(_MOST_RUNS, int(_TURN_SECONDS / side.run(3)[-1])))
    for _ in range(rounds):
        for name, side in sides.items():
            medians[name].append(statistics.median(side.run(times[name])))
        progress()
    for name, values in medians.items():
        result[name]["seconds"] = statistics.median(values)
    if peer is not None:
        ratios = [ours / peer for ours, peer in zip(medians["ours"], medians["peer"], strict=True)]
        quartiles = statistics.quantiles(ratios, n=4) if rounds > 1 else [ratios[0]] * 3
        result |= {"ratio": statistics.median(ratios), "spread": [quartiles[0], quartiles[2]]}
        result["memory_ratio"] = result["ours"]["memory"] / max(result["peer"]["memory"], 1)
    return result
