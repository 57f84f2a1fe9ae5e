"""What `read_arpa` reads, and what it says of what it cannot read."""

import gzip
import math

import numpy as np
import pytest

from keras_attn import read_arpa
from tests.ngram_by_hand import arpa, random_ngrams

GOOD = """\
made by a program

\\data\\
ngram 1=3
ngram 2 = 1

\\1-grams:
-99\t<s>\t-0.5
-1.0   </s>
-0.25\tgrün\u3000\t-0.125

\\2-grams:
-0.5 <s> grün\u3000

\\end\\
after the end all is free
"""


def written(folder, text, name="model.arpa"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["model.arpa", "model.arpa.gz"])
def test_reads_what_stands_there(tmp_path, name):
    ten = math.log(10)
    assert read_arpa(written(tmp_path, GOOD, name)) == {
        ("<s>",): (-math.inf, -0.5 * ten),
        ("</s>",): (-1.0 * ten, 0.0),
        ("grün\u3000",): (-0.25 * ten, -0.125 * ten),
        ("<s>", "grün\u3000"): (-0.5 * ten, 0.0),
    }


def test_reads_random_models(tmp_path):
    for seed in range(5):
        ngrams = random_ngrams(seed, ["a", "b", "ü"], order=3)
        found = read_arpa(written(tmp_path, arpa(ngrams).replace("\n", "\r\n")))
        assert set(found) == set(ngrams)
        np.testing.assert_allclose(list(found.values()), [ngrams[words] for words in found], atol=1e-8)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\data\\", "data", r"line 17: expected \\data\\. Received: the end of the file"),
        ("ngram 1=3\nngram 2 = 1\n", "", "line 5: expected ngram 1=. Received: "),
        ("ngram 2 = 1", "ngram 3=1", "line 5: expected ngram 2=. Received: 'ngram 3=1'"),
        ("\\1-grams:", "\\2-grams:", r"line 7: expected \\1-grams:. Received: "),
        ("ngram 1=3", "ngram 1=4", "line 12: expected the logarithm of a probability, 1 word and perhaps"),
        ("ngram 1=3", "ngram 1=2", r"line 10: expected \\2-grams:. Received: '-0.25"),
        ("-1.0   </s>", "-1.0", "line 9: expected the logarithm .* Received: '-1.0'"),
        ("-1.0   </s>", "x </s>", "line 9: expected the logarithm .* Received: 'x </s>'"),
        ("-1.0   </s>", "0.5 </s>", "line 9: expected the logarithm .* Received: '0.5 </s>'"),
        ("-1.0   </s>", "nan </s>", "line 9: expected the logarithm .* Received: 'nan </s>'"),
        ("-1.0   </s>", "-1 </s> inf", "line 9: expected the logarithm .* Received: '-1 </s> inf'"),
        ("-1.0   </s>", "-1 </s> -1 -1", "line 9: expected the logarithm .* Received: '-1 </s> -1 -1'"),
        ("-1.0   </s>", "-1.0 <s>", "line 9: expected an n-gram that has not been given yet"),
        ("-0.5 <s> ", "-0.5 yes ", "line 13: expected an n-gram .* whose first words have. Received: '-0.5 yes"),
        ("-0.5 <s> ", "-0.5 ", r"line 13: expected the logarithm of a probability, 2 words\. Received: "),
        ("\\end\\", "", r"line 16: expected \\end\\. Received: 'after the end"),
        ("\n\\end\\\nafter the end all is free\n", "", r"line 14: expected \\end\\. Received: the end of the file"),
        (GOOD, "", r"line 1: expected \\data\\. Received: the end of the file"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match="model.arpa, " + message):
        read_arpa(written(tmp_path, GOOD.replace(old, new)))


def test_files_that_are_no_text(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_bytes(GOOD.encode("latin-1", "replace"))
    with pytest.raises(ValueError, match="line 10: expected text in UTF-8. Received: b'-0.25"):
        read_arpa(path)
    packed = gzip.compress(GOOD.encode())
    for data in (GOOD.encode(), packed[: len(packed) // 2], packed[:40] + b"\0" * 20 + packed[60:]):
        (tmp_path / "model.arpa.gz").write_bytes(data)
        with pytest.raises(ValueError, match=r"model.arpa.gz, line \d+: expected a whole file, compressed by gzip"):
            read_arpa(tmp_path / "model.arpa.gz")
    with pytest.raises(FileNotFoundError):
        read_arpa(tmp_path / "nothing.arpa")
