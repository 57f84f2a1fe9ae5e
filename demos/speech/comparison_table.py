"""The table of a comparison: a row for each pair, the best first."""

import dataclasses
import math
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Row:
    """A scorer and an alignment function, and what came of them.

    Attributes:
        scorer, alignment: names.
        results: tuple of the results of `comparison_run`, one for each seed that is done.
        remark: what went wrong, or why the pair makes no sense; empty if nothing is to be said.
        possible: whether the pair makes sense.
    """

    scorer: str
    alignment: str
    results: tuple[dict, ...] = ()
    remark: str = ""
    possible: bool = True

    @property
    def means(self):
        """The mean of each figure over the seeds; None where one of them has none."""
        return {column.key: _mean([result[column.key] for result in self.results]) for column in COLUMNS}

    @property
    def state(self):
        """What to show where there are no figures."""
        if self.results:
            return ""
        if not self.possible:
            return f"makes no sense: {self.remark}"
        return f"failed: {self.remark}" if self.remark else "not done yet"


@dataclasses.dataclass(frozen=True)
class Column:
    """A figure: its `key` in the results, its heading, its meaning, how it is written, and which is best, min or max.

    The `missing` text stands for a figure that there is not.
    """

    key: str
    heading: str
    meaning: str
    write: Callable
    best: Callable | None = min
    missing: str = "-"


def _percent(value):
    return f"{value:.2%}".replace("%", " %")


def _count(value):
    return f"{round(value):,}"


COLUMNS = (
    Column("wer", "words wrong", "word error rate on the test utterances", _percent),
    Column(
        "alignment_error_rate",
        "alignment error",
        "the share of the tokens, of words recognised right, that attend most to a frame outside of their word",
        _percent,
    ),
    Column(
        "mass_inside",
        "mass inside",
        "the share of the attention of a word, recognised right, that lies inside its true span",
        _percent,
        max,
    ),
    Column(
        "boundary_error_ms",
        "boundaries, ms",
        "median distance of the word boundaries from the true ones; they are searched where it gets quiet near the "
        "attention",
        _count,
    ),
    Column("boundary_error_p95_ms", "95 %, ms", "95 % of the word boundaries are nearer than this", _count),
    Column(
        "steps_until_aligned",
        "steps until aligned",
        "steps of training up to the first epoch after which the alignment is formed, as told above",
        _count,
        missing="never",
    ),
    Column(
        "seconds_per_step",
        "ms a step",
        "median time of a training step of one batch",
        lambda value: f"{1000 * value:.0f}",
    ),
    Column("parameters", "parameters", "weights of the whole recogniser", _count, None),
    Column(
        "peak_memory",
        "memory, MB",
        "the most that the training process held, with all its libraries",
        lambda value: f"{value / 1e6:.0f}",
    ),
)


def ranked(rows):
    """Rows with the lowest word error rate first, of equal ones the lowest alignment error rate; without any, last."""

    def key(row):
        means = row.means
        values = [math.inf if means[name] is None else means[name] for name in ("wer", "alignment_error_rate")]
        return (not row.results, not row.possible, *values)

    return sorted(rows, key=key)


def cells(rows):
    """What stands in the table.

    Args:
        rows: list of `Row`.

    Returns:
        For each row a list with, for each column, the text and whether it is the best; none for rows without results.
    """
    written = [[_cell(row, column) for column in COLUMNS] if row.results else [] for row in rows]
    best = [_best(column, rows) for column in COLUMNS]
    return [
        [(text, best[i] is not None and rows[number].means[COLUMNS[i].key] == best[i]) for i, text in enumerate(texts)]
        for number, texts in enumerate(written)
    ]


def markdown(rows):
    """The table in Markdown; the best of each column is bold."""
    headings = ["scorer", "alignment", *(column.heading for column in COLUMNS)]
    lines = [_line(headings), _line(["---", "---", *["--:"] * len(COLUMNS)])]
    for row, texts in zip(rows, cells(rows), strict=True):
        marked = [f"**{text}**" if best else text for text, best in texts]
        lines.append(_line([row.scorer, row.alignment, *(marked or [row.state, *[""] * (len(COLUMNS) - 1)])]))
    return "\n".join(lines)


def summary(result):
    """The result of a run in a few words.

    >>> summary({"wer": 0.0125, "alignment_error_rate": None, "seconds_per_step": 0.2})
    'words wrong 1.25 %, alignment error -, ms a step 200'
    """
    chosen = [column for column in COLUMNS if column.key in ("wer", "alignment_error_rate", "seconds_per_step")]
    return ", ".join(f"{column.heading} {_text(column, result[column.key])}" for column in chosen)


def _line(texts):
    return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in texts) + " |"


def _mean(values):
    return None if not values or None in values else sum(values) / len(values)


def _text(column, value):
    return column.missing if value is None else column.write(value)


def _cell(row, column):
    """The mean, and with several seeds how far they are apart."""
    texts = [_text(column, value) for value in sorted(_values(row, column))]
    mean = _text(column, row.means[column.key])
    return mean if len(set(texts)) < 2 else f"{mean} ({texts[0]} to {texts[-1]})"


def _values(row, column):
    return [result[column.key] for result in row.results if result[column.key] is not None]


def _best(column, rows):
    values = [row.means[column.key] for row in rows if row.means[column.key] is not None]
    return column.best(values) if column.best and values else None
