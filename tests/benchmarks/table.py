"""Results as a page of Markdown."""

from tests.benchmarks import growth_table
from tests.benchmarks.race import quartiles, ratios

_HEADER = "| benchmark | peer | ours | the peer | ratio (quartiles) | goal | memory: ours | the peer | goal |"


def page(results, picture):
    """The page, from the results by the names of the benchmarks; the `picture` of the growths is drawn to a path."""
    races = {name: result for name, result in results.items() if "ours" in result}
    growths = {name: result for name, result in results.items() if "values" in result}
    lines = ["# Benchmarks", "", *_EXPLANATION, "", _HEADER, "|---|---|" + "---:|" * 7]
    lines += [_row(name, result) for name, result in races.items()]
    lines += ["", "What each is:", "", *(f"- `{name}`: {result['work']}" for name, result in races.items())]
    if growths:
        growth_table.draw(growths, picture)
        lines += ["", *growth_table.section(growths, picture.name)]
    if "cold-start" in results:
        lines += ["", *_cold_start(results["cold-start"]["seconds"])]
    return "\n".join([*lines, "", "## Where and when", "", *_places(results)]) + "\n"


def _cold_start(seconds):
    yield from ["## From nothing to a transcript", "", *_OF_COLD_START, "", "| | seconds (quartiles) |", "|---|---:|"]
    for phase, times in seconds.items():
        low, median, high = quartiles(times)
        yield f"| {phase} | {median:.3g} ({low:.3g}-{high:.3g}) |"


_OF_COLD_START = [
    "One phase after the other in a new process; the files have been read before. The SavedModel is that of digits,",
    "with its beam and CTC, and the recording 3 s of noise.",
]


_EXPLANATION = [
    "Made by `make benchmark`. Ours and the peer run in turn, in processes of their own; only of dot attention, each",
    "of nine processes runs both, as one process differs from the next by more than they do. A ratio below 1 says",
    "that ours takes less. It is the median over the rounds, each of which compares runs that follow one another.",
    "Memory is what the runs add to the largest resident size of a process of their own, building graphs and",
    "compiling included.",
]


def _row(name, result):
    ours, peer, goal = result["ours"], result.get("peer"), result.get("goal")
    cells = [f"`{name}`", result["peer_name"], _seconds(ours)]
    if peer is None:
        cells += [result.get("trouble", ""), "", "", _megabytes(ours), "", ""]
    else:
        low, median, high = ratios(ours["seconds"], peer["seconds"])
        cells += [_seconds(peer), f"{median:.2f} ({low:.2f}-{high:.2f})", _goal(goal)]
        cells += [_megabytes(ours), _megabytes(peer), _goal(result.get("memory_goal"))]
    return f"| {' | '.join(cells)} |"


def _goal(ratio):
    return "" if ratio is None else f"{ratio:g}"


def _seconds(result):
    milliseconds = 1000 * quartiles(result["seconds"])[1]
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"


def _megabytes(result):
    return f"{result['megabytes']:.0f} MB"


def _places(results):
    """A line for each machine, commit and day, with the benchmarks that ran there."""
    names = {}
    for name, result in results.items():
        names.setdefault((*result["machine"].values(), result["commit"], result["date"]), []).append(name)
    for (cpu, cores, memory, system, python, commit, date), ran in names.items():
        versions = {}
        for name in ran:
            for side in (results[name], results[name].get("ours"), results[name].get("peer")):
                versions |= (side or {}).get("versions", {})
        libraries = ", ".join(f"{library} {version}" for library, version in sorted(versions.items()))
        yield f"- {date}, commit {commit}: {cpu}, {cores} cores, {memory:g} GB, {system}, Python {python}; {libraries}"
