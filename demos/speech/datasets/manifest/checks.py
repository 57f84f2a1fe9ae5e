"""What is wrong with the recordings of a manifest, found by reading all of them."""

import math

import tqdm

from ...audio import LONGEST, check_audio
from ...errors import UserError
from ..ctc_room import frames_needed


def check_rows(rows, max_seconds=None, frame_seconds=None, tokens="characters"):
    """Read the audio of all rows.

    Args:
        rows: list of `Row`.
        max_seconds: how long a recording may be, `LONGEST` when None.
        frame_seconds: of a frame of the recogniser, which has to have a frame for each token of a text. None: texts of
            any length are allowed.
        tokens: `"characters"`, or else a word is taken for one token, as the tokens are not known yet.

    Returns:
        rates: a dict from the numbers of the good lines to the rates of their files in Hz.
        problems: a dict from the numbers of the other lines to what is wrong with them.
    """
    rates, problems = {}, {}
    for row in tqdm.tqdm(rows, desc="Checking the recordings", unit=" rows", leave=False, disable=None):
        try:
            rate, seconds = check_audio(row.path, row.start, row.end, max_seconds or LONGEST)
            _check_words(row, seconds)
            if frame_seconds:
                _check_room(row.text if tokens == "characters" else row.text.split(), seconds, frame_seconds)
            rates[row.line] = rate
        except UserError as error:
            problems[row.line] = str(error)
    return rates, problems


def _check_words(row, seconds):
    start = row.start or 0.0
    if row.words and not start <= row.words[0][0] <= row.words[-1][1] <= start + seconds + 0.001:
        raise UserError(
            f"Expected words between {start:g} and {start + seconds:.3f} s. "
            f"Received: words from {row.words[0][0]:g} to {row.words[-1][1]:g} s"
        )


def _check_room(units, seconds, frame_seconds):
    frames = math.ceil(seconds / frame_seconds)
    if frames_needed(units) > frames:
        raise UserError(
            f"Expected a text of at most {frames} tokens, one for every {1000 * frame_seconds:g} ms. "
            f"Received: {len(units)} in {seconds:.2f} s"
        )
