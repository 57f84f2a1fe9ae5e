"""The picture of a comparison: alignments of the same utterance, a row for each scorer, a column for each alignment."""

import textwrap

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Inches.
_CELL = (3.0, 1.9)
# Of the title, in an inch.
_LETTERS = 11


def draw(rows, path):
    """Draw the alignments of the first seed of each pair.

    Args:
        rows: list of `Row`, of all pairs.
        path: `.png` file.
    """
    # The order in which they were asked for.
    scorers, alignments = (list(dict.fromkeys(getattr(row, kind) for row in rows)) for kind in ("scorer", "alignment"))
    size = (_CELL[0] * len(alignments) + 0.6, _CELL[1] * len(scorers) + 0.8)
    figure = Figure(size, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(scorers), len(alignments), squeeze=False)
    for row in rows:
        i, j = scorers.index(row.scorer), alignments.index(row.alignment)
        _draw_cell(grid[i, j], row)
        if j == 0:
            grid[i, j].set_ylabel(row.scorer, fontsize=10)
        if i == 0:
            grid[i, j].annotate(row.alignment, (0.5, 1.2), xycoords="axes fraction", ha="center", fontsize=10)
    shown = [row.results[0]["shown"] for row in rows if row.results]
    title = f"“{shown[0]['said']}”: output downwards, time in seconds to the right" if shown else "nothing yet"
    figure.suptitle(textwrap.fill(title, round(_LETTERS * size[0])), fontsize=11, parse_math=False)
    figure.savefig(path)


def _draw_cell(axes, row):
    axes.tick_params(labelsize=7, length=2)
    if not row.results:
        axes.set_xticks([])
        axes.set_yticks([])
        text = textwrap.shorten(row.state, 150, placeholder=" ...")
        style = {"ha": "center", "va": "center", "fontsize": 7, "color": "gray", "parse_math": False}
        axes.text(0.5, 0.5, textwrap.fill(text, 36), transform=axes.transAxes, **style)
        return
    shown = row.results[0]["shown"]
    right = shown["recognised"] == shown["said"]
    written = textwrap.shorten(shown["recognised"], 44, placeholder=" ...") or "(nothing)"
    axes.set_title(written, fontsize=7, color="black" if right else "tab:red", parse_math=False)
    alignment = np.array(shown["alignment"]).reshape(-1, shown["frames"])
    end = shown["offset"] + shown["frame_duration"] * shown["frames"]
    extent = (shown["offset"], end, max(1, len(alignment)), 0)
    image = alignment if len(alignment) else np.zeros((1, shown["frames"]))
    axes.imshow(image, cmap="Blues", vmin=0, aspect="auto", interpolation="nearest", extent=extent)
    for _, *times in shown["words"]:
        for time in times:
            axes.axvline(time, color="tab:orange", linewidth=0.6)
    axes.set_xlim(shown["offset"], end)
    _label_words(axes, shown)


def _label_words(axes, shown):
    """The recognised words beside their rows."""
    ids = np.array(shown["word_ids"], int)
    words = shown["recognised"].split()
    rows = [float(np.flatnonzero(ids == number).mean()) + 0.5 for number in range(len(words)) if number in ids]
    axes.set_yticks(rows, words[: len(rows)], fontsize=6, parse_math=False)
