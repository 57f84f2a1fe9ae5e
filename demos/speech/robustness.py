"""How well a model does with recordings that are worse, or other, than those it was trained on."""

import json
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from demos.speech.audio import read_audio
from demos.speech.evaluation import judgements_of, open_evaluation
from demos.speech.files import write_beside
from demos.speech.judgement import totals
from demos.speech.loading import search_of


def telephone(audio, rate, random):
    """A file of a telephone line: 300 to 3400 Hz, 8000 samples a second, each of 8 bits (mu-law)."""
    audio = soxr.resample(audio, rate, 8000)
    spectrum, frequency = np.fft.rfft(audio), np.fft.rfftfreq(len(audio), 1 / 8000)
    passed = np.where((frequency > 300) & (frequency < 3400), spectrum, 0)
    return np.fft.irfft(passed, len(audio)), 8000, "ULAW"


def stereo(audio, rate, random):
    """A stereo file of 48,000 samples a second, the voice to the left."""
    audio = soxr.resample(audio, rate, 48000)
    return np.stack([audio, 0.3 * audio], axis=1), 48000, "PCM_24"


def quiet(audio, rate, random):
    """A hundredth of the level, -40 dB."""
    return audio / 100, rate, "PCM_16"


def clipped(audio, rate, random):
    """Four times as loud as fits: 12 dB above full scale, cut off there."""
    return np.clip(4 * audio / max(np.abs(audio).max(), 1e-9), -1, 1), rate, "PCM_16"


def silence(audio, rate, random):
    """A second of digital silence before and after."""
    return np.pad(audio, rate), rate, "PCM_16"


def noise(audio, rate, random):
    """White noise, 10 dB below the voice."""
    level = np.sqrt(np.mean(np.square(audio)) / 10)
    return audio + level * random.standard_normal(len(audio)), rate, "FLOAT"


CONDITIONS = {
    "telephone": telephone,
    "48 kHz stereo": stereo,
    "quiet": quiet,
    "clipped": clipped,
    "a second of silence": silence,
    "noise, 10 dB": noise,
}


def heard_through(condition, sample_rate):
    """What makes of an utterance of a corpus what is read of a file of the same recording in another condition.

    Args:
        condition: a function of the samples in [-1, 1], their rate in Hz and a `numpy.random.Generator`. It returns
            samples `(samples,)` or `(samples, channels)`, their rate, and how soundfile is to write them.
        sample_rate: Hz, of the corpus.

    Returns:
        A function from an utterance to one without true times, for they may have moved.
    """
    random = np.random.default_rng(0)

    def change(utterance):
        samples, rate, subtype = condition(utterance["audio"] / 32768, sample_rate, random)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "recording.wav")
            soundfile.write(path, samples, rate, subtype=subtype)
            return {**utterance, "audio": read_audio(path, sample_rate), "words": None}

    return change


def measure_robustness(run, split="test", data_dir=None, decoding=None, dataset=None):
    """Recognise a split of the data of a run, or of other data, as it is and in each of `CONDITIONS`.

    Writes `robustness.json` into the folder of the model.

    Args:
        run, split, data_dir, decoding, dataset: as for `evaluation.evaluate`.

    Yields:
        For each condition its name and a dict of results, see `judgement.totals`.

    Raises:
        UserError: as `evaluate`.
    """
    model, config, corpus = open_evaluation(run, split, data_dir, decoding, dataset)
    transcribe, rows = search_of(model, config.decoding), {}
    for name, condition in {"as it is": None, **CONDITIONS}.items():
        change = heard_through(condition, corpus.sample_rate) if condition else None
        judgements, _ = judgements_of(transcribe, corpus, split, change=change)
        rows[name] = totals(judgements)
        yield name, rows[name]
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    with write_beside(folder / "robustness.json") as beside:
        beside.write_text(json.dumps({"dataset": corpus.name, "split": split, "conditions": rows}, indent=2) + "\n")


def print_table(rows):
    """Print what `measure_robustness` yields, each row as soon as it is known."""
    print(f"{'recordings':<22}{'words':>9}{'chars':>9}{'sentences':>11}")
    for name, results in rows:
        print(f"{name:<22}" + f"{results['wer']:>9.2%}{results['cer']:>9.2%}{results['sentence_error_rate']:>11.2%}")
