"""Growths as a table of Markdown and as a picture."""

import math

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from tests.benchmarks.growth import exponent

_COLUMNS = 4
_HEADER = "| growth | changed | exponent of time | of memory | goal | time | memory |"
_EXPLANATION = [
    "Ours alone, each size in a process of its own. The exponent is the slope of the last three sizes, both axes being",
    "logarithms: 1 says that twice the work takes twice as much. A fixed part of the cost makes it smaller.",
]


def section(growths, picture):
    """Lines of Markdown, of the results by name; `picture` is the name of a file."""
    yield from ["## As the work grows", "", *_EXPLANATION, "", f"![{_ALTERNATIVE}]({picture})", ""]
    yield from [_HEADER, "|---|---|" + "---:|" * 5]
    for name, result in growths.items():
        values = result["values"]
        time, memory = (exponent(values, result[what]) for what in ("seconds", "megabytes"))
        goal = "" if result["goal"] is None else f"{result['goal']:g}"
        cells = [f"`{name}`", f"{result['changed']} {values[0]} to {values[-1]}", f"{time:.2f}", f"{memory:.2f}", goal]
        cells += [_from_to(result["seconds"], 1000, "ms"), _from_to(result["megabytes"], 1, "MB")]
        yield f"| {' | '.join(cells)} |"
    yield from ["", *(f"- `{name}`: {result['work']}" for name, result in growths.items())]


_ALTERNATIVE = "Time and memory of each growth over its sizes, axes of logarithms"


def draw(growths, path):
    """Time and memory over the sizes, a panel for each growth."""
    rows = math.ceil(len(growths) / _COLUMNS)
    figure = Figure((3.4 * _COLUMNS, 2.7 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).flat
    for (name, result), axes in zip(growths.items(), panels, strict=False):
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(result["changed"].replace("_", " "), fontsize=9)
        _line(axes, result["values"], [1000 * seconds for seconds in result["seconds"]], "tab:blue", "ms")
        memory = [max(megabytes, 0.1) for megabytes in result["megabytes"]]
        _line(axes.twinx(), result["values"], memory, "tab:orange", "MB")
    for axes in panels:
        axes.set_axis_off()
    figure.savefig(path, dpi=90)


def _line(axes, values, costs, color, unit):
    axes.loglog(values, costs, marker="o", markersize=3, color=color)
    axes.set_ylabel(unit, color=color, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")


def _from_to(costs, factor, unit):
    return f"{factor * costs[0]:.3g} to {factor * costs[-1]:.3g} {unit}"
