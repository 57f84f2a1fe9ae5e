"""Own recordings: what is wrong is named line by line, and what is right comes out as it went in."""

import os

import numpy as np
import pytest
import soundfile

from demos.speech import corpora
from demos.speech.datasets.manifest.table import Row, read_table
from demos.speech.errors import UserError
from tests.demos.speech.small_model import sound

RATE = 8000


def write(folder, *lines, columns="path\ttext"):
    """A manifest of such lines."""
    (folder / "rows.tsv").write_text("\n".join([columns, *lines]) + "\n", encoding="utf-8")
    return folder / "rows.tsv"


def recordings(folder, count=12, seconds=1.0, rate=RATE, suffix="wav"):
    """Audio files of a sound each, and lines that name them."""
    for i in range(count):
        soundfile.write(folder / f"{i}.{suffix}", sound(seconds, rate, seed=i), rate)
    return [f"{i}.{suffix}\tword {i}" for i in range(count)]


def get(path, data_dir, **options):
    return corpora.get(f"manifest:{path}", data_dir, **options)


def everything(corpus):
    return {e["id"].decode(): e for split in corpus.splits for e in corpus.utterances(split).as_numpy_iterator()}


# --- the table


def test_every_column(tmp_path):
    columns = "text\tpath\tsplit\tspeaker\twords\tstart\tend"
    path = write(
        tmp_path, "Schöne, neue Welt!\ta b/ü.flac\ttrain\tJürgen\t1.5-2 2.25-2.5 3-4.0\t1\t4.5\r", "", columns=columns
    )
    rows, problems = read_table(path)
    words = ((1.5, 2.0), (2.25, 2.5), (3.0, 4.0))
    expected = Row(2, "a b/ü.flac", tmp_path / "a b/ü.flac", "Schöne neue Welt", "Jürgen", "train", 1.0, 4.5, words)
    assert (rows, problems) == ([expected], {})
    assert rows[0].id == "a b/ü.flac@1.0-4.5"


def test_a_byte_order_mark_and_an_absolute_path(tmp_path):
    (tmp_path / "rows.tsv").write_bytes("\ufeffpath\ttext\r\n/there/x.wav\tja\r\n".encode())
    ((row,), problems) = read_table(tmp_path / "rows.tsv")
    assert str(row.path) == "/there/x.wav" and row.text == "ja" and not problems


BAD_LINES = {
    "a.wav": "Expected 6 columns (path, text, split, start, end, words). Received: 1",
    "\tone\ttrain\t\t\t": "Expected the path of an audio file. Received: path=''",
    "a\0.wav\tone\ttrain\t\t\t": "Received: path='a\\x00.wav'",
    "a.wav\t¿?\ttrain\t\t\t": "Expected a text with a letter at least. Received: text='¿?'",
    "a.wav\tone\tdev\t\t\t": "Expected a split of train, validation, test. Received: split='dev'",
    "a.wav\tone\t\t\t\t": "Received: split=''",
    "a.wav\tone\ttrain\t0:30\t\t": "Expected a number of seconds. Received: start='0:30'",
    "a.wav\tone\ttrain\t\tnan\t": "Received: end='nan'",
    "a.wav\tone\ttrain\t\t\t0.1": "for each of the 1 words of 'one', in their order. Received: words='0.1'",
    "a.wav\tone two\ttrain\t\t\t0-1": "for each of the 2 words",
    "a.wav\tone two\ttrain\t\t\t1-2 0-1": "Received: words='1-2 0-1'",
}


def test_every_bad_line_is_told_with_its_number(tmp_path):
    good = "a.wav\tone\ttrain\t\t\t"
    path = write(tmp_path, good, *BAD_LINES, good, columns="path\ttext\tsplit\tstart\tend\twords")
    path.write_bytes(path.read_bytes() + b"a.wav\t\xff\xfe\ttrain\t\t\t\n")
    rows, problems = read_table(path)
    assert [row.line for row in rows] == [2, 3 + len(BAD_LINES)]
    assert list(problems) == [*range(3, 3 + len(BAD_LINES)), 4 + len(BAD_LINES)]
    for problem, expected in zip(problems.values(), BAD_LINES.values(), strict=False):
        assert expected in problem and "\n" not in problem
    assert problems[4 + len(BAD_LINES)] == r"Expected UTF-8. Received: b'\xff' at byte 7"


@pytest.mark.parametrize("header", ["", "path", "text", "path,text", "path\ttext\ttext", "path\ttext\tspeakr", "a\tb"])
def test_a_header_that_does_not_name_the_columns(tmp_path, header):
    with pytest.raises(UserError, match="Expected the columns path and text, and others of speaker, split, start"):
        read_table(write(tmp_path, "a\tb", columns=header))


