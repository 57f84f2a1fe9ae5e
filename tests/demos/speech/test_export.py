"""The SavedModel: the same as the model, whatever the batch, with TensorFlow alone; WAV files of any rate."""

import dataclasses
import io
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from demos.speech.audio import read_audio
from demos.speech.config import Config
from demos.speech.errors import UserError
from demos.speech.export import export
from demos.speech.language_model import LanguageModel
from demos.speech.language_model_files import arpa_names
from demos.speech.loading import search_of
from demos.speech.recognition import recognise
from tests.demos.speech.small_model import RATE, batch, make, sound
from tests.ngram_by_hand import arpa, random_ngrams

EXACT = {"text", "tokens", "num_tokens", "num_frames", "ended", "words", "num_words", "word_ids", "n_best_text"}
CLOSE = {"score", "alignment", "frame_times", "word_times", "word_confidence", "n_best_score"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """What the model does in Python, the path of its SavedModel, and the settings: all that a search can have."""
    folder = tmp_path_factory.mktemp("export")
    model = make()
    model.save(folder / "model.keras")
    LanguageModel(model.vocabulary.symbols, embedding=4, units=8).save(folder / "lm.keras")
    (folder / "letters.arpa").write_text(arpa(random_ngrams(1, arpa_names(model.vocabulary)[2:], order=3)))
    (folder / "words.arpa").write_text(arpa(random_ngrams(2, ["ab", "cc", "a", "<unk>"], order=2)))
    decoding = {
        "beam_width": 3,
        "n_best": 2,
        "ctc_weight": 0.2,
        "min_length_ratio": 0.1,
        "coverage_penalty": 0.01,
        "end_threshold": 1.5,
        "max_attention_shift": 0.8,
        "phrase_bonus": 3.0,
        "language_models": [str(folder / name) for name in ("lm.keras", "letters.arpa", "words.arpa")],
    }
    export(folder, folder / "saved_model", decoding)
    return search_of(model, Config().replace(decoding=decoding).decoding), folder / "saved_model", decoding


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(exported[1])


@pytest.mark.parametrize(("count", "seconds"), [(1, 0.1), (3, 1.0), (8, 2.5)])
def test_equals_the_model(exported, loaded, count, seconds):
    waveform, num_samples = batch([sound(seconds * (1 - 0.1 * i), seed=i) for i in range(count)])
    expected = exported[0](waveform, num_samples)
    results = loaded.signatures["serving_default"](waveform=waveform, num_samples=num_samples)
    assert set(results) == set(expected) == EXACT | CLOSE
    for name in EXACT:
        np.testing.assert_array_equal(results[name], expected[name])
    for name in CLOSE:
        np.testing.assert_allclose(results[name], expected[name], atol=1e-4)
    assert results["alignment"].shape[::2] == (count, len(results["frame_times"]))


def test_a_compiled_search_finds_the_same(exported, loaded, tmp_path):
    _, saved_model, decoding = exported
    export(saved_model.parent, tmp_path / "compiled", decoding, jit_compile=True)
    compiled = tf.saved_model.load(tmp_path / "compiled")
    phrases = tf.constant(["ab", "lamb"])
    for count, seconds in [(1, 0.1), (3, 1.0)]:
        inputs = [tf.constant(array) for array in batch([sound(seconds, seed=i) for i in range(count)])]
        for expected, found in (
            (loaded.transcribe(*inputs), compiled.transcribe(*inputs)),
            (loaded.transcribe_phrases(*inputs, phrases), compiled.transcribe_phrases(*inputs, phrases)),
        ):
            for name in EXACT:
                np.testing.assert_array_equal(found[name], expected[name])
            for name in CLOSE:
                np.testing.assert_allclose(found[name], expected[name], atol=1e-4)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_an_ensemble_is_one_saved_model(tmp_path, jit_compile):
    model, other = make(), tmp_path / "other.keras"
    model.save(tmp_path / "model.keras")
    make(seed=2, units=12, delta_window=2).save(other)
    decoding = {"ensemble": [str(other)], "beam_width": 3, "ctc_weight": 0.2, "min_length_ratio": 0.1}
    export(tmp_path, tmp_path / "saved_model", decoding, jit_compile)
    search = Config().replace(decoding=decoding).decoding
    inputs = [tf.constant(array) for array in batch([sound(1.0), sound(0.7, seed=1)])]
    expected, alone = search_of(model, search)(*inputs), search_of(model, dataclasses.replace(search, ensemble=()))
    loaded = tf.saved_model.load(tmp_path / "saved_model")
    found = loaded.transcribe(*inputs)
    np.testing.assert_array_equal(found["text"], expected["text"])
    np.testing.assert_allclose(found["score"], expected["score"], atol=1e-4)
    assert np.all(np.abs(found["score"] - alone(*inputs)["score"]) > 1e-3)


def test_phrases(exported, loaded):
    waveform, num_samples = batch([sound(1.0), sound(0.7, seed=1)])
    inputs = {"waveform": tf.constant(waveform), "num_samples": tf.constant(num_samples)}
    plain = loaded.signatures["serving_default"](**inputs)
    none = loaded.signatures["transcribe_phrases"](**inputs, phrases=tf.constant([], "string"))
    np.testing.assert_array_equal(none["text"], plain["text"])
    some = loaded.signatures["transcribe_phrases"](**inputs, phrases=tf.constant(["ab", "lamb"]))
    assert np.any(some["score"].numpy() != plain["score"].numpy())
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected characters of the vocabulary"):
        loaded.transcribe_phrases(**inputs, phrases=tf.constant(["q"]))


def test_alone_and_in_a_batch(loaded):
    sounds = [sound(seconds, seed=i) for i, seconds in enumerate([0.1, 0.3, 0.6, 0.9, 1.2, 1.7, 2.0, 2.5])]
    transcribe = loaded.signatures["serving_default"]
    together = [transcript for _, transcript in recognise(transcribe, [{"audio": one} for one in sounds])]
    assert len({transcript.text for transcript in together}) > 3
    for one, transcript in zip(sounds, together, strict=True):
        ((_, alone),) = recognise(transcribe, [{"audio": one}])
        assert alone.text == transcript.text
        assert alone.score == pytest.approx(transcript.score, abs=1e-4)
        np.testing.assert_allclose(alone.alignment, transcript.alignment, atol=1e-4)


def test_what_is_inside(loaded):
    assert loaded.sample_rate.numpy() == RATE
    assert [symbol.decode() for symbol in loaded.symbols.numpy()] == ["<end>", "<start>", *" abcdefghijklm"]


def test_no_cudnn_and_no_python_in_the_graph(exported):
    proto = saved_model_proto(exported[1])
    functions = [function.node_def for graph in proto for function in graph.library.function]
    names = {node.op for nodes in [*functions, *(graph.node for graph in proto)] for node in nodes}
    assert {"While", "DecodeWav", "RFFT"} <= names
    assert not {name for name in names if "cudnn" in name.lower() or "PyFunc" in name}


def saved_model_proto(path):
    """The graphs of a SavedModel."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return [tf.compat.v1.saved_model.loader.load(session, ["serve"], str(path)).graph_def]


ALONE = """
import sys
import tensorflow as tf
recogniser = tf.saved_model.load(sys.argv[1])
wav = tf.io.read_file(sys.argv[2])
print(recogniser.signatures["transcribe_wav"](wav=tf.stack([wav, wav]))["text"].numpy())
assert not [name for name in sys.modules if name.split(".")[0] in ("demos", "keras_attn")]
"""


def test_tensorflow_alone_is_enough(exported, loaded, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(sound(1.0)))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", ALONE, str(exported[1]), str(tmp_path / "a.wav")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert run.returncode == 0, run.stderr
    expected = loaded.transcribe_wav([wav(sound(1.0))] * 2)["text"].numpy()
    assert run.stdout.strip() == str(expected)


def wav(samples, rate=RATE, subtype="PCM_16"):
    """The bytes of a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype, format="WAV")
    return file.getvalue()


