"""Runs the benchmarks and writes docs/benchmarks.json, docs/benchmarks.md and docs/growth.png."""

import argparse
import datetime
import fnmatch
import functools
import json
import sys

from tqdm import tqdm

from tests.benchmarks import cold_start, growth
from tests.benchmarks.catalogue import BENCHMARKS, GROWTHS
from tests.benchmarks.environments import Unavailable, interpreter
from tests.benchmarks.machine import commit, machine
from tests.benchmarks.race import ROOT, Failed, race, race_together
from tests.benchmarks.table import page

_JSON, _PAGE, _PICTURE = (ROOT / "docs" / name for name in ("benchmarks.json", "benchmarks.md", "growth.png"))


def parser():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", default=["*"], help="these, such as 'steps-*'")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contestant (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="also those that this commit has results of")
    parser.add_argument("--list", action="store_true", help="say which there are, and run nothing")
    return parser


def measure(benchmark, rounds, progress=lambda: None):
    """The result of a benchmark, as it is written; `trouble` says why there is none of the peer."""
    contestants, trouble = [(interpreter(benchmark.ours.environment), benchmark.ours)], {}
    if benchmark.peer:
        try:
            contestants.append((interpreter(benchmark.peer.environment), benchmark.peer))
        except Unavailable as error:
            trouble = {"trouble": f"not installed: {error}"}
    if benchmark.together:
        run = functools.partial(race_together, processes=benchmark.together)
    else:
        run = race
    sides = dict(zip(("ours", "peer"), run(contestants, rounds, progress=progress), strict=False))
    about = {name: getattr(benchmark, name) for name in ("work", "peer_name", "goal", "memory_goal")}
    return {**about, **sides, **trouble}


def kinds():
    """What there is to measure: by name, what it is in words, in how many parts, and the function that does it."""
    for one in BENCHMARKS:
        yield one.name, f"{one.work}; against {one.peer_name}", None, functools.partial(measure, one)
    for one in GROWTHS:
        work = f"{one.work}; {one.changed} from {one.values[0]} to {one.values[-1]}"
        yield one.name, work, len(one.values), functools.partial(growth.measure, one)
    yield "cold-start", "from nothing to a transcript", cold_start.PROCESSES, cold_start.measure


def main():
    options = parser().parse_args()
    chosen = [kind for kind in kinds() if any(fnmatch.fnmatch(kind[0], name) for name in options.only)]
    if options.list:
        print(*(f"{name:32} {work}" for name, work, *_ in chosen), sep="\n")
        return 0
    results, here, failed = json.loads(_JSON.read_text()) if _JSON.exists() else {}, commit(), False
    for name, _, parts, run in chosen:
        if not options.again and results.get(name, {}).get("commit") == here:
            continue
        try:
            with tqdm(total=parts or options.rounds, desc=name, disable=None) as bar:
                results[name] = run(options.rounds, bar.update) | _place()
        except Failed as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
            continue
        results = {name: results[name] for name, *_ in kinds() if name in results}
        _JSON.write_text(json.dumps(results, indent=1) + "\n")
        _PAGE.write_text(page(results, _PICTURE))
    return 2 if failed else 0


def _place():
    return {"machine": machine(), "commit": commit(), "date": datetime.date.today().isoformat()}


if __name__ == "__main__":
    sys.exit(main())
