"""Writing while a recording goes on: where it is cut, what comes from standard input, and how late it is."""

import io
import re
import types

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from demos.speech import live, streaming_session
from demos.speech.cli import main
from demos.speech.errors import UserError
from demos.speech.live import Lag, file_chunks, utterances, write_live
from demos.speech.streaming_evaluation import compare

RATE = 8000
SIZE = RATE // 10


def recording(*seconds):
    """Noise that is by turns quiet and loud, for so many seconds each."""
    levels = np.repeat([(1e-3, 0.1)[i % 2] for i in range(len(seconds))], [round(RATE * one) for one in seconds])
    return (np.random.default_rng(0).normal(size=len(levels)) * levels).astype("float32")


def chunks_of(waveform):
    return [waveform[start : start + SIZE] for start in range(0, len(waveform), SIZE)]


class Counting:
    """Writes a letter for each chunk, that of the tenth of a second that has passed since its start."""

    sample_rate = RATE

    def warm_up(self):
        pass

    def __call__(self, chunks):
        self.heard = 0
        for chunk in chunks:
            self.heard += len(chunk)
            yield self.written("x", [self.heard / RATE - 0.25])
        yield self.written("!", [])

    def written(self, text, times, ended=False):
        tokens = tf.zeros(len(times), "int32")
        return {"text": tf.constant(text), "tokens": tokens, "token_times": tf.constant(times), "ended": ended}


def test_a_recording_is_cut_at_its_pauses():
    waveform = recording(1.5, 1.0, 1.2, 0.4, 0.3, 0.4, 2.0)
    found = [(start, np.concatenate(list(chunks))) for start, chunks in utterances(chunks_of(waveform), RATE, 0.6)]
    # A pause of 0.3 s is none.
    assert len(found) == 2
    for (start, heard), (first, last) in zip(found, [(1.5, 2.5), (3.7, 4.8)], strict=True):
        begin = round(start * RATE)
        np.testing.assert_array_equal(heard, waveform[begin : begin + len(heard)])
        assert first - 0.4 <= start <= first - 0.1
        assert last + 0.5 <= start + len(heard) / RATE <= last + 0.9


def test_an_utterance_that_fills_the_recording_is_heard_whole():
    waveform = recording(0, 2.05)
    found = utterances(chunks_of(waveform), RATE, 0.5)
    ((start, heard),) = [(start, np.concatenate(list(chunks))) for start, chunks in found]
    assert start < 0.2
    np.testing.assert_array_equal(heard, waveform[round(start * RATE) :])


@pytest.mark.parametrize("waveform", [np.zeros(0, "float32"), np.zeros(RATE, "float32"), recording(3.0)])
def test_where_nothing_is_said_nothing_is_heard(waveform):
    assert not list(utterances(chunks_of(waveform), RATE, 0.5))


def test_raw_samples_come_from_standard_input(monkeypatch):
    samples = np.arange(-1000, 1000, dtype="<i2")
    monkeypatch.setattr(live.sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(samples.tobytes() + b"\0")))
    chunks = list(file_chunks("-", RATE))
    assert [len(chunk) for chunk in chunks] == [SIZE, SIZE, 2000 - 2 * SIZE]
    np.testing.assert_array_equal(np.concatenate(chunks), (samples / 32768).astype("float32"))


@pytest.mark.parametrize("data", [b"", b"\0"])
def test_no_samples_from_standard_input(monkeypatch, data):
    monkeypatch.setattr(live.sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))
    with pytest.raises(UserError, match="Expected samples of 16 bits from standard input. Received: none"):
        list(file_chunks("-", RATE))


def test_a_line_for_each_utterance_and_the_delay_in_the_time_of_the_recording():
    waveform, file = recording(1.0, 1.0, 2.0, 1.0, 0.1), io.StringIO()
    lag = write_live(Counting(), chunks_of(waveform), 0.5, file)
    first, second = file.getvalue().splitlines()
    assert first.strip("x") == second.strip("x") == "!"
    # Every letter is that of 0.25 s before, and the first chunk of an utterance is heard late.
    assert set(lag.delays) <= {249, 250, 251} and sum(lag.delays.values()) == len(first) + len(second) - 2
    assert lag.heard == pytest.approx(len(waveform) / RATE)
    line = r"median 250 ms, 95 % 250 ms; computing \d+ ms for each 100 ms of audio, real-time factor 0\.\d{3}$"
    assert re.search(line, str(lag))


