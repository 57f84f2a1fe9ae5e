"""What the command line makes of options, files and recipes."""

import json
import re
from pathlib import Path

import pytest

from demos.speech import corpora
from demos.speech.config import Config, FeatureConfig
from demos.speech.errors import UserError
from demos.speech.parser import make_parser
from demos.speech.settings import check_resume, config_file, settings

RECIPES = sorted(Path(config_file("yes_no")).parent.glob("*.json"))


def parse(*options):
    return make_parser().parse_args(["train", *map(str, options)])


def train(*options):
    return settings(parse(*options))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_loads_and_is_told_of(recipe, capsys):
    config = train("--config", recipe.stem)
    assert config == Config.load(recipe) != Config()
    options = {name for name, value in config.to_dict()["data"].items() if value not in (None, False)}
    assert options <= set(corpora.options_of(config.dataset))
    assert f"\n| `{recipe.stem}` |" in recipe.with_name("README.md").read_text()
    with pytest.raises(SystemExit):
        make_parser().parse_args(["train", "--help"])
    assert re.search(rf"\b{recipe.stem}\b", capsys.readouterr().out)


def test_options_go_over_a_recipe():
    config = train("--config", "yes_no", "--epochs", 2, "--tokens", "bpe", "--lowercase", "--set", "listener.units=7")
    assert (config.training.epochs, config.tokens, config.data.lowercase, config.listener.units) == (2, "bpe", True, 7)
    assert config.data.train_split == "train[:40]" and config.training.batch_size == 4


def test_a_file_goes_before_a_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train("--config", "yes_no").dataset == "tfds:yes_no"
    Path("yes_no").write_text(json.dumps({"dataset": "spoken_digit"}))
    assert train("--config", "yes_no").dataset == "spoken_digit"


def test_a_dataset_has_settings_that_suit_it():
    assert train("--dataset", "manifest:a.tsv").training.guided_attention == 10
    assert train("--dataset", "spoken_digit+manifest:a.tsv").training.epochs == 30
    assert train("--dataset", "tfds:spoken_digit").training == Config().training


@pytest.mark.parametrize("of", [("--dataset", "spoken_digit"), ("--config", "digits"), ("--config", "yes_no")])
def test_what_is_heard_later_changes_nothing_in_streaming(of):
    config = train(*of, "--preset", "streaming")
    assert not config.listener.bidirectional and config.listener.convolutions == 0
    assert not config.features.subtract_mean and not config.features.scale_to_peak
    assert config.features.floor == FeatureConfig().floor


def test_neither_file_nor_recipe(tmp_path):
    with pytest.raises(UserError, match=r"a file or a recipe: digits, .*, yes_no. Received: config='nothing'"):
        train("--config", "nothing")
    with pytest.raises(UserError, match="Cannot read the configuration .*nothing.json"):
        train("--config", tmp_path / "nothing.json")


def test_a_manifest_is_found_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train("--dataset", "manifest:a.tsv").dataset == f"manifest:{tmp_path}/a.tsv"


def test_a_run_is_resumed_with_its_own_settings(tmp_path):
    given = ["--dataset", "spoken_digit", "--preset", "streaming", "--seed", 3, "--set", "speller.scorer=dot"]
    arguments = parse("--run", tmp_path, *given)
    settings(arguments).replace(training={"patience": 9}).save(tmp_path / "config.json")
    check_resume(arguments, tmp_path)
    check_resume(parse("--run", tmp_path), tmp_path)
    check_resume(arguments, tmp_path / "nothing here")


def test_a_run_is_not_resumed_with_other_settings(tmp_path):
    Config().replace(training={"epochs": 7}).save(tmp_path / "config.json")
    with pytest.raises(UserError, match=r"listener.units=64 \(the run has 128\), training.seed=1 \(the run has 0\)$"):
        check_resume(parse("--seed", 1, "--epochs", 7, "--set", "listener.units=64"), tmp_path)