def test_wav_files_of_many_rates_and_channels_in_one_batch(loaded, tmp_path):
    rates = [8000, 11025, 22050, 44100, 48000]
    files = []
    for i, rate in enumerate(rates):
        samples = sound(0.5 + 0.3 * i, rate, seed=i)
        files.append(wav(np.stack([1.5 * samples, 0.5 * samples], 1) if i % 2 else samples, rate))
        (tmp_path / f"{i}.wav").write_bytes(files[-1])
    results = loaded.transcribe_wav(files)
    read = [read_audio(tmp_path / f"{i}.wav", RATE) for i in range(len(rates))]
    expected = loaded.transcribe(*batch(read))
    np.testing.assert_array_equal(results["text"], expected["text"])
    np.testing.assert_array_equal(results["num_frames"], expected["num_frames"])
    np.testing.assert_allclose(results["alignment"], expected["alignment"], atol=1e-2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"which begin with RIFF. Received bytes:\] \[0\]"),
        (b"This is no audio.", r"which begin with RIFF. Received bytes:\] \[17\]"),
        (wav(sound(0.5))[:1000], "Data too short"),
        (wav(sound(0.5), subtype="PCM_24"), "16-bit WAV files, but received 24"),
        (wav(sound(0.5), subtype="FLOAT"), r"Expected 1 \(PCM\), but got3"),
        (wav(np.zeros(0)), r"0.1 to 60 seconds. Received:\] \[0\]"),
        (wav(sound(0.01)), r"0.1 to 60 seconds. Received:\] \[0.01\]"),
        (wav(np.zeros(61 * 4000), 4000), r"0.1 to 60 seconds. Received:\] \[61\]"),
        (wav(np.zeros(3000), 3000), r"4000 to 192000 samples a second. Received:\] \[3000\]"),
    ],
)
def test_bad_wav_files(loaded, content, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        loaded.transcribe_wav([wav(sound(0.5)), content])


def test_a_saved_model_is_replaced_but_nothing_else_is(exported, tmp_path, monkeypatch):
    monkeypatch.setattr("demos.speech.export.exportable", lambda *_: Small())
    source, target = exported[1].parent, tmp_path / "saved_model"
    target.mkdir()
    (target / "letter.txt").write_text("Dear")
    with pytest.raises(UserError, match=r"Expected a new folder, or a SavedModel to replace. .* holds letter.txt"):
        export(source, target)
    (target / "letter.txt").rename(target / "saved_model.pb")
    export(source, target)
    assert tf.saved_model.contains_saved_model(str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["saved_model"]


class Small(tf.Module):
    """What is exported quickly."""

    @tf.function(input_signature=[tf.TensorSpec([])])
    def transcribe(self, waveform):
        return {"text": waveform}

    transcribe_wav = transcribe_phrases = transcribe


def test_models_that_cannot_be_exported(tmp_path):
    refused(tmp_path / "none", "none', which does not exist")
    refused(tmp_path, "model.keras', which does not exist")
    (tmp_path / "text.keras").write_text("no model")
    refused(tmp_path / "text.keras", "text.keras', which is damaged or none")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    refused(tmp_path / "other.keras", "which holds a Sequential")
    content = (tmp_path / "other.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "cut.keras", "cut.keras', which is damaged or none")
    damaged = content.replace(b"Sequential", b"Sequenziell")
    (tmp_path / "damaged.keras").write_bytes(damaged)
    refused(tmp_path / "damaged.keras", "Cannot load .*damaged.keras, which should be a .keras file made by train: ")
    assert not (tmp_path / "out").exists()


def refused(path, message):
    with pytest.raises(UserError, match=message) as caught:
        export(path, path.parent / "out")
    assert "\n" not in str(caught.value)
