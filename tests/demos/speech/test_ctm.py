"""Word times as NIST's tools write and read them."""

import pytest

from demos.speech.ctm import TimedWord, read_ctm, to_ctm
from demos.speech.errors import UserError
from demos.speech.recognition import Word
from demos.speech.recording import Recording, Segment


def test_lines_comments_and_order(tmp_path):
    path = tmp_path / "a.ctm"
    path.write_text("\ufeff;; made by hand\nb A 1.5 0.25 schön 0.9\n\nb A 0 0.5 so ;; first\r\na\t1\t0.1\t0.2\tja\n")
    assert read_ctm(path) == {"b": [TimedWord("so", 0.0, 0.5), TimedWord("schön", 1.5, 1.75)], "a": [("ja", 0.1, 0.3)]}


def test_every_wrong_line_is_told(tmp_path):
    path = tmp_path / "a.ctm"
    path.write_bytes(b"a 1 0 1 ok\na 1 0 1\na 1 x 1 w\na 1 0 nan w\na 1 -1 1 w\na 1 0 1 \xff\n")
    with pytest.raises(UserError) as caught:
        read_ctm(path)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{path}:{number}" for number in range(2, 7)]
    assert lines[1].endswith("Received: 'a 1 x 1 w'")
    with pytest.raises(UserError, match="Cannot read the word times .*none.ctm: No such file"):
        read_ctm(tmp_path / "none.ctm")


def test_what_is_written_is_read(tmp_path):
    words = (Word("你好", 0.5, 0.74, 0.9), Word("day", 0.75, 1.0, 0.8))
    segments = (Segment(0.5, 1.0, "你好 day", words, -0.1, True), Segment(1.5, 2.0, "", (), -0.1, True))
    path = tmp_path / "a.ctm"
    path.write_text(to_ctm(Recording("my talks/first talk.wav", 2.0, segments)), encoding="utf-8")
    assert read_ctm(path) == {"first_talk": [("你好", 0.5, 0.74), ("day", 0.75, 1.0)]}
    assert to_ctm(Recording("a.wav", 1.0, ())) == ""
