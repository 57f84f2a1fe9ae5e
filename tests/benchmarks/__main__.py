"""Runs the benchmarks and writes docs/benchmarks.json and docs/benchmarks.md."""

import argparse
import datetime
import fnmatch
import json
import sys

from tqdm import tqdm

from tests.benchmarks.catalogue import BENCHMARKS
from tests.benchmarks.environments import Unavailable, interpreter
from tests.benchmarks.machine import commit, machine
from tests.benchmarks.race import ROOT, Failed, race
from tests.benchmarks.table import page

_JSON, _PAGE = ROOT / "docs" / "benchmarks.json", ROOT / "docs" / "benchmarks.md"


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
    sides = dict(zip(("ours", "peer"), race(contestants, rounds, progress), strict=False))
    about = {name: getattr(benchmark, name) for name in ("work", "peer_name", "goal", "memory_goal")}
    today = datetime.date.today().isoformat()
    return {**about, **sides, **trouble, "machine": machine(), "commit": commit(), "date": today}


def main():
    options = parser().parse_args()
    chosen = [one for one in BENCHMARKS if any(fnmatch.fnmatch(one.name, name) for name in options.only)]
    if options.list:
        print(*(f"{one.name:32} {one.work}; against {one.peer_name}" for one in chosen), sep="\n")
        return 0
    results, here, failed = json.loads(_JSON.read_text()) if _JSON.exists() else {}, commit(), False
    if not options.again:
        chosen = [one for one in chosen if results.get(one.name, {}).get("commit") != here]
    for benchmark in chosen:
        try:
            with tqdm(total=options.rounds, desc=benchmark.name, disable=None) as bar:
                results[benchmark.name] = measure(benchmark, options.rounds, bar.update)
        except Failed as error:
            print(f"{benchmark.name}: {error}", file=sys.stderr)
            failed = True
            continue
        order = [one.name for one in BENCHMARKS if one.name in results]
        _JSON.write_text(json.dumps({name: results[name] for name in order}, indent=1) + "\n")
        _PAGE.write_text(page({name: results[name] for name in order}))
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
