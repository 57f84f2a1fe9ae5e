"""The formats in which a recording is written down, and the files that take them."""

import dataclasses
import json
from pathlib import Path

from demos.speech.ctm import to_ctm
from demos.speech.errors import UserError
from demos.speech.subtitles import to_srt, to_vtt
from demos.speech.textgrid import to_textgrid


def to_text(recording):
    """The text of a `Recording`, one line."""
    return f"{recording.text}\n"


def to_json(recording):
    """A `Recording` as a JSON object, one line."""
    values = {"file": recording.path, "text": recording.text, "score": recording.score}
    segments = [dataclasses.asdict(segment) for segment in recording.segments]
    values |= {"duration": recording.duration, "segments": segments}
    return json.dumps(_rounded(values), ensure_ascii=False, allow_nan=False) + "\n"


# For each format, the suffix of its files and the function that writes a `Recording` down.
FORMATS = {
    "text": (".txt", to_text),
    "json": (".json", to_json),
    "srt": (".srt", to_srt),
    "vtt": (".vtt", to_vtt),
    "textgrid": (".TextGrid", to_textgrid),
    "ctm": (".ctm", to_ctm),
}
# Those of which several can follow each other on standard output.
_IN_LINES = ("text", "json", "ctm")


def choose_format(name, output):
    """The name of a format: `name`, or else that of the file `output`, or else text.

    >>> choose_format(None, Path("a.srt")), choose_format(None, Path("folder")), choose_format("vtt", None)
    ('srt', 'text', 'vtt')
    """
    suffix = Path(output).suffix.lower() if output else ""
    return name or next((name for name, (own, _) in FORMATS.items() if own.lower() == suffix), "text")


def output_files(paths, output, format):
    """The files for what is said in audio files.

    Args:
        paths: of the audio files.
        output: a folder; for one audio file, also the file itself. None for standard output.
        format: name of the format.

    Returns:
        For each audio file, a path, None for standard output.

    Raises:
        UserError: several would be written to one file, or over a recording.

    >>> output_files(["a/x.wav", "b/x.wav"], "texts", "srt")
    [PosixPath('texts/x.srt'), PosixPath('texts/x_2.srt')]
    >>> output_files(["x.wav"], "text.srt", "srt")
    [PosixPath('text.srt')]
    """
    if output is None:
        if len(paths) > 1 and format not in _IN_LINES:
            raise UserError(f"Expected --output with a folder for {len(paths)} files as {format}. Received: none")
        return [None] * len(paths)
    output, suffix = Path(output), FORMATS[format][0]
    is_file = output.is_file() or (output.suffix and not output.is_dir())
    if is_file and len(paths) > 1:
        raise UserError(f"Expected a folder for {len(paths)} files. Received: output={str(output)!r}")
    if is_file and output.resolve() == Path(paths[0]).resolve():
        raise UserError(f"Expected another file than the recording. Received: output={str(output)!r}")
    return [output] if is_file else unique_files(paths, output, suffix)


def unique_files(paths, folder, suffix):
    """A file in `folder` for each of `paths`: of its name, and numbered where that would not be unique.

    >>> [path.name for path in unique_files(["a/x.wav", "b/x.wav", "y.ogg"], "plots", ".png")]
    ['x.png', 'x_2.png', 'y.png']
    """
    taken = {}  # a dict, for it keeps the order
    for path in paths:
        stem = Path(path).stem
        names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(paths) + 1))
        taken[next(name for name in names if name not in taken)] = path
    return [Path(folder, f"{name}{suffix}") for name in taken]


def _rounded(value):
    """Floats with six decimals, in dicts and lists too."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value
