"""One contestant or more in a process: they prepare, then run and report as they are told.

    python contestant.py MODULE FUNCTION OPTIONS [MODULE FUNCTION OPTIONS ...]

`FUNCTION` of `contestants/MODULE.py`, given the options (JSON), prepares all data and weights and returns what runs
once. Commands come as lines of JSON on the standard input, for contestant number `"who"` (0 if left out), and are
answered on the standard output:

| command | answer |
|---|---|
| (none, at the start) | `versions`, once all is prepared |
| `{"do": "run", "seconds": s}` | `seconds` of a run, the mean of those that fit into `s` |
| `{"do": "report"}` | `megabytes` that the runs took at most, `idle`, CPU time per second while it was not its turn |

Only the standard library is used here, as every environment has it. The variable CORES says how many it may use.
"""

import importlib
import json
import os
import resource
import sys
import time


class Contestant:
    """Runs a function in turns, and keeps account of memory and of what happens between the turns."""

    def __init__(self, run):
        self.run_once = run
        self.before = _peak()
        self.idle_cpu = self.idle_wall = 0.0
        self.left = None  # CPU time and time at the end of the last turn

    def run(self, seconds):
        start = time.perf_counter()
        if self.left:
            self.idle_cpu += time.process_time() - self.left[0]
            self.idle_wall += start - self.left[1]
        count = 0
        while not count or time.perf_counter() - start < seconds:
            self.run_once()
            count += 1
        end = time.perf_counter()
        self.left = time.process_time(), end
        return {"seconds": (end - start) / count}

    def report(self):
        return {"megabytes": (_peak() - self.before) / 1024, "idle": self.idle_cpu / max(self.idle_wall, 1e-9)}


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(*jobs):
    if "CORES" in os.environ:
        os.sched_setaffinity(0, range(int(os.environ["CORES"])))
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no reply

    def reply(message):
        print(json.dumps(message), file=replies, flush=True)

    contestants, versions = [], {}
    for module, function, options in zip(jobs[::3], jobs[1::3], jobs[2::3], strict=True):
        module = importlib.import_module(f"contestants.{module}")
        contestants.append(Contestant(getattr(module, function)(**json.loads(options))))
        versions.update(module.versions())
    reply({"versions": versions})
    for line in sys.stdin:
        command = json.loads(line)
        contestant = contestants[command.pop("who", 0)]
        reply(getattr(contestant, command.pop("do"))(**command))


if __name__ == "__main__":
    main(*sys.argv[1:])
