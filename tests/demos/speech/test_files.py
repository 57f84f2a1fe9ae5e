"""Files that are written whole or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demos.speech import files
from demos.speech.errors import UserError
from demos.speech.files import check_writable, explained, remove_unfinished, write_beside

ROOT = Path(__file__).parents[3]


def write(path, text="new", folder=False):
    with write_beside(path) as beside:
        if folder:
            beside.mkdir()
            (beside / "inside.txt").write_text(text)
        else:
            beside.write_text(text)


def content(path):
    return (path / "inside.txt" if path.is_dir() else path).read_text()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("parents", ["", "a/b"])
def test_takes_its_name_and_replaces_what_was_there(tmp_path, folder, parents):
    path = tmp_path / parents / "result.txt"
    for text in ("old", "new"):
        write(path, text, folder)
        assert content(path) == text
        assert names(path.parent) == ["result.txt"]


def test_the_temporary_name_keeps_the_suffix(tmp_path):
    with write_beside(str(tmp_path / "model.keras")) as beside:
        assert beside.name == "model.keras" and beside.parent.parent == tmp_path
        beside.touch()


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path, folder, error):
    path = tmp_path / "result"
    write(path, "old", folder)
    expected = UserError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected), write_beside(path) as beside:
        beside.mkdir()
        (beside / "half").touch()
        raise error
    assert content(path) == "old" and names(tmp_path) == ["result"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_rename_that_is_refused_leaves_what_was_there(tmp_path, folder, monkeypatch):
    path = tmp_path / "result"
    write(path, "old", folder)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(UserError, match=r"^Cannot write .*/result: No space left on device$"):
        write(path, folder=folder)
    assert content(path) == "old" and names(tmp_path) == ["result"]


@pytest.mark.parametrize("folder", [False, True])
def test_nothing_written_leaves_what_was_there(tmp_path, folder):
    path = tmp_path / "result"
    write(path, "old", folder)
    with pytest.raises(UserError, match="No such file"), write_beside(path):
        pass
    assert content(path) == "old" and names(tmp_path) == ["result"]


def test_a_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "result", tmp_path / "file" / "a" / "result"):
        with pytest.raises(UserError, match="^Cannot write .*/result: (Not a directory|File exists)$"):
            write(path)
        with pytest.raises(UserError, match="^Cannot write "):
            check_writable(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(tmp_path):
    tmp_path.chmod(0o500)
    for attempt in (write, check_writable):
        with pytest.raises(UserError, match="Permission denied"):
            attempt(tmp_path / "result")


def test_a_check_leaves_nothing(tmp_path):
    check_writable(tmp_path / "a" / "b" / "result")
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [OSError(), OSError("first line\nsecond line")])
def test_errors_without_a_number_get_one_line(error):
    with pytest.raises(UserError, match="^Cannot write it: (OSError|first line)$"), explained("it"):
        raise error


def test_a_kill_leaves_a_hidden_folder_that_can_be_removed(tmp_path):
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "result"
    path.write_text("old")
    script = (
        "import os, signal, sys; from demos.speech.files import write_beside\n"
        "with write_beside(sys.argv[1]) as beside:\n"
        "    beside.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, path], env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert killed.returncode == -signal.SIGKILL
    hidden, name = names(path.parent)
    assert hidden.startswith(".writing-") and name == "result" and content(path) == "old"
    remove_unfinished(tmp_path)
    assert names(path.parent) == ["result"]
