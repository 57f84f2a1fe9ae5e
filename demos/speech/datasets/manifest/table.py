"""Reading a manifest: its rows, and what is wrong with the others. No audio is read here."""

import dataclasses
import math
import re
from pathlib import Path

from ...ctm import read_ctm
from ...errors import UserError
from ...spelling import spell

SPLITS = ("train", "validation", "test")
COLUMNS = ("path", "text", "speaker", "split", "start", "end", "words")


@dataclasses.dataclass(frozen=True)
class Row:
    """A recording, or a part of one; times in seconds of the recording.

    Attributes:
        line: its line in the manifest, 1 the first.
        name: the path as it is written in the manifest.
        path: `pathlib.Path` of the audio.
        text, speaker: strings; `speaker` is empty where it is not known.
        split: one of `SPLITS`, or None where the manifest has no such column.
        start, end: the part, None for the start and the end of the recording.
        words: a tuple of pairs of start and end for each word of the text, empty where they are not known.
    """

    line: int
    name: str
    path: Path
    text: str
    speaker: str = ""
    split: str | None = None
    start: float | None = None
    end: float | None = None
    words: tuple[tuple[float, float], ...] = ()

    @property
    def id(self):
        """What tells the row from others, wherever in the manifest it stands."""
        if (self.start, self.end) == (None, None):
            return self.name
        return f"{self.name}@{self.start or 0.0}-{'' if self.end is None else self.end}"


def read_table(path, lowercase=False, keep_punctuation=False, word_times=None):
    """Read a manifest.

    Args:
        path: of the manifest.
        lowercase, keep_punctuation: of the texts, see `spell`.
        word_times: a CTM file with the times of the words of rows that do not tell them.

    Returns:
        rows: list of `Row`.
        problems: a dict from the numbers of the other lines to what is wrong with them.

    Raises:
        UserError: a file cannot be read, or the first line of the manifest does not name the columns.
    """
    path = Path(path)
    header, *lines = _lines(path)
    columns = _columns(path, header)
    known = read_ctm(word_times) if word_times else {}
    rows, problems = [], {}
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            row = _row(number, _values(columns, line), path.parent, lowercase, keep_punctuation)
            rows.append(_with_times(row, known, lowercase, keep_punctuation))
        except UserError as error:
            problems[number] = str(error)
    return rows, problems


def _lines(path):
    try:
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UserError(f"Cannot read the manifest {path}: {error.strerror}") from None


def _decode(line):
    try:
        return line.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UserError(
            f"Expected UTF-8. Received: {line[error.start : error.end]!r} at byte {error.start + 1}"
        ) from None


def _columns(path, header):
    columns = [column.strip() for column in _decode(header).split("\t")]
    missing, unknown = {"path", "text"} - set(columns), set(columns) - set(COLUMNS)
    if missing or unknown or len(set(columns)) < len(columns):
        raise UserError(
            f"Expected the columns path and text, and others of {', '.join(COLUMNS[2:])}, with tabs between, in the "
            f"first line of {path}. Received: {', '.join(columns)!r}"
        )
    return columns


def _values(columns, line):
    values = [value.strip() for value in _decode(line).split("\t")]
    if len(values) != len(columns):
        raise UserError(f"Expected {len(columns)} columns ({', '.join(columns)}). Received: {len(values)}")
    return dict(zip(columns, values, strict=True))


def _row(line, values, folder, lowercase, keep_punctuation):
    name, written = values["path"], values["text"]
    if not name or "\0" in name:
        raise UserError(f"Expected the path of an audio file. Received: path={name!r}")
    text = spell(written, lowercase, keep_punctuation)
    if not text:
        raise UserError(f"Expected a text with a letter at least. Received: text={written!r}")
    split = values.get("split")
    if split not in (None, *SPLITS):
        raise UserError(f"Expected a split of {', '.join(SPLITS)}. Received: split={split!r}")
    start, end = (_seconds(name, values.get(name)) for name in ("start", "end"))
    words = _words(values.get("words"), text)
    return Row(line, name, folder / name, text, values.get("speaker", ""), split, start, end, words)


def _seconds(name, value):
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise UserError(f"Expected a number of seconds. Received: {name}={value!r}")
    return seconds


def _words(value, text):
    if not value:
        return ()
    number = r"(\d+(?:\.\d+)?)"
    matches = [re.fullmatch(f"{number}-{number}", span) for span in value.split()]
    spans = tuple((float(match[1]), float(match[2])) for match in matches if match)
    times = [time for span in spans for time in span]
    if len(spans) < len(matches) or len(spans) != len(text.split()) or times != sorted(times):
        raise UserError(
            f"Expected start-end in seconds for each of the {len(text.split())} words of {text!r}, in their order. "
            f"Received: words={value!r}"
        )
    return spans


def _with_times(row, known, lowercase, keep_punctuation):
    """A row with the times of its words, if they are known; a word belongs to the part in which its middle lies."""
    start, end = row.start or 0.0, math.inf if row.end is None else row.end
    words = known.get(row.name) or known.get(Path(row.name).stem, [])
    words = [word for word in words if start <= (word.start + word.end) / 2 <= end]
    if row.words or not words:
        return row
    # What stands for a sound, such as a dash, is no word of the text either.
    spelled = [(spell(word.text, lowercase, keep_punctuation), word) for word in words]
    spelled = [(text, word) for text, word in spelled if text]
    if [text for text, _ in spelled] != row.text.split():
        received = " ".join(word.text for word in words)
        raise UserError(f"Expected the times of the words of {row.text!r}. Received: {received!r}")
    spans = tuple((max(word.start, start), min(word.end, end)) for _, word in spelled)
    return dataclasses.replace(row, words=spans)
