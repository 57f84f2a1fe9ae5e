"""What the command line makes of errors, bugs and interruptions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from demos.speech import cli, commands
from demos.speech.cli import main
from demos.speech.errors import UserError
from tests.demos.speech.test_cli import refusal

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("Expected better"), "Expected better"),
        (OSError(28, "No space left on device", "model.keras"), "model.keras: No space left on device"),
        (
            tf.errors.ResourceExhaustedError(None, None, "x/a.pb; No space left on device"),
            "x/a.pb; No space left on device",
        ),
        (tf.errors.DataLossError(None, None, "Graph execution error:\n\nat\n\nbad\n\t [[{{node x}}]]"), "bad"),
        (ModuleNotFoundError("", name="jiwer"), "the package jiwer is not installed"),
    ],
)
def test_errors_are_one_line(capsys, monkeypatch, error, line):
    fails(monkeypatch, error)
    assert refusal(capsys, "export", "--model", "x").startswith(line)


def fails(monkeypatch, error, command="export"):
    def fail(arguments):
        raise error

    fail.__doc__ = "Fail."
    monkeypatch.setattr(commands, command, fail)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ModuleNotFoundError("", name="keras_attn.nonsense")])
def test_a_bug_shows_where_it_is(monkeypatch, error):
    fails(monkeypatch, error)
    with pytest.raises(type(error)):
        main(["export", "--model", "x"])


@pytest.mark.parametrize(
    ("command", "hint"), [("train", "interrupted; go on with --resume"), ("evaluate", "interrupted")]
)
def test_interrupted(capsys, monkeypatch, command, hint):
    fails(monkeypatch, KeyboardInterrupt(), command)
    assert main([command, *(["--model", "x"] if command == "evaluate" else [])]) == 130
    assert capsys.readouterr().err == f"{hint}\n"


def test_the_process_ends_with_the_code(tmp_path):
    command = [sys.executable, "-m", "demos.speech", "transcribe", str(tmp_path / "none.wav")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 2 and not run.stdout
    assert (
        run.stderr
        == f"error: Expected a readable audio file. Received: path='{tmp_path}/none.wav': No such file or directory\n"
    )


def test_who_reads_no_further_is_not_told_off(monkeypatch, tmp_path):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as broken:
        monkeypatch.setattr(sys, "stdout", broken)
        monkeypatch.setattr(commands, "export", lambda arguments: print("x", flush=True))
        commands.export.__doc__ = "Print."
        assert cli.main(["export", "--model", "x"]) == 0
