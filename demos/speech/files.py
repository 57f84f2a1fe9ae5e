"""Writing files so that nothing half-written is ever left under its name."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from demos.speech.errors import UserError


@contextlib.contextmanager
def write_beside(path):
    """A path to write to, a file or a folder, that takes the name `path` when all went well and vanishes if not.

    The temporary name keeps the suffix, since many writers choose the format by it.

    Raises:
        UserError: the place cannot be written to, or is full.

    >>> target = Path(tempfile.mkdtemp(), "greeting.txt")
    >>> with write_beside(target) as beside:
    ...     _ = beside.write_text("hello")
    >>> target.read_text()
    'hello'
    """
    path = Path(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.parent))
        try:
            yield folder / path.name
            if path.is_dir() and (folder / path.name).exists():
                # A folder cannot take the name of another; a rename of that one is sooner done than its removal.
                os.replace(path, folder / ".replaced")
            os.replace(folder / path.name, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished(folder):
    """Remove what `write_beside` was writing anywhere in a folder when it was killed. Nobody may be writing there."""
    for leftover in list(Path(folder).rglob(".writing-*")):
        shutil.rmtree(leftover, ignore_errors=True)


def check_writable(path):
    """Find out whether `path` could be written, before hours of work are spent on what is to go there.

    Raises:
        UserError: no file or folder can be made there.
    """
    path = Path(path).absolute()
    existing = path if path.is_dir() else next(folder for folder in path.parents if folder.exists())
    with explained(path):
        tempfile.TemporaryDirectory(prefix=".writing-", dir=existing).cleanup()


def read_lines(path):
    """The lines of a text file in UTF-8 that are not empty, without white space around them, a tuple.

    Raises:
        UserError: it is no such text.
    """
    data = Path(path).read_bytes()
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(f"Expected a text file in UTF-8. Received: {path}, line {line}: {error.reason}") from None
    return tuple(filter(None, map(str.strip, lines)))


@contextlib.contextmanager
def explained(path):
    """Turn an operating system's refusal while writing `path` into a UserError of one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"Cannot write {path}: {reason}") from error
