"""N-gram language models in the ARPA format."""

import gzip
import math
import re
import zlib
from pathlib import Path

# What the format writes for the logarithm of 0.
_LOG10_OF_NOTHING = -99.0


def read_arpa(path):
    r"""Reads an n-gram language model with backoff.

    The format is text: a header with the number of n-grams of each order, then for each order a section. Its lines have
    the base-10 logarithm of a probability, the words, and that of the backoff weight, if it is not 1.

    Args:
        path: A file in UTF-8; compressed by gzip, if its name ends in `.gz`.

    Returns: A dict `{words: (log_prob, log_backoff)}` with a tuple of strings as the key, and natural logarithms. A
    log probability of -99 or less in the file is one of -inf.
    Raises: OSError if the file cannot be read; ValueError with the number of the line if it is not in the format.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "model.arpa")
    >>> header, unigrams = "\\data\\\nngram 1=3\n", "-99 <s>\n-0.3 </s>\n-0.3 yes\n"
    >>> _ = path.write_text(f"{header}\n\\1-grams:\n{unigrams}\n\\end\\\n")
    >>> {words: round(log_prob, 2) for words, (log_prob, _) in read_arpa(path).items()}
    {('<s>',): -inf, ('</s>',): -0.69, ('yes',): -0.69}
    """
    path = Path(path)
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        return _read(_Lines(path, file))


class _Lines:
    """The lines of a file without the empty ones, and what to say when one is wrong."""

    def __init__(self, path, file):
        self.path, self.lines, self.number, self.line = path, iter(file), 0, ""

    def next(self):
        """The next line, None at the end of the file."""
        self.line = ""
        while not self.line:
            try:
                line = next(self.lines, None)
            except (EOFError, OSError, zlib.error) as error:  # what gzip says of damage
                raise self.error(f"a whole file, compressed by gzip ({error})") from error
            self.number += 1
            if line is None:
                self.line = None
                return None
            self.line = line.strip()
        try:
            self.line = self.line.decode("utf-8")
        except UnicodeDecodeError:
            raise self.error("text in UTF-8") from None
        return self.line

    def error(self, expected):
        received = "the end of the file" if self.line is None else repr(self.line)
        return ValueError(f"{self.path}, line {self.number}: expected {expected}. Received: {received}")


def _read(lines):
    ngrams, counts = {}, _counts(lines)
    for order, count in enumerate(counts, start=1):
        if lines.line != f"\\{order}-grams:":
            raise lines.error(f"\\{order}-grams:")
        for _ in range(count):
            words, values = _entry(lines, order, is_last=order == len(counts))
            if words in ngrams or (order > 1 and words[:-1] not in ngrams):
                raise lines.error("an n-gram that has not been given yet, but whose first words have")
            ngrams[words] = values
        lines.next()
    if lines.line != "\\end\\":
        raise lines.error("\\end\\")
    return ngrams


def _counts(lines):
    """The number of n-grams of each order, a list; leaves the lines at what follows the header."""
    while lines.next() != "\\data\\":
        if lines.line is None:
            raise lines.error("\\data\\")
    counts = []
    while match := re.fullmatch(r"ngram\s+(\d+)\s*=\s*(\d+)", lines.next() or ""):
        if int(match[1]) != len(counts) + 1:
            raise lines.error(f"ngram {len(counts) + 1}=")
        counts.append(int(match[2]))
    if not counts:
        raise lines.error("ngram 1=")
    return counts


def _entry(lines, order, is_last):
    """The words and the values of the next line."""
    # No other white space: it may be a word.
    fields = re.split("[ \t]+", lines.next() or "")
    try:
        log_prob, *backoff = (float(number) for number in (fields[0], *fields[order + 1 :]))
    except ValueError:
        log_prob, backoff = math.nan, []
    if len(fields) < order + 1 or len(backoff) > 1 or not log_prob <= 0 or not all(b < math.inf for b in backoff):
        weight = "" if is_last else " and perhaps the logarithm of a backoff weight"
        raise lines.error(f"the logarithm of a probability, {order} word{'s' * (order > 1)}{weight}")
    return tuple(fields[1 : order + 1]), (_natural(log_prob), _natural(*backoff or [0.0]))


def _natural(log10):
    return -math.inf if log10 <= _LOG10_OF_NOTHING else log10 * math.log(10)
