"""A recogniser whose texts and alignments are planted, for the corpus of `tone_words`."""

import numpy as np
import tensorflow as tf

from demos.speech import words
from demos.speech.text import Vocabulary
from demos.speech.training import make_model
from tests.demos.speech import tone_words

VOCABULARY = Vocabulary.from_texts(tone_words.PITCHES.keys() | {" "})
# Seconds of a frame of the planted alignments, and frames by which they are late.
DURATION, LATE = 0.02, 2


def save_model(folder, vocabulary=VOCABULARY, sample_rate=8000):
    folder.mkdir(exist_ok=True)
    tone_words.CONFIG.save(folder / "config.json")
    make_model(tone_words.CONFIG, vocabulary, sample_rate, steps=1).save(folder / "model.keras")
    return folder


def planted_transcriber(texts):
    """Writes down what is said, but for the utterances (a number) that `texts` has another text for."""
    corpus = tone_words.ToneWords()
    known = {}
    for number, utterance in enumerate(corpus.utterances("test").as_numpy_iterator()):
        known[utterance["audio"].tobytes()] = texts.get(number, utterance["text"].decode())

    def transcribe(waveform, num_samples):
        rows = [
            np.round(32768 * row[:n]).astype("int16").tobytes()
            for row, n in zip(waveform.numpy(), num_samples, strict=True)
        ]
        return planted_output([known[row] for row in rows], num_samples.numpy())

    return transcribe


def planted_output(texts, num_samples):
    num_frames = (num_samples / 8000 / DURATION).astype("int32")
    steps, frames = max(1, *map(len, texts)), num_frames.max()
    alignment, tokens = np.zeros((len(texts), steps, frames), "float32"), np.zeros((len(texts), steps), "int32")
    for i, text in enumerate(texts):
        tokens[i, : len(text)] = VOCABULARY.encode(text)
        ends = [j for j, character in enumerate(text) if character == " "] + [len(text)]
        for step in range(len(text)):
            word = next(k for k, end in enumerate(ends) if step <= end)
            first = round((0.1 + 0.3 * word) / DURATION) + LATE
            alignment[i, step, first : first + 10] = 0.1
    ids, num_words = words.word_ids(tokens, list(map(len, texts)), VOCABULARY)
    count = num_words.numpy().max()
    output = {
        "text": np.array([text.encode() for text in texts], object),
        "tokens": tokens,
        "num_tokens": np.array([len(text) for text in texts], "int32"),
        "score": np.zeros(len(texts), "float32"),
        "alignment": alignment,
        "frame_times": (DURATION * (np.arange(frames) + 0.5)).astype("float32"),
        "num_frames": num_frames,
        "ended": np.array([len(text) < 60 for text in texts]),
        "words": words.word_texts(tokens, ids, count, VOCABULARY),
        "num_words": num_words,
        "word_ids": ids,
        "word_times": words.word_times(alignment, ids, count, DURATION, 0.0),
        "word_confidence": np.ones((len(texts), count), "float32"),
        "n_best_text": np.array([[text.encode()] for text in texts], object),
        "n_best_score": np.zeros((len(texts), 1), "float32"),
    }
    return {name: tf.convert_to_tensor(value) for name, value in output.items()}


def references():
    return [one["text"].decode() for one in tone_words.ToneWords().utterances("test").as_numpy_iterator()]
