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
        misplaced: bool `(tokens of these words,)`, whether the frame to which a token attends most lies outside of its
            word.
    """
    matches = matching_words([word.text for word in words], [word.text for word in transcript.words])
    if not matches:
        nothing = np.zeros(0, "float32")
        return {"boundary_error": nothing.reshape(0, 2), "mass_inside": nothing, "misplaced": nothing > 0}
    true_spans, spans = (
        np.array([[(word.start, word.end) for word in some]], "float32")
        for some in zip(*((words[true], transcript.words[read]) for true, read in matches), strict=True)
    )
    alignment = metrics.word_alignment(transcript.alignment[None], transcript.word_ids[None], len(transcript.words))
    alignment = np.asarray(alignment)[:, [read for _, read in matches]]
    inside = metrics.mass_inside(alignment, true_spans, **frame_grid(transcript))
    return {
        "boundary_error": np.abs(spans - true_spans)[0],
        "mass_inside": np.asarray(inside)[0],
        "misplaced": _misplaced(transcript, {read: words[true] for true, read in matches}),
    }


def _misplaced(transcript, true_words):
    """Which tokens of some recognised words, a dict from their numbers to the true ones, attend most to elsewhere."""
    chosen = np.flatnonzero(np.isin(transcript.word_ids, list(true_words)))
    spans = [true_words[transcript.word_ids[token]] for token in chosen]
    starts, ends = (np.array([[getattr(word, name)] for word in spans]) for name in ("start", "end"))
    # A frame that lies in a word only in part is possible, too.
    half = transcript.frame_duration / 2
    possible = (transcript.frame_times + half > starts) & (transcript.frame_times - half < ends)
    # Each token is an utterance of its own, so that they can be counted together with those of others.
    alignment, possible = transcript.alignment[chosen][:, None], possible[:, None]
    return np.asarray(metrics.alignment_error_rate(alignment, np.zeros_like(possible), possible)) > 0


def time_figures(comparisons):
    """The figures of many utterances together.

    Args:
        comparisons: list of what `compare_times` returns.

    Returns: a dict, whose values are None where no word was recognised right, or no true times are known.
        boundary_error_ms, boundary_error_p95_ms: median and 95th percentile of the distances between the starts and
            ends of words and their true ones.
        mass_inside: mean over words.
        alignment_error_rate: see `keras_attn.metrics`; all frames of its word are possible for a token, and none is
            sure: the share of tokens that are misplaced.
    """
    names = ("boundary_error_ms", "boundary_error_p95_ms", "mass_inside", "alignment_error_rate")
    errors, inside, misplaced = (
        np.concatenate([one[name] for one in comparisons]) for name in ("boundary_error", "mass_inside", "misplaced")
    )
    if not len(inside):
        return dict.fromkeys(names)
    values = (1000 * np.median(errors), 1000 * np.percentile(errors, 95), inside.mean(), misplaced.mean())
    return dict(zip(names, map(float, values), strict=True))


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
