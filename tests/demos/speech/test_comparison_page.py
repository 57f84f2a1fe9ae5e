"""The page of a comparison."""

import base64
import json
import re
from html.parser import HTMLParser

import matplotlib.image
import pytest

from demos.speech import comparison_page
from demos.speech.comparison_options import SETTINGS
from demos.speech.comparison_table import COLUMNS, Row
from demos.speech.config import Config
from tests.demos.speech.comparison_results import result

CONFIG = Config().replace(dataset="synthetic_speech/digits", **SETTINGS)
EMPTY = {"recognised": "", "alignment": [], "word_ids": []}
ROWS = [
    Row("dot", "softmax", (result(0.2), result(0.1)), "seed 2: <killed> & gone"),
    Row("dot", "sigmoid", (), "seed 0: no <memory>"),
    Row("cosine", "softmax", (result(0.05, shown=result()["shown"] | EMPTY),)),
    Row("cosine", "sigmoid", (), "it does", possible=False),
]


@pytest.fixture
def folder(tmp_path):
    assert [row.scorer for row in comparison_page.write(tmp_path, CONFIG, ROWS)] == ["cosine", "dot", "dot", "cosine"]
    return tmp_path


class Page(HTMLParser):
    """The cells of each row, all other text, and all that would be loaded from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.text, self.sources, self.inside = [], "", [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data
        self.text += data

    def handle_endtag(self, tag):
        self.inside = False


def test_four_files_and_nothing_half_written(folder):
    names = [f"comparison.{suffix}" for suffix in ("html", "json", "md", "png")]
    assert sorted(path.name for path in folder.iterdir()) == names


def test_the_page_needs_nothing_else(folder):
    page = Page((folder / "comparison.html").read_text())
    (source,) = page.sources
    assert base64.b64decode(source.removeprefix("data:image/png;base64,")) == (folder / "comparison.png").read_bytes()
    assert "http" not in page.text
    headings, *rows = page.rows
    assert headings == ["scorer", "alignment", *(column.heading for column in COLUMNS)]
    assert [row[:3] for row in rows] == [
        ["cosine", "softmax", "5.00 %"],
        ["dot", "softmax", "15.00 % (10.00 % to 20.00 %)"],
        ["dot", "sigmoid", "failed: seed 0: no <memory>"],
        ["cosine", "sigmoid", "makes no sense: it does"],
    ]
    for part in (
        "Fewest words wrong: cosine with softmax, 5.00 %",
        "dot x softmax: seed 2: <killed> & gone",
        "2 seeds",
    ):
        assert part in page.text


def test_markdown_has_the_same(folder):
    text = (folder / "comparison.md").read_text()
    assert "](comparison.png)" in text and "Fewest words wrong: cosine with softmax, 5.00 %" in text
    assert len(re.findall(r"^\| \w+ \| \w+ \|", text, re.MULTILINE)) == 1 + len(ROWS)


def test_json_has_the_figures_of_each_seed_and_the_settings(folder):
    values = json.loads((folder / "comparison.json").read_text())
    assert Config.from_dict(values["settings"]) == CONFIG
    row = values["rows"][1]
    assert row["means"]["wer"] == pytest.approx(0.15) and [one["wer"] for one in row["seeds"]] == [0.2, 0.1]
    assert "shown" not in row["seeds"][0]


def test_the_picture_has_a_row_for_each_scorer_and_a_column_for_each_alignment(folder):
    height, width, _ = matplotlib.image.imread(folder / "comparison.png").shape
    assert (width, height) == (660, 460)


def test_a_page_before_anything_is_done(tmp_path):
    comparison_page.write(tmp_path, CONFIG, [Row("dot", "softmax")])
    page = Page((tmp_path / "comparison.html").read_text())
    assert page.rows[1:] == [["dot", "softmax", "not done yet"]] and "Fewest" not in page.text
