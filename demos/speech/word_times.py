"""When words were said: read off an alignment, and compared with the true times."""

import dataclasses

import jiwer
import numpy as np

from keras_attn import metrics

# The share of the attention of a word that is cut off at each end of it: a little always strays far. On the
# validation utterances of the synthetic commands, 0.05 and 0.15 gave larger errors of the boundaries.
TAIL = 0.1


@dataclasses.dataclass(frozen=True)
class Word:
    """A word and when it is said, in seconds from the start of the recording."""

    text: str
    start: float
    end: float


def true_words(utterance):
    """The words of an utterance of a corpus, with their true times; none where the corpus does not know them."""
    words = utterance.get("words") or {"text": [], "start": [], "end": []}
    times = zip(words["text"], words["start"], words["end"], strict=True)
    return [Word(text.decode(), float(start), float(end)) for text, start, end in times]


def read_words(transcript):
    """The words of a `Transcript`, with the times read off its alignment.

    >>> from demos.speech.recognition import Transcript
    >>> alignment = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    >>> for word in read_words(Transcript("no i", np.zeros(4), 0.0, alignment, np.array([0.5, 1.5, 2.5, 3.5]))):
    ...     print(f"{word.text} from {word.start:.1f} s to {word.end:.1f} s")
    no from 0.2 s to 1.8 s
    i from 3.1 s to 3.9 s
    """
    texts, alignment = word_alignment(transcript)
    spans = np.asarray(metrics.word_spans(alignment[None], tail=TAIL, **frame_grid(transcript)))[0]
    return [Word(text, float(start), float(end)) for text, (start, end) in zip(texts, spans, strict=True)]


def compare_times(transcript, words):
    """How far the alignment is from the true times, over the words that were recognised right.

    Args:
        transcript: a `Transcript`.
        words: list of `Word`, what was really said.

    Returns: a dict of
        boundary_error: `(matches, 2)`, distances of start and end from the true ones, seconds.
        mass_inside: `(matches,)`, the share of the attention of a word that lies inside its true span.
    """
    texts, alignment = word_alignment(transcript)
    matches = matching_words([word.text for word in words], texts)
    if not matches:
        return {"boundary_error": np.zeros((0, 2), "float32"), "mass_inside": np.zeros(0, "float32")}
    spans = np.array([[[words[true].start, words[true].end] for true, _ in matches]], "float32")
    alignment, grid = alignment[None, [read for _, read in matches]], frame_grid(transcript)
    error = metrics.boundary_error(metrics.word_spans(alignment, tail=TAIL, **grid), spans)
    inside = metrics.mass_inside(alignment, spans, **grid)
    return {"boundary_error": np.asarray(error)[0], "mass_inside": np.asarray(inside)[0]}


def matching_words(reference, hypothesis):
    """Index pairs of the words that the alignment of fewest edits finds equal.

    >>> matching_words(["call", "the", "office"], ["call", "office"])
    [(0, 0), (2, 1)]
    """
    if not reference or not hypothesis:
        return []
    output = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    equal = [chunk for chunk in output.alignments[0] if chunk.type == "equal"]
    ranges = [
        zip(range(c.ref_start_idx, c.ref_end_idx), range(c.hyp_start_idx, c.hyp_end_idx), strict=True) for c in equal
    ]
    return [pair for one in ranges for pair in one]


def word_alignment(transcript):
    """The words of a `Transcript`, a list, and the alignment of whole words, `(words, frames)`."""
    texts, word_ids = split_words(transcript.text)
    if not texts:
        return [], np.zeros((0, len(transcript.frame_times)), "float32")
    alignment = metrics.word_alignment(transcript.alignment[None], word_ids[None], len(texts))
    return texts, np.asarray(alignment)[0]


def split_words(text):
    """The words of a text, and for each character the number of its word, -1 for a space.

    Tokens are characters, so these are the numbers of the words of the tokens, too.

    >>> split_words("go  on")
    (['go', 'on'], array([ 0,  0, -1, -1,  1,  1]))
    """
    inside = np.array([character != " " for character in text], bool)
    begins = inside & ~np.concatenate([[False], inside[:-1]])
    return [word for word in text.split(" ") if word], np.where(inside, np.cumsum(begins) - 1, -1)


def frame_grid(transcript):
    """Where the frames of a `Transcript` lie: `frame_duration`, and `offset`, the start of the first one, in seconds.

    `frame_times` are the middles of the frames; a frame lasts from half a `frame_duration` before to half after.
    """
    duration = transcript.frame_duration
    return {"frame_duration": duration, "offset": float(transcript.frame_times[0]) - duration / 2}
