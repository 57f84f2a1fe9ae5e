"""When words were said: compared with the true times."""

import jiwer
import numpy as np

from demos.speech.recognition import Word
from keras_attn import metrics


def true_words(utterance):
    """The words of an utterance of a corpus, with their true times; none where the corpus does not know them."""
    words = utterance.get("words") or {"text": [], "start": [], "end": []}
    times = zip(words["text"], words["start"], words["end"], strict=True)
    return [Word(text.decode(), float(start), float(end)) for text, start, end in times]


def compare_times(transcript, words):
    """How far the alignment is from the true times, over the words that were recognised right.

    Args:
        transcript: a `Transcript`.
        words: list of `Word`, what was really said.

    Returns: a dict of
        boundary_error: `(matches, 2)`, distances of start and end from the true ones, seconds.
        mass_inside: `(matches,)`, the share of the attention of a word that lies inside its true span.
    """
    matches = matching_words([word.text for word in words], [word.text for word in transcript.words])
    if not matches:
        return {"boundary_error": np.zeros((0, 2), "float32"), "mass_inside": np.zeros(0, "float32")}
    true_spans, spans = (
        np.array([[(word.start, word.end) for word in some]], "float32")
        for some in zip(*((words[true], transcript.words[read]) for true, read in matches), strict=True)
    )
    alignment = metrics.word_alignment(transcript.alignment[None], transcript.word_ids[None], len(transcript.words))
    alignment = np.asarray(alignment)[:, [read for _, read in matches]]
    inside = metrics.mass_inside(alignment, true_spans, **frame_grid(transcript))
    return {"boundary_error": np.abs(spans - true_spans)[0], "mass_inside": np.asarray(inside)[0]}


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


def frame_grid(transcript):
    """Where the frames of a `Transcript` lie: `frame_duration`, and `offset`, the start of the first one, in seconds.

    `frame_times` are the middles of the frames; a frame lasts from half a `frame_duration` before to half after.
    """
    duration = transcript.frame_duration
    return {"frame_duration": duration, "offset": float(transcript.frame_times[0]) - duration / 2}