def test_no_manifest(tmp_path):
    with pytest.raises(UserError, match="Cannot read the manifest .*none.tsv: No such file"):
        get(tmp_path / "none.tsv", tmp_path)
    with pytest.raises(UserError, match="Cannot read the manifest .*: Is a directory"):
        get(tmp_path, tmp_path)


# --- the corpus


def test_what_comes_out_is_what_went_in(tmp_path):
    """Against the samples that were written."""
    spoken = sound(3.0)
    soundfile.write(tmp_path / "long.wav", spoken, RATE, "PCM_16")
    lines = ["long.wav\tone two\t0.5\t2.0\t0.75-1.0 1.5-2.0", "long.wav\tthree\t\t1.0\t", "long.wav\tfour\t2\t\t"]
    corpus = get(write(tmp_path, *lines, columns="path\ttext\tstart\tend\twords"), tmp_path / "data")
    assert corpus.sample_rate == RATE and [corpus.size(split) for split in corpus.splits] == [1, 1, 1]
    found = everything(corpus)
    samples = soundfile.read(tmp_path / "long.wav", dtype="int16")[0]
    parts = {
        "long.wav@0.5-2.0": samples[4000:16000],
        "long.wav@0.0-1.0": samples[:8000],
        "long.wav@2.0-": samples[16000:],
    }
    for name, part in parts.items():
        assert found[name]["audio"].dtype == np.int16
        np.testing.assert_array_equal(found[name]["audio"], part)
    words = found["long.wav@0.5-2.0"]["words"]
    assert words["text"].tolist() == [b"one", b"two"]
    np.testing.assert_allclose([words["start"], words["end"]], [[0.25, 1.0], [0.5, 1.5]])
    assert found["long.wav@2.0-"]["words"]["text"].tolist() == [] and found["long.wav@2.0-"]["text"] == b"four"


def test_times_of_words_in_a_file_of_their_own(tmp_path):
    """For whole recordings and parts of one, and built again when the file has changed."""
    soundfile.write(tmp_path / "long.wav", sound(3.0), RATE, "PCM_16")
    lines = ["long.wav\tone, two\t0.5\t2.0\t", "long.wav\tthree\t2\t\t2.25-2.5", "long.wav\tfour\t\t0.5\t"]
    path, times = write(tmp_path, *lines, columns="path\ttext\tstart\tend\twords"), tmp_path / "times.ctm"
    times.write_text("long 1 0.4 0.6 one\nlong 1 1.5 0.5 two\nlong 1 2.9 0.1 never\n")

    def words(part):
        return everything(get(path, tmp_path / "data", word_times=str(times)))[f"long.wav@{part}"]["words"]

    found = words("0.5-2.0")
    assert found["text"].tolist() == [b"one", b"two"]
    np.testing.assert_allclose([found["start"], found["end"]], [[0.0, 1.0], [0.5, 1.5]])
    np.testing.assert_allclose([words("2.0-")["start"], words("2.0-")["end"]], [[0.25], [0.5]])
    assert not len(words("0.0-0.5")["text"])
    times.write_text(times.read_text().replace("1.5 0.5", "1.75 0.25"))
    np.testing.assert_allclose(words("0.5-2.0")["start"], [0.0, 1.25])
    times.write_text("long 1 0.6 0.4 one\n")
    with pytest.raises(UserError, match=r"rows.tsv:2: Expected the times of the words of 'one two'. Received: 'one'"):
        words("0.5-2.0")


def test_formats_rates_and_channels_become_one(tmp_path):
    rates = {"a.wav": 44100, "b.flac": 48000, "c.ogg": 16000, "d.mp3": 8000}
    for name, rate in rates.items():
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
        soundfile.write(tmp_path / name, np.stack([tone, 0.5 * tone], 1), rate)
    path = write(tmp_path, *(f"{name}\t{name[0]}" for name in rates))
    corpus = get(path, tmp_path / "data")
    assert corpus.sample_rate == 16000  # three files have that much
    for heard in everything(corpus).values():
        spectrum = np.abs(np.fft.rfft(heard["audio"][4000:12000] / 32768)) / 4000
        assert spectrum.argmax() == 220  # 2 Hz a bin
        assert spectrum[220] == pytest.approx(0.375, abs=0.02)  # the mean of both channels
    assert get(path, tmp_path / "data", sample_rate=8000).sample_rate == 8000


