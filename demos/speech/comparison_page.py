"""The page of a comparison: table and picture, as HTML that needs nothing else, as Markdown, PNG and JSON."""

import base64
import html
import json

from demos.speech import comparison_figure
from demos.speech.alignment_advice import criterion
from demos.speech.comparison_table import COLUMNS, cells, markdown, ranked
from demos.speech.files import write_beside

NAME = "comparison"
_STYLE = """
body { font-family: system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; line-height: 1.45; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25em 0.7em; text-align: right; border-bottom: 1px solid #ddd; }
th { vertical-align: bottom; } th:nth-child(-n+2), td:nth-child(-n+2), td.state { text-align: left; }
td.best { font-weight: bold; background: #e4f0e4; } td.state { color: #777; }
div { overflow-x: auto; } img { max-width: 100%; }
"""


def write(folder, config, rows):
    """Write `comparison.html`, `.md`, `.png` and `.json` into a folder, each beside and then renamed.

    Args:
        folder: `pathlib.Path`.
        config: the `Config` that all runs share.
        rows: list of `Row`, in the order of the picture.

    Returns:
        The rows, best first.
    """
    with write_beside(folder / f"{NAME}.png") as beside:
        comparison_figure.draw(rows, beside)
    picture = (folder / f"{NAME}.png").read_bytes()
    rows = ranked(rows)
    texts = {
        ".html": _html(config, rows, picture),
        ".md": _markdown(config, rows),
        ".json": json.dumps(_values(config, rows), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for suffix, text in texts.items():
        with write_beside(folder / f"{NAME}{suffix}") as beside:
            beside.write_text(text, encoding="utf-8")
    return rows


def how_to_read(config, rows):
    """The paragraphs below the title, a list of strings."""
    done = [row for row in rows if row.results]
    seeds = max((len(row.results) for row in done), default=0)
    training, search = config.training, config.decoding
    several = f"; the table has means over {seeds} seeds, and the lowest and highest value in brackets" * (seeds > 1)
    paragraphs = [
        f"Each row is a recogniser trained on {config.dataset} for at most {training.epochs} epochs with batches of "
        f"{training.batch_size}, all with the same settings, seeds and data, and only scorer and alignment function "
        f"their own{several}. Texts are searched for with a beam of {search.beam_width} and a CTC weight of "
        f"{search.ctc_weight:g}.",
        "The rows with the fewest wrong words come first; the best value of each column is marked. What is good is a "
        "row that is good in several columns: few words wrong with a bad alignment means that the text is right but "
        "nobody can tell where each word was heard.",
        f"An alignment counts as formed when {criterion()}. It is looked at after each epoch, so the steps until then "
        "are multiples of an epoch.",
        "Times and memory are those of one machine, whatever else it did: compare them with each other alone. A "
        "difference between rows that is no larger than that between seeds says nothing, and other data may give "
        "another order.",
    ]
    if done:
        best = done[0]
        said = dict(zip([column.key for column in COLUMNS], [text for text, _ in cells(rows)[0]], strict=True))
        paragraphs.insert(1, f"Fewest words wrong: {best.scorer} with {best.alignment}, {said['wer']}.")
    return paragraphs


def _title(config):
    return f"Scorers and alignment functions on {config.dataset}"


def _markdown(config, rows):
    parts = [f"# {_title(config)}", *how_to_read(config, rows), markdown(rows)]
    parts.append("\n".join(f"- {column.heading}: {column.meaning}" for column in COLUMNS))
    parts += [f"- {row.scorer} x {row.alignment}: {row.remark}" for row in rows if row.results and row.remark]
    parts.append(f"![Alignments of the same utterance, a row for each scorer]({NAME}.png)")
    return "\n\n".join(parts) + "\n"


def _html(config, rows, picture):
    escape = html.escape
    headings = "".join(f'<th title="{escape(column.meaning)}">{escape(column.heading)}</th>' for column in COLUMNS)
    body = "\n".join(_html_row(row, texts) for row, texts in zip(rows, cells(rows), strict=True))
    paragraphs = "\n".join(f"<p>{escape(text)}</p>" for text in how_to_read(config, rows))
    remarks = [f"{row.scorer} x {row.alignment}: {row.remark}" for row in rows if row.results and row.remark]
    notes = [*(f"{column.heading}: {column.meaning}" for column in COLUMNS), *remarks]
    items = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
    encoded = base64.b64encode(picture).decode()
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{escape(_title(config))}</title><style>{_STYLE}</style></head>
<body>
<h1>{escape(_title(config))}</h1>
{paragraphs}
<div><table>
<thead><tr><th>scorer</th><th>alignment</th>{headings}</tr></thead>
<tbody>
{body}
</tbody>
</table></div>
<ul>
{items}
</ul>
<p><img alt="Alignments of the same utterance, a row for each scorer" src="data:image/png;base64,{encoded}"></p>
<details><summary>All settings</summary><pre>{escape(json.dumps(config.to_dict(), indent=1))}</pre></details>
</body>
</html>
"""


def _html_row(row, texts):
    names = f"<td>{html.escape(row.scorer)}</td><td>{html.escape(row.alignment)}</td>"
    if not texts:
        return f'<tr>{names}<td class="state" colspan="{len(COLUMNS)}">{html.escape(row.state)}</td></tr>'
    figures = (f"<td{' class=best' * best}>{html.escape(text)}</td>" for text, best in texts)
    return f"<tr>{names}{''.join(figures)}</tr>"


def _values(config, rows):
    """What the JSON file holds."""
    return {
        "settings": config.to_dict(),
        "rows": [
            {
                "scorer": row.scorer,
                "alignment": row.alignment,
                "state": row.state,
                "remark": row.remark,
                "means": row.means,
                "seeds": [{name: value for name, value in one.items() if name != "shown"} for one in row.results],
            }
            for row in rows
        ],
    }
