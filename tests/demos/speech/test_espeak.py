"""eSpeak NG: the same utterance whatever was spoken before, and times that match what is heard."""

import itertools

import numpy as np
import pytest

from demos.speech.datasets.synthetic_speech import espeak
from demos.speech.datasets.synthetic_speech.phoneme_times import Event, phoneme_times
from demos.speech.datasets.synthetic_speech.voices import ACCENTS, VOICES

# Variants with pitch flutter, roughness, breath noise, echo and eSpeak's other synthesisers.
UTTERANCES = [
    ("turn on the light in the kitchen", "gmw/en-us+f1", 150, 60),
    ("set a timer", "gmw/en-gb-scotland+f5", 190, 35),
    ("wake me up at ten o'clock", "gmw/en+edward", 130, 50),
    ("what is it", "gmw/en-029+iven2", 170, 40),
]


def _all(order):
    return {index: espeak.speak(*UTTERANCES[index]) for index in order}


def test_an_utterance_does_not_depend_on_what_was_spoken_before():
    first, second = _all([0, 1, 2, 3]), _all([3, 0, 2, 1])
    for index, speech in first.items():
        np.testing.assert_array_equal(speech.samples, second[index].samples)
        assert speech.words == second[index].words
        assert speech.phonemes == second[index].phonemes


@pytest.mark.parametrize("text, voice", [(text, voice) for text, voice, *_ in UTTERANCES])
def test_words_are_those_of_the_text_in_order(text, voice):
    speech = espeak.speak(text, voice)
    assert [word.text for word in speech.words] == text.split()
    ends = [0.0, *(word.end for word in speech.words)]
    assert all(end <= word.start < word.end for word, end in zip(speech.words, ends, strict=False))
    assert ends[-1] <= len(speech.samples) / speech.sample_rate
    assert all(phoneme.text and phoneme.start < phoneme.end for phoneme in speech.phonemes)


def _level(speech, start, end):
    first, last = (int(seconds * speech.sample_rate) for seconds in (start, end))
    return np.sqrt(np.mean(speech.samples[first:last].astype(np.float64) ** 2))


@pytest.mark.parametrize("accent", ACCENTS)
def test_first_word_starts_and_last_word_ends_with_the_sound(accent):
    speech = espeak.speak("make the lamp in my living room yellow", f"{ACCENTS[accent]}+m3")
    loud = np.flatnonzero(np.abs(speech.samples) > 0.02 * np.abs(speech.samples).max()) / speech.sample_rate
    assert abs(loud[0] - speech.words[0].start) < 0.03
    assert abs(loud[-1] - speech.words[-1].end) < 0.03


def test_pauses_between_words_belong_to_no_word():
    speech = espeak.speak("nine one eight one any apples call anna", "gmw/en-us+m3", word_gap=20)
    pairs = list(itertools.pairwise(speech.words))
    assert all(second.start - first.end > 0.1 for first, second in pairs)
    whole = _level(speech, 0, len(speech.samples) / speech.sample_rate)
    for first, second in pairs:
        assert _level(speech, first.end + 0.01, second.start - 0.01) < 0.02 * whole


def test_a_word_that_glides_into_the_next_leaves_no_gap():
    words = espeak.speak("call anna from an oven in my office", "gmw/en-us+m3").words
    joined = [(first.text, second.text) for first, second in itertools.pairwise(words) if first.end == second.start]
    for pair in [("call", "anna"), ("from", "an"), ("an", "oven"), ("my", "office")]:
        assert pair in joined


def test_boundaries_from_events():
    samples = np.ones(1000, np.int16) * 1000
    samples[300:400] = 0  # a pause
    events = [
        Event(1, 1, 0, ""), Event(7, 1, 0, "s"), Event(7, 1, 100, "ɛ"),
        Event(1, 3, 300, ""), Event(7, 3, 400, "t"), Event(7, 3, 450, "n"),
        Event(1, 5, 450, ""), Event(7, 5, 650, "ˈɛ"), Event(7, 6, 900, ""),
    ]  # fmt: skip
    assert phoneme_times(events, samples, window=10) == [
        (1, "s", 0, 100), (1, "ɛ", 100, 300), (3, "t", 400, 450), (3, "n", 450, 550), (5, "ˈɛ", 550, 900),
    ]  # fmt: skip


def test_unknown_voices_and_variants_are_errors():
    with pytest.raises(ValueError, match=r"Expected a voice of eSpeak NG. Received: voice='gmw/xx'"):
        espeak.speak("hello", "gmw/xx")
    with pytest.raises(ValueError, match=r"Expected a variant of eSpeak NG"):
        espeak.speak("hello", "gmw/en+nobody")


def test_a_variant_is_in_one_split_only_and_can_be_heard():
    variants = [variant for split in VOICES.values() for variant in split]
    assert len(set(variants)) == len(variants) >= 70
    for variant in variants:
        samples = espeak.speak("six", f"gmw/en+{variant}").samples.astype(np.float64)
        assert np.sqrt(np.mean(samples**2)) > 500, variant
        assert np.mean(np.abs(samples) >= 32767) < 0.001, variant  # hardly any clipping
