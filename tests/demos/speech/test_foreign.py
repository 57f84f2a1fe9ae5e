"""English digits in the accents of other languages."""

import numpy as np
import pytest

from demos.speech.datasets.synthetic_speech import espeak_data, utterance
from demos.speech.datasets.synthetic_speech.draws import Draws
from demos.speech.datasets.synthetic_speech.foreign import FOREIGN_ACCENTS, written
from demos.speech.datasets.synthetic_speech.sentences.number_words import DIGITS

ALL = " ".join(DIGITS)
MANNER = utterance.draw_manner("train", Draws("a"))._replace(rate=160)


def test_there_are_many_languages_and_each_has_a_voice_of_its_own():
    assert len(FOREIGN_ACCENTS) >= 40
    assert len(set(FOREIGN_ACCENTS.values())) == len(FOREIGN_ACCENTS)
    assert not {name for name in FOREIGN_ACCENTS if name in utterance.ACCENTS}
    assert all((espeak_data.folder() / "lang" / voice).is_file() for voice in FOREIGN_ACCENTS.values())


def test_what_is_written_depends_on_the_draws_alone():
    every = {written("three", "de", Draws(str(key))) for key in range(50)}
    assert every == {"thrie", "srieh"}
    assert written(ALL, "de", Draws("a")) == written(ALL, "de", Draws("a"))


@pytest.mark.parametrize("accent", FOREIGN_ACCENTS)
def test_every_accent_says_every_digit_in_its_time(accent):
    for key in ("a", "b", "c"):
        spelling = written(ALL, accent, Draws(key))
        spoken = utterance.speak(ALL, MANNER._replace(accent=accent), spelling)
        assert [word.text for word in spoken.words] == list(DIGITS)
        times = np.array([(word.start, word.end) for word in spoken.words])
        assert (times[:, 0] < times[:, 1]).all() and (times[1:, 0] >= times[:-1, 1] - 1e-6).all()
        assert spoken.voice == f"{accent}+{MANNER.speaker}"


def test_accents_differ():
    spoken = {name: utterance.speak("three", MANNER._replace(accent=name), "tri") for name in ("de", "es", "it", "tr")}
    assert len({bytes(one.samples) for one in spoken.values()}) == len(spoken)


def test_accented_digits_are_said_by_all_accents_and_others_by_english_ones():
    voices = [utterance.utterance("accented_digits", "test", index, "three seven two").voice for index in range(300)]
    accents = {voice.partition("+")[0] for voice in voices}
    assert accents <= set(FOREIGN_ACCENTS) | set(utterance.ACCENTS)
    assert len(accents) > 40
    voices = [utterance.utterance("digits", "test", index, "three seven two").voice for index in range(30)]
    assert {voice.partition("+")[0] for voice in voices} <= set(utterance.ACCENTS)
