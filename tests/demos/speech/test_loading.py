"""Recognisers that are asked together."""

import pytest

from demos.speech.decoding import DecodingConfig
from demos.speech.errors import UserError
from demos.speech.loading import ensemble, open_recogniser
from tests.demos.speech.small_model import batch, make, sound


def test_other_tokens_other_frames_and_no_model_at_all(tmp_path):
    others = {"tokens": make(" abc"), "frames": make(window=0.02)}
    for name, other in others.items():
        other.save(tmp_path / f"{name}.keras")
        with pytest.raises(UserError, match=f"Expected recognisers of the same {name} in an ensemble.*{name}.keras"):
            ensemble(make(), DecodingConfig(ensemble=(str(tmp_path / f"{name}.keras"),)))
    with pytest.raises(UserError, match="nothing.keras', which does not exist"):
        ensemble(make(), DecodingConfig(ensemble=(str(tmp_path / "nothing.keras"),)))


def test_a_recogniser_with_another_to_ask(tmp_path):
    make().save(tmp_path / "model.keras")
    make(seed=2, delta_window=1).save(tmp_path / "other.keras")
    alone, together = (
        open_recogniser(tmp_path, {"beam_width": 1, "max_length_ratio": 0.3, "ensemble": others}).transcribe
        for others in ([], [str(tmp_path / "other.keras")])
    )
    inputs = batch([sound(1.0)])
    assert abs(float(together(*inputs)["score"][0] - alone(*inputs)["score"][0])) > 1e-3
