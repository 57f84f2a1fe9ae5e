"""What was recognised against what was said: of one utterance, and of many together."""

import dataclasses

import jiwer
import numpy as np

from demos.speech.alignment_quality import MEASURES, alignment_quality
from demos.speech.word_times import compare_times, true_words


@dataclasses.dataclass(frozen=True)
class Judgement:
    """How well an utterance was recognised.

    Attributes:
        id, reference, hypothesis: strings.
        words: number of words that were said.
        edits: numbers of words, by `substitutions`, `insertions` and `deletions`.
        boundary_error: `(correct words, 2)`, seconds; see `compare_times`.
        mass_inside: `(correct words,)`.
        quality: see `alignment_quality`.
        unfinished: whether the search was cut at its length limit.
    """

    id: str
    reference: str
    hypothesis: str
    words: int
    edits: dict
    boundary_error: np.ndarray
    mass_inside: np.ndarray
    quality: dict
    unfinished: bool

    @property
    def wer(self):
        """Edits per word that was said."""
        return sum(self.edits.values()) / max(1, self.words)


def judge(utterance, transcript):
    """The `Judgement` of an utterance of a corpus."""
    reference = utterance["text"].decode()
    output = jiwer.process_words(reference, transcript.text)
    return Judgement(
        id=utterance["id"].decode(),
        reference=reference,
        hypothesis=transcript.text,
        words=output.hits + output.substitutions + output.deletions,
        edits={name: getattr(output, name) for name in ("substitutions", "insertions", "deletions")},
        **compare_times(transcript, true_words(utterance)),
        quality={name: float(value[0]) for name, value in alignment_quality([transcript]).items()},
        unfinished=not transcript.ended,
    )


def totals(judgements):
    """The figures of many utterances together.

    Args:
        judgements: list of `Judgement`, not empty.

    Returns: a dict of
        utterances, words, correct_words, unfinished: numbers.
        wer, cer, sentence_error_rate: shares of words, characters and utterances.
        substitutions, insertions, deletions: numbers of words.
        boundary_error_ms, boundary_error_p95_ms: median and 95th percentile of the distances between the starts and
            ends of correct words and their true ones; None without true times.
        mass_inside: mean over correct words; None without true times.
        sharpness, monotonicity, coverage: means over utterances.
    """
    edits = {name: sum(one.edits[name] for one in judgements) for name in judgements[0].edits}
    words = sum(one.words for one in judgements)
    wrong = edits["substitutions"] + edits["deletions"]
    return {
        "utterances": len(judgements),
        "words": words,
        "correct_words": words - wrong,
        "wer": sum(edits.values()) / max(1, words),
        "cer": jiwer.cer([one.reference for one in judgements], [one.hypothesis for one in judgements]),
        "sentence_error_rate": float(np.mean([one.wer > 0 for one in judgements])),
        **edits,
        "unfinished": sum(one.unfinished for one in judgements),
        **_times(judgements),
        **{name: float(np.mean([one.quality[name] for one in judgements])) for name in MEASURES},
    }


def _times(judgements):
    errors = 1000 * np.concatenate([one.boundary_error.ravel() for one in judgements])
    inside = np.concatenate([one.mass_inside for one in judgements])
    known = len(inside) > 0
    return {
        "boundary_error_ms": float(np.median(errors)) if known else None,
        "boundary_error_p95_ms": float(np.percentile(errors, 95)) if known else None,
        "mass_inside": float(np.mean(inside)) if known else None,
    }
