"""What the benchmarks count with; they themselves run by `make benchmark`."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks import growth
from tests.benchmarks import race as harness
from tests.benchmarks.benchmark import Contestant, Growth
from tests.benchmarks.catalogue import BENCHMARKS, GROWTHS
from tests.benchmarks.environments import RECIPES
from tests.benchmarks.table import page


@pytest.fixture
def contestant(tmp_path, monkeypatch):
    """Makes contestants of a module of their own, of Python alone."""
    (tmp_path / "contestants").mkdir()
    source = (harness.FOLDER / "contestant.py").read_text()
    (tmp_path / "contestant.py").write_text(source)
    module = """
import pathlib, time
with open(pathlib.Path(__file__).with_name("processes"), "a") as file: file.write("1")
def versions(): return {"nothing": "1"}
def sleeps(seconds):
    print("a library that talks")
    return lambda: time.sleep(seconds)
def fails(): raise ValueError("no such thing")
"""
    (tmp_path / "contestants" / "simple.py").write_text(module)
    monkeypatch.setattr(harness, "FOLDER", tmp_path)
    monkeypatch.setattr(harness, "_TURN", 0.01)
    monkeypatch.setattr(growth, "_TURN", 0.01)
    return lambda function, **options: (sys.executable, Contestant("simple", function, options))


@pytest.fixture
def free_machine(monkeypatch):
    monkeypatch.setattr(harness, "_OTHERS", 1e9)


def test_the_ratio_of_two_contestants_is_that_of_their_times(contestant, free_machine):
    rounds = []
    both = [contestant("sleeps", seconds=0.02), contestant("sleeps", seconds=0.08)]
    ours, peer = harness.race(both, 3, lambda: rounds.append(1))
    assert len(rounds) == len(ours["seconds"]) == len(peer["seconds"]) == 3
    assert harness.ratios(ours["seconds"], peer["seconds"])[1] == pytest.approx(0.25, rel=0.3)
    assert ours["versions"] == {"nothing": "1"}
    assert ours["idle"] < 0.1 and peer["idle"] < 0.1


def test_rounds_are_divided_among_processes_that_run_both(contestant, free_machine, tmp_path):
    rounds = []
    both = [contestant("sleeps", seconds=0.02), contestant("sleeps", seconds=0.08)]
    ours, peer = harness.race_together(both, 5, 2, lambda: rounds.append(1))
    assert (tmp_path / "contestants" / "processes").read_text() == "1" * 4  # two for the memory of each
    assert len(rounds) == len(ours["seconds"]) == len(peer["seconds"]) == 6
    assert harness.ratios(ours["seconds"], peer["seconds"])[1] == pytest.approx(0.25, rel=0.3)
    assert ours["versions"] == {"nothing": "1"} and set(ours) == {"versions", "seconds", "megabytes", "idle"}


def test_nothing_is_measured_beside_other_processes(contestant, monkeypatch):
    monkeypatch.setattr(harness, "_OTHERS", 0.3)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with pytest.raises(harness.Failed, match="the machine is not free"):
            harness.race([contestant("sleeps", seconds=0.2)], 1)
    finally:
        busy.kill()
        busy.wait()


def test_a_contestant_that_fails_says_why(contestant):
    with pytest.raises(harness.Failed, match="exit code 1: ValueError: no such thing"):
        harness.race([contestant("fails")], 1)


def test_one_round_has_no_spread():
    assert harness.quartiles([2.0]) == [2.0, 2.0, 2.0]


def test_every_benchmark_has_a_name_options_of_json_and_an_environment():
    names = [benchmark.name for benchmark in BENCHMARKS]
    assert len(set(names)) == len(names) > 15
    for benchmark in BENCHMARKS:
        for one in filter(None, (benchmark.ours, benchmark.peer)):
            assert json.loads(json.dumps(one.options)) == one.options
            assert one.environment in (None, *RECIPES)
            assert (harness.ROOT / "tests/benchmarks/contestants" / f"{one.module}.py").exists()


def result(**changes):
    ours = {"seconds": [0.1, 0.1, 0.1], "megabytes": 20.0, "idle": 0.0, "versions": {"keras": "3"}}
    place = {"cpu": "a CPU", "cores": 2, "memory_gb": 8.0, "system": "Linux", "python": "3.11"}
    about = {"work": "some work", "peer_name": "Peer", "goal": 0.6, "memory_goal": None}
    return {**about, "ours": ours, "machine": place, "commit": "abc", "date": "2026-01-01", **changes}


def test_the_table_says_ratio_and_goal(tmp_path):
    peer = {"seconds": [0.2, 0.4, 0.2], "megabytes": 100.0, "idle": 0.0, "versions": {"torch": "2"}}
    text = page({"one": result(peer=peer)}, tmp_path / "growth.png")
    assert "| `one` | Peer | 100 ms | 200 ms | 0.50 (0.38-0.50) | 0.6 | 20 MB | 100 MB |  |" in text
    assert "a CPU, 2 cores, 8 GB, Linux, Python 3.11; keras 3, torch 2" in text


def test_the_table_says_in_words_that_a_peer_is_missing(tmp_path):
    text = page({"one": result(trouble="not installed: no network")}, tmp_path / "growth.png")
    assert "| `one` | Peer | 100 ms | not installed: no network |" in text


def test_the_page_says_how_costs_grow_and_how_long_a_start_takes(tmp_path):
    longer = {"work": "steps", "changed": "frames", "values": [10, 100, 1000], "goal": 1.1}
    longer |= {"seconds": [0.001, 0.01, 0.1], "megabytes": [1.0, 100.0, 10000.0], "versions": {"keras": "3"}}
    start = {"seconds": {"import keras": [1.0, 2.0, 3.0]}}
    place = {name: result()[name] for name in ("machine", "commit", "date")}
    text = page({"longer": longer | place, "cold-start": start | place}, tmp_path / "growth.png")
    assert "| `longer` | frames 10 to 1000 | 1.00 | 2.00 | 1.1 | 1 to 100 ms | 1 to 1e+04 MB |" in text
    assert "| import keras | 2 (1.5-2.5) |" in text
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_growths_change_an_option_and_are_measured(contestant):
    _, sleeper = contestant("sleeps")
    found = growth.measure(Growth("longer", "sleeping", sleeper, "seconds", (0.01, 0.04)), rounds=3)
    assert found["seconds"][1] / found["seconds"][0] == pytest.approx(4, rel=0.3)
    assert found["values"] == (0.01, 0.04) and len(found["megabytes"]) == 2
    assert len({one.name for one in GROWTHS}) == len(GROWTHS) > 5
