"""Settings survive JSON, and what they cannot be is refused in one line."""

import json

import pytest

from demos.speech.config import Config
from demos.speech.errors import UserError

CHANGED = {
    "dataset": "spoken_digit",
    "test_speaker": "theo",
    "training": {"epochs": 3, "learning_rate": 1},
    "speller": {"scorer": {"class_name": "LocationAware", "config": {"filters": [1, 2]}}},
    "augmentation": {"speed": (0.5, 2.0)},
}


def test_replace_changes_what_it_names_and_nothing_else():
    config = Config().replace(**CHANGED)
    expected = Config().to_dict()
    for name, value in CHANGED.items():
        expected[name] = expected[name] | value if isinstance(value, dict) else value
    assert config.to_dict() == expected
    assert Config().replace() == Config()


def test_json_gives_back_the_same_settings(tmp_path):
    config = Config().replace(**CHANGED)
    config.save(tmp_path / "config.json")
    assert Config.load(tmp_path / "config.json") == config
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert isinstance(Config.load(tmp_path / "config.json").augmentation.speed, tuple)


def test_what_is_left_out_has_its_default():
    assert Config.from_dict({}) == Config()
    assert Config.from_dict({"listener": {"levels": 3}}) == Config().replace(listener={"levels": 3})


def test_frames_that_an_encoder_frame_stands_for():
    assert Config().replace(listener={"stack": 3, "levels": 3}).listener.reduction == 12
    assert Config().replace(listener={"stack": 1, "levels": 6, "join": 1, "convolutions": 2}).listener.reduction == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3, "seed": 1}, "Received: ['epoch', 'seed']"),
        ({"training": {"epoch": 3}}, "Expected settings of training among ['batch_size', 'clip_norm'"),
        ({"training": 3}, "Expected settings of training as a dict. Received: 3"),
        ({"training": None}, "Received: None"),
        ({"training": {"epochs": "many"}}, "Expected epochs as int | None. Received: epochs='many'"),
        ({"training": {"epochs": 2.5}}, "Expected epochs as int | None. Received: epochs=2.5"),
        ({"training": {"epochs": True}}, "Received: epochs=True"),
        ({"training": {"learning_rate": "fast"}}, "Expected learning_rate as float. Received: learning_rate='fast'"),
        ({"features": {"sample_rate": "8k"}}, "Expected sample_rate as int | None. Received: sample_rate='8k'"),
        ({"speller": {"scorer": 3}}, "Expected scorer as str | dict. Received: scorer=3"),
        ({"dataset": None}, "Expected dataset as str. Received: dataset=None"),
        ({"augmentation": {"speed": 1.0}}, "Expected speed as tuple[float, float]. Received: speed=1.0"),
        ({"augmentation": {"speed": [1.0, 1.0, 1.0]}}, "Received: speed=(1.0, 1.0, 1.0)"),
        ({"augmentation": {"speed": [1.0, "fast"]}}, "Received: speed=(1.0, 'fast')"),
        ({"training": {"epochs": 0}}, "Expected epochs from 1 to inf. Received: epochs=0"),
        ({"training": {"batch_size": 0}}, "Expected batch_size from 1 to inf. Received: batch_size=0"),
        ({"training": {"seed": -1}}, "Expected seed from 0 to 4294967295. Received: seed=-1"),
        ({"training": {"warmup": 1.0}}, "Expected warmup from 0 to 0.99. Received: warmup=1.0"),
        ({"training": {"ctc_weight": float("nan")}}, "Expected ctc_weight from 0 to 1. Received: ctc_weight=nan"),
        ({"training": {"patience": 0}}, "Expected patience from 1 to inf. Received: patience=0"),
        ({"listener": {"convolutions": -1}}, "Expected convolutions from 0 to inf. Received: convolutions=-1"),
        ({"listener": {"levels": 0}}, "Expected levels from 1 to inf. Received: levels=0"),
    ],
)
def test_what_settings_cannot_be(changes, message):
    with pytest.raises(UserError) as error:
        Config().replace(**changes)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"training": []}', '{"no": 1}', "\udc80"])
def test_a_file_that_holds_no_settings(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match="config.json|Expected settings"):
        Config.load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="Cannot read the configuration .*: No such file"):
        Config.load(tmp_path / "config.json")
