"""How well recognition while a recording goes on does on a split: the same text as afterwards, and how late."""

import re
import time

import jiwer
import numpy as np
import tqdm

from demos.speech.evaluation import open_evaluation
from demos.speech.live import CHUNK, rechunk
from demos.speech.recognition import recognise, to_waveform, transcriber
from demos.speech.streaming_export import streaming
from demos.speech.word_times import matching_words, true_words


def evaluate_streaming(run, split="test", data_dir=None, dataset=None):
    """Recognise a split of the data of a run, or of other data, in chunks of `CHUNK` seconds, and whole.

    Args:
        run: as for `evaluate`.
        split: name of the split.
        data_dir: folder of TFDS; its own default when None.
        dataset: name of other data than that of the run.

    Returns:
        What `compare` returns.

    Raises:
        UserError: as of `evaluate`, or the model needs what is heard later.
    """
    model, config, corpus = open_evaluation(run, split, data_dir, {"beam_width": 1, "ctc_weight": 0.0}, dataset)
    utterances = corpus.utterances(split).as_numpy_iterator()
    stream = streaming(model, config.decoding)
    stream.warm_up()
    return compare(stream, transcriber(model, config.decoding), utterances)


def compare(stream, transcribe, utterances):
    """Recognise utterances chunk by chunk, and whole.

    Args:
        stream: a `Streaming`.
        transcribe: as for `recognise`.
        utterances: iterable of dicts with `audio`, `text` and the true times of the words.

    Returns: a dict of
        utterances: how many there are.
        equal: in how many of them both texts are the same.
        wer: word error rate of what was written chunk by chunk.
        word_delay_ms: median and 95th percentile of the time from the true end of a word to the end of the audio that
            had come when its last letter was written, of the words that are right; None where no times are known.
        real_time_factor: time of the computation by that of the audio.
        largest_step_ms: time of the computation of a chunk, at most.
    """
    texts, delays, seconds, audio_seconds, references = [], [], [], 0.0, []
    pairs = list(recognise(transcribe, utterances))
    for utterance, _ in tqdm.tqdm(pairs, desc="Streaming", unit="utterance", leave=False, disable=None):
        text, heard, own = write_down(stream, to_waveform(utterance["audio"]))
        texts.append(" ".join(text.split()))
        references.append(utterance["text"].decode())
        seconds.extend(own)
        audio_seconds += len(utterance["audio"]) / stream.sample_rate
        delays.extend(word_delays(text, heard, true_words(utterance)))
    return {
        "utterances": len(pairs),
        "equal": sum(" ".join(whole.text.split()) == text for (_, whole), text in zip(pairs, texts, strict=True)),
        "wer": jiwer.wer(references, texts),
        "word_delay_ms": [round(1000 * float(delay)) for delay in np.percentile(delays, (50, 95))] if delays else None,
        "real_time_factor": sum(seconds) / audio_seconds,
        "largest_step_ms": round(1000 * max(seconds)),
    }


def write_down(stream, waveform):
    """What is written of a waveform that comes in chunks.

    Returns:
        text: string.
        heard: for each character, the seconds of audio that had come when it was written.
        seconds: for each chunk, the time of the computation.
    """
    text, heard, seconds = "", [], []
    chunks = list(rechunk([waveform], round(CHUNK * stream.sample_rate)))
    ends = np.cumsum([len(chunk) for chunk in chunks] + [0]) / stream.sample_rate
    start = time.perf_counter()
    for end, written in zip(ends, stream(chunks), strict=True):
        piece = written["text"].numpy().decode()
        seconds.append(time.perf_counter() - start)
        text, heard = text + piece, heard + [end] * len(piece)
        start = time.perf_counter()
    return text, heard, seconds


def word_delays(text, heard, words):
    """Seconds from the true end of each word that is right to when its last letter was written.

    Args:
        text: what was written.
        heard: seconds, as of `write_down`.
        words: list of `Word`, what was really said.

    >>> from demos.speech.recognition import Word
    >>> word_delays("go on", [1, 1, 1, 1.5, 2], [Word("go", 0, 0.75), Word("in", 0.75, 1), Word("on", 1, 1.5)])
    [0.25, 0.5]
    """
    found = list(re.finditer(r"\S+", text))
    matches = matching_words([word.text for word in words], [word.group() for word in found])
    return [heard[found[read].end() - 1] - words[true].end for true, read in matches]
