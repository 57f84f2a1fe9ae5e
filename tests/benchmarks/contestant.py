"""One side of a benchmark, in a process of its own, in whatever environment its library needs.

    python contestant.py FILE FUNCTION SIZES

`FUNCTION` of `FILE` takes the sizes (a JSON object) as keyword arguments and returns a function without
arguments, which does the work once. Every line on standard input is a command, answered by a line of JSON: ``run N``
does the work N times and gives the seconds of each; ``memory`` gives the bytes by which the largest
resident size has grown since everything was prepared.
"""

import importlib.util
import json
import os
import resource
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def peak():
    """The largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(path, function, sizes):
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    spec = importlib.util.spec_from_file_location("contestants", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    work = getattr(module, function)(**json.loads(sizes))
    before = peak()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "run":
            answer = [timed(work) for _ in range(int(arguments[0]))]
        else:
            answer = peak() - before
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
