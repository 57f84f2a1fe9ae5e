"""The examples of the README and of the pages in docs run and print what they say they print; links lead somewhere."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {str(page.relative_to(ROOT)): page for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def examples(page):
    """Pairs of Python code and the output that stands in the block after it."""
    blocks = BLOCK.findall(page.read_text())
    for (language, code), (other, output) in zip(blocks, [*blocks, ("none", "")][1:], strict=True):
        if language == "python":
            assert other == "", f"Expected a block with the output after:\n{code}"
            yield code, output


EXAMPLES = [
    pytest.param(code, output, id=f"{name}-{i}")
    for name, page in PAGES.items()
    for i, (code, output) in enumerate(examples(page))
]


def test_there_are_examples():
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(("code", "expected"), EXAMPLES)
def test_example(code, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "example", "exec"), {"__name__": "example"})
    assert printed.getvalue() == expected


@pytest.mark.parametrize("name", PAGES)
def test_linked_files_exist(name):
    prose = BLOCK.sub("", PAGES[name].read_text())
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", prose) if not link.startswith("http")]
    assert not [link for link in links if not (PAGES[name].parent / link).exists()]
