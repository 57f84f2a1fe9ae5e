"""The same utterances in one search after the other."""

import json

import pytest

from demos.speech import ablation
from demos.speech.config import Config
from demos.speech.errors import UserError
from tests.demos.speech import tone_words
from tests.demos.speech.planted import planted_transcriber, save_model


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run folder; greedy search is wrong about two utterances, all others about one."""
    save_model(tmp_path)
    tone_words.install(monkeypatch)

    def search_of(model, search):
        return planted_transcriber({1: "fa", 3: "do " * 9} if search.beam_width == 1 else {1: "fa"})

    monkeypatch.setattr(ablation, "search_of", search_of)
    return tmp_path


def test_one_rule_more_at_a_time(run, capsys):
    ablation.print_table(ablation.ablate(run, decoding={"ctc_weight": 0.25, "length_normalization": 0.5}))
    rows = capsys.readouterr().out.splitlines()[1:]
    names = ["greedy", "beam of 8", "+ CTC, weight 0.25", "+ coverage, penalty 0.001"]
    assert [row[:26].strip() for row in rows] == names
    written = json.loads((run / "ablation.json").read_text())
    assert written["dataset"] == "tone_words" and list(written["searches"]) == names
    searches = [Config().replace(decoding=result["decoding"]).decoding for result in written["searches"].values()]
    assert [(one.beam_width, one.ctc_weight, one.coverage_penalty) for one in searches] == [
        (1, 0, 0),
        (8, 0, 0),
        (8, 0.25, 0),
        (8, 0.25, 0.001),
    ]
    assert {one.length_normalization for one in searches} == {0.5}
    greedy, beam = (written["searches"][name] for name in names[:2])
    assert greedy["looped"] == 1 and beam["looped"] == 0 and greedy["wer"] > beam["wer"] > 0


def test_no_such_split(run):
    with pytest.raises(UserError, match="Received: split='dev'"):
        list(ablation.ablate(run, "dev"))
    assert not (run / "ablation.json").exists()