def test_texts_of_every_script_survive(tmp_path):
    texts = ["Grüße aus Köln", "你好世界", "नमस्ते दुनिया", "Ελλάδα", "e\u0301te\u0301", "😀"]
    lines = [line.split("\t")[0] for line in recordings(tmp_path, 6)]
    path = write(tmp_path, *(f"{name}\t{text}" for name, text in zip(lines, texts, strict=True)))
    assert {e["text"].decode() for e in everything(get(path, tmp_path / "data")).values()} == {*texts[:4], "été", "😀"}
    lower = get(path, tmp_path / "data", lowercase=True)
    assert "grüße aus köln" in {e["text"].decode() for e in everything(lower).values()}


def test_all_bad_rows_are_listed_before_anything_is_built(tmp_path, capfd):
    good = recordings(tmp_path)
    nan = np.full(RATE, 0.1, "float32")
    nan[7] = np.nan
    soundfile.write(tmp_path / "nan.wav", nan, RATE, "FLOAT")
    soundfile.write(tmp_path / "short.wav", nan[:100], RATE)
    soundfile.write(tmp_path / "long.wav", sound(3.0), RATE)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder").mkdir()
    bad = {
        "none.wav\ta": "No such file",
        "folder\ta": "which is a folder",
        "empty.wav\ta": "which is empty",
        "rows.tsv\ta": "Expected an audio file such as WAV",
        "short.wav\ta": "at least 0.1 s",
        "long.wav\ta": "at most 2 s",
        "nan.wav\ta": "1 of 8000 NaN",
        "0.wav\t!": "a text with a letter",
        "0.wav": "Expected 2 columns (path, text). Received: 1",
        f"0.wav\t{'ab' * 30}": "a text of at most 25 tokens, one for every 40 ms. Received: 60 in 1.00 s",
    }
    path = write(tmp_path, *good[:6], *bad, *good[6:])
    options = {"max_seconds": 2.0, "frame_seconds": 0.04}
    with pytest.raises(UserError) as caught:
        get(path, tmp_path / "data", **options)
    listed = str(caught.value).splitlines()
    assert len(listed) == len(bad)
    for line, (number, expected) in zip(listed, enumerate(bad.values(), start=8), strict=True):
        assert line.startswith(f"{path}:{number}: Expected ") and expected in line
    assert not (tmp_path / "data").exists()
    for _ in range(2):  # built, and read again
        corpus = get(path, tmp_path / "data", skip_bad=True, **options)
        assert sum(map(corpus.size, corpus.splits)) == 12
        assert f"{path}: left out 10 bad rows of 22\n" in capfd.readouterr().err


def test_words_beyond_the_part_and_words_as_tokens(tmp_path):
    recordings(tmp_path, 3)
    path = write(tmp_path, *(f"{i}.wav\tone\t0.5\t0.9-1.2" for i in range(3)), columns="path\ttext\tstart\twords")
    with pytest.raises(UserError, match="tsv:2: Expected words between 0.5 and 1.000 s. Received: words from"):
        get(path, tmp_path / "data")
    path = write(tmp_path, *(f"{i}.wav\tabcdef abcdef abcdef abcdef {i}" for i in range(3)))
    with pytest.raises(UserError, match="Received: 29 in 1.00 s"):
        get(path, tmp_path / "data", frame_seconds=0.04)
    assert get(path, tmp_path / "data", frame_seconds=0.04, tokens="bpe").size("train") == 1


def test_built_once_and_again_when_something_changes(tmp_path, capfd):
    path = write(tmp_path, *recordings(tmp_path))

    def built(**options):
        corpus = get(path, tmp_path / "data", **options)
        assert corpus.size("train") == 10 and corpus.size("test") == 1
        return "Building manifest/rows-" in capfd.readouterr().err

    assert built() and not built()
    assert built(lowercase=True) and not built(lowercase=True) and not built()
    os.utime(tmp_path / "3.wav", (1, 1))
    assert built()
    path.write_text(path.read_text() + "\n")
    assert built() and not built()


def test_a_split_column_is_followed_and_must_be_complete(tmp_path):
    recordings(tmp_path, 5)
    splits = ["test", "train", "train", "validation", "train"]
    lines = [f"{i}.wav\tword\t{split}" for i, split in enumerate(splits)]
    corpus = get(write(tmp_path, *lines, columns="path\ttext\tsplit"), tmp_path / "data")
    ids = [element["id"].decode() for element in corpus.utterances("train").as_numpy_iterator()]
    assert sorted(ids) == ["1.wav", "2.wav", "4.wav"]
    with pytest.raises(UserError, match="Received: none for test"):
        get(write(tmp_path, *lines[1:], columns="path\ttext\tsplit"), tmp_path / "data")
