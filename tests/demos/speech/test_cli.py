"""The command line: help, settings, errors of the user and of the system."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demos.speech import corpora, road, training
from demos.speech.cli import main
from demos.speech.config import EPOCHS, STEPS, Config
from demos.speech.parser import COMMANDS, make_parser
from demos.speech.settings import settings
from tests.demos.speech import small_model
from tests.demos.speech.tone_words import NAME, ToneWords

ROOT = Path(__file__).parents[3]


def help_of(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--help"])
    assert caught.value.code == 0
    return re.sub(r"\s+", " ", capsys.readouterr().out)


def test_help_shows_the_commands_and_two_examples(capsys):
    text = help_of(capsys)
    assert all(f" {name} " in text for name in COMMANDS)
    assert text.count("python -m demos.speech t") == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text_with_its_default(capsys, command):
    text = help_of(capsys, command).split("options: ")[1].split("show this help message and exit ")[1]
    for option in re.split(r"(?<= )--(?=[a-z-]+ )", text)[1:]:
        assert re.search(r"\((default: .+|required)\)", option) or "and the dataset" in option, option


def test_defaults_in_the_help_are_those_of_the_configuration(capsys):
    text = help_of(capsys, "train")
    values = Config().training
    digits = Config.of_dataset("spoken_digit").training.epochs
    epochs = f"{EPOCHS}, and more where that is less than {STEPS} steps; {digits} for spoken_digit and kokoro_digits"
    for default in (epochs, values.batch_size, values.learning_rate, values.seed, Config().dataset):
        assert f"(default: {default})" in text
    assert all(name in text for name in corpora._CORPORA)
    assert f"(default: {road.RUN})" in help_of(capsys)


def test_help_needs_no_tensorflow():
    script = (
        "import sys; from demos.speech.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: print(*{'tensorflow', 'keras', 'matplotlib'} & set(sys.modules), 'end')"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert run.stdout.splitlines()[-1] == "end"


def refusal(capsys, *arguments):
    """The one line on standard error of a command that refuses."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as exit:
        code = exit.code
    out, err = capsys.readouterr()
    assert code == 2 and not out
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sing"], "invalid choice: 'sing'"),
        (["train", "--epochs", "x"], "argument --epochs: invalid int value: 'x'"),
        (["train", "--epochs", "0"], "Expected epochs from 1"),
        (["train", "--set", "listener"], "Expected --set NAME=VALUE. Received: 'listener'"),
        (["train", "--set", "listener.unit=3"], "Expected settings of listener among"),
        (["train", "--set", "listener.units=many"], "Expected units as int. Received: units='many'"),
        (["train", "--set", "listener=3"], "Expected settings of listener as a dict"),
        (["train", "--dataset", "nonsense"], "Expected a dataset of synthetic_speech/commands"),
        (["train", "--config", "nowhere.json"], "Cannot read the configuration nowhere.json"),
        (["train", "--resume"], "There is no run to resume in runs/synthetic_speech-commands"),
        (["train", "--resume", "--preset", "streaming"], "There is no run to resume"),
        (["--run", "x", "train"], "--run and --data-dir come after the command"),
        (["evaluate"], "the following arguments are required: --model"),
        (["evaluate", "--model", "nowhere"], "Expected a run folder or a .keras file. Received: model='nowhere'"),
        (["evaluate", "--model", "x", "--beam-width", "0"], "expected a number of at least 1, received 0"),
        (["compare", "--scorers", "luong"], "Unknown scorer"),
        (["compare", "--set", "listener.units=many"], "Expected units as int. Received: units='many'"),
        (["plot", "--model", "x", "--output", "x.jpg"], "expected a name that ends in .png or .svg, received 'x.jpg'"),
        (["export", "--model", "nowhere"], "model='nowhere', which does not exist"),
    ],
)
def test_mistakes(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refusal(capsys, *arguments)
    assert not list(tmp_path.iterdir())


def test_settings_come_from_the_file_then_the_preset_then_the_options_then_set(tmp_path):
    Config().replace(dataset=NAME, training={"epochs": 7, "seed": 5}, listener={"units": 3}).save(tmp_path / "c.json")
    options = ["--config", str(tmp_path / "c.json"), "--epochs", "8", "--learning-rate", "0.1", "--batch-size", "2"]
    options += ["--preset", "las-6-1280", "--set", "training.seed=9", "--set", "speller.scorer=dot"]
    options += ["--set", "augmentation.speed=[1,1.5]"]
    assert settings(make_parser().parse_args(["train", *options])) == Config().replace(
        dataset=NAME,
        training={"epochs": 8, "seed": 9, "learning_rate": 0.1, "batch_size": 2},
        features={"bands": 80},
        listener={"convolutions": 2, "stack": 1, "join": 1, "levels": 6, "units": 1280},
        speller={"levels": 2, "units": 1280, "embedding": 96, "scorer": "dot"},
        augmentation={"speed": [1, 1.5]},
    )


def test_the_name_of_the_run_follows_from_the_dataset(monkeypatch, capsys, tmp_path):
    calls = []
    monkeypatch.setattr(training, "train", lambda *values: calls.append(values) or values[1] / "model.keras")
    assert main(["train", "--dataset", "synthetic_speech/digits", "--data-dir", str(tmp_path)]) == 0
    assert calls[0][1:4] == (Path("runs/synthetic_speech-digits"), tmp_path, False)
    assert "runs/synthetic_speech-digits/model.keras" in capsys.readouterr().out
    assert main(["train", "--run", "elsewhere", "--resume"]) == 0
    assert calls[1][1:4] == (Path("elsewhere"), None, True)


def test_without_a_command_the_whole_road(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(road, "run", lambda **options: calls.append(options))
    assert main([]) == 0
    assert main(["--run", "here", "--data-dir", str(tmp_path)]) == 0
    assert calls == [{"verbose": 2}, {"run_dir": Path("here"), "data_dir": tmp_path, "verbose": 2}]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run on tones whose model has not learned anything."""
    monkeypatch.setitem(corpora._CORPORA, NAME, ToneWords)
    small_model.make(" adefimor").save(tmp_path / "model.keras")
    Config().replace(dataset=NAME).save(tmp_path / "config.json")
    return tmp_path


def test_evaluate_prints_one_object(run, capsys):
    assert main(["evaluate", "--model", str(run), "--json", "--beam-width", "1", "--plots", "0"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    results = json.loads(line)
    assert {"wer", "cer", "utterances", "boundary_error_ms", "mass_inside"} <= set(results)
    assert results == json.loads((run / "evaluation.json").read_text())


def test_a_model_of_another_vocabulary(run, capsys):
    small_model.make("xyz").save(run / "model.keras")
    message = refusal(capsys, "evaluate", "--model", run)
    assert message.startswith("tone_words has characters that the model cannot write: ' ' 'a' 'd' 'e'")
    assert not (run / "evaluation.json").exists()


def test_a_run_is_not_overwritten(run, capsys):
    before = (run / "config.json").read_bytes()
    message = refusal(capsys, "train", "--dataset", NAME, "--run", run)
    assert message == f"{run} holds a run already: go on with --resume, or choose another folder with --run"
    assert (run / "config.json").read_bytes() == before


@pytest.mark.parametrize("command", ["train", "export", "plot"])
def test_an_output_that_cannot_be_written(run, capsys, command):
    (run / "file").write_text("")
    target = run / "file" / "folder" / "x.png"
    arguments = {
        "train": ["--dataset", NAME, "--run", target],
        "export": ["--model", run, "--output", target],
        "plot": ["--model", run, "--output", target],
    }
    message = refusal(capsys, command, *arguments[command])
    assert message.startswith(f"Cannot write {target}") and message.endswith(": Not a directory")


@pytest.fixture
def full_disk(tmp_path):
    """A folder on a disk of its own that has 20 kB left."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk takes Linux and the rights of its administrator")
    (folder / "filler").write_bytes(bytes(1004 * 1024))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("command", ["export", "evaluate", "plot"])
def test_a_full_disk(run, full_disk, capsys, command):
    for name in ("config.json", "model.keras"):
        (full_disk / name).symlink_to(run / name)
    before = contents(full_disk)
    arguments = {
        "export": ["--model", run, "--output", full_disk / "x"],
        "evaluate": ["--model", full_disk, "--beam-width", "1"],
        "plot": ["--model", run, "--output", full_disk / "x.png"],
    }
    line = refusal(capsys, command, *arguments[command])
    assert "No space left on device" in line and str(full_disk) in line
    assert contents(full_disk) == before


def contents(folder):
    """All files below a folder, with their sizes."""
    return {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_settings_that_make_no_model(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(corpora._CORPORA, NAME, ToneWords)
    message = refusal(capsys, "train", "--dataset", NAME, "--run", tmp_path / "run", "--set", "speller.scorer=nonsense")
    assert message.startswith("The settings make no model: Unknown scorer. Expected one of 'additive'")
    assert not list(tmp_path.iterdir())