def test_after_the_end_of_a_text_another_one_begins():
    class Short(Counting):
        def __call__(self, chunks):
            for i, _ in enumerate(chunks):
                yield self.written("abcdef"[i], [0.0], ended=i == 5)

    file = io.StringIO()
    write_live(Short(), chunks_of(recording(0, 1.8)), 0.5, file)
    assert file.getvalue() == 3 * "abcdef\n"


def test_waiting_for_audio_is_no_computation():
    def slow(waits=(0.05, 0.05)):
        for seconds in waits:
            live.time.sleep(seconds)
            yield np.zeros(SIZE, "float32")

    lag = Lag()
    assert len(list(lag.follow(slow(), RATE))) == 2
    assert lag.waited >= 0.1 and str(lag).startswith("nothing written; computing 0 ms")


def test_the_text_is_compared_and_the_delay_of_the_words_is_that_behind_their_true_ends():
    class Digits(Counting):
        def __call__(self, chunks):
            for i, _ in enumerate(chunks):
                yield self.written("on e two"[i : i + 1], [])
            yield self.written("", [])

    times = {"text": np.array([b"one", b"two"]), "start": np.array([0.0, 0.3]), "end": np.array([0.3, 0.5])}
    utterances = [
        {
            "audio": np.zeros(SIZE * 9, "float32"),
            "text": b"on two",
            "words": {**times, "text": np.array([b"on", b"two"])},
        },
        {"audio": np.zeros(SIZE * 4, "float32"), "text": b"on", "words": times},
    ]
    results = compare(Digits(), transcribe_as(["on e two", "on"]), utterances)
    assert results["utterances"] == 2 and results["equal"] == 1
    # "on" is complete after 0.2 s and ends at 0.3 s; "two" after 0.8 s and ends at 0.5 s.
    assert results["word_delay_ms"] == [100, 280]
    assert results["wer"] == pytest.approx(2 / 3) and results["real_time_factor"] > 0


def transcribe_as(texts):
    """A function like a `Decoder` that has heard these texts, the longest first."""

    def transcribe(waveform, num_samples):
        count, none = len(texts), tf.zeros((len(texts), 0))
        order = np.argsort(np.argsort(-np.asarray(num_samples)))
        return {
            "text": tf.constant([texts[i] for i in order]),
            "tokens": none,
            "num_tokens": tf.zeros(count, "int32"),
            "score": tf.zeros(count),
            "ended": tf.ones(count, "bool"),
            "alignment": tf.zeros((count, 0, 0)),
            "frame_times": tf.zeros(0),
            "num_frames": tf.zeros(count, "int32"),
            "words": none,
            "num_words": tf.zeros(count, "int32"),
            "word_ids": none,
            "word_times": none,
            "word_confidence": none,
            "n_best_text": tf.constant([[text] for text in texts]),
            "n_best_score": tf.zeros((count, 1)),
        }

    return transcribe


def test_transcribe_writes_while_a_file_is_heard(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(streaming_session, "open_streaming", lambda model: Counting())
    soundfile.write(tmp_path / "a.wav", recording(0.5, 1.0, 1.0), RATE)
    assert main(["transcribe", "--stream", str(tmp_path / "a.wav"), "--pause", "0.3"]) == 0
    out, error = capsys.readouterr()
    assert out.startswith("xxxxxxx") and out.endswith("!\n")
    assert error.startswith("delay of the letters: median 250 ms")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["transcribe", "--stream", "a.wav", "b.wav"], "Expected one FILE with --stream. Received: 2"),
        (["transcribe", "--stream", "a.wav", "--beam-width", "3"], "letter at once: leave out --beam-width"),
        (["transcribe", "--stream", "a.wav", "--json", "--plot", "b"], "letter at once: leave out --format, --plot"),
        (["transcribe", "--stream", "a.wav"], "a.wav': No such file"),
        (["evaluate", "--stream", "--model", "a", "--ctc-weight", "0.3"], "letter at once: leave out --ctc-weight"),
    ],
)
def test_mistakes(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1
