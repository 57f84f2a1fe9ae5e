"""What was recognised against what was said: of one utterance, and of many together."""

import collections
import dataclasses
import re

import jiwer
import numpy as np

from demos.speech.alignment_quality import MEASURES, alignment_quality
from demos.speech.word_times import compare_times, matching_words, time_figures, true_words


@dataclasses.dataclass(frozen=True)
class Judgement:
    """How well an utterance was recognised.

    Attributes:
        id, reference, hypothesis: strings.
        words: number of words that were said.
        edits: numbers of words, by `substitutions`, `insertions` and `deletions`.
        times: of the correct words, see `compare_times`.
        quality: see `alignment_quality`.
        unfinished: whether the search was cut at its length limit.
        looped: whether words are repeated that were not, see `loops`.
        confidence: of each recognised word.
        right: of each recognised word, whether it is the one that was said.
    """

    id: str
    reference: str
    hypothesis: str
    words: int
    edits: dict
    times: dict
    quality: dict
    unfinished: bool
    looped: bool
    confidence: np.ndarray
    right: np.ndarray

    @property
    def wer(self):
        """Edits per word that was said."""
        return sum(self.edits.values()) / max(1, self.words)


def judge(utterance, transcript):
    """The `Judgement` of an utterance of a corpus."""
    reference = utterance["text"].decode()
    output = jiwer.process_words(reference, transcript.text)
    right = np.zeros(len(transcript.words), bool)
    right[[i for _, i in matching_words(reference.split(), [word.text for word in transcript.words])]] = True
    return Judgement(
        id=utterance["id"].decode(),
        reference=reference,
        hypothesis=transcript.text,
        words=output.hits + output.substitutions + output.deletions,
        edits={name: getattr(output, name) for name in ("substitutions", "insertions", "deletions")},
        times=compare_times(transcript, true_words(utterance)),
        quality={name: float(value[0]) for name, value in alignment_quality([transcript]).items()},
        unfinished=not transcript.ended,
        # What is said for another word may make three of a kind, too; a loop makes the text longer.
        looped=len(output.hypotheses[0]) > len(output.references[0]) and loops(transcript.text) > loops(reference),
        confidence=np.array([word.confidence for word in transcript.words]),
        right=right,
    )


def loops(text):
    """Whether one to four words are said three times or more in a row, as when attention does not get on.

    >>> loops("call home six nine six nine six nine"), loops("nine nine six six nine nine")
    (True, False)
    """
    return re.search(r"(?<!\S)((?:\S+ ){1,4})\1\1", text + " ") is not None


def totals(judgements):
    """The figures of many utterances together.

    Args:
        judgements: list of `Judgement`, not empty.

    Returns: a dict of
        utterances, words, correct_words, unfinished, looped: numbers.
        wer, cer, sentence_error_rate: shares of words, characters and utterances.
        substitutions, insertions, deletions: numbers of words.
        boundary_error_ms, boundary_error_p95_ms, mass_inside, alignment_error_rate: of the correct words, see
            `time_figures`.
        confidence_auc: see `separation`, of the confidence of all words.
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
        "looped": sum(one.looped for one in judgements),
        **time_figures([one.times for one in judgements]),
        "confidence_auc": separation(*(np.concatenate([getattr(j, name) for j in judgements]) for name in _CONFIDENCE)),
        **{name: float(np.mean([one.quality[name] for one in judgements])) for name in MEASURES},
    }


def word_error_rates_of(judgements, phrases):
    """The word error rate of the words that are in phrases, and that of all others.

    Args:
        judgements: list of `Judgement`.
        phrases: strings.

    Returns: a dict of `phrase_words`, the number of words said that are in phrases, `phrase_wer` and `other_wer`;
    empty without phrases.
    """
    if not phrases:
        return {}
    favoured, counts = {word for phrase in phrases for word in phrase.split()}, collections.Counter()
    for one in judgements:
        output = jiwer.process_words(one.reference, one.hypothesis)
        said, heard = output.references[0], output.hypotheses[0]
        counts.update(("said", word in favoured) for word in said)
        for chunk in output.alignments[0]:
            if chunk.type != "equal":
                inserted = heard[chunk.hyp_start_idx : chunk.hyp_end_idx] if chunk.type == "insert" else []
                wrong = [*said[chunk.ref_start_idx : chunk.ref_end_idx], *inserted]
                counts.update(("wrong", word in favoured) for word in wrong)
    phrase_wer, other_wer = (counts["wrong", given] / max(1, counts["said", given]) for given in (True, False))
    return {"phrase_words": counts["said", True], "phrase_wer": phrase_wer, "other_wer": other_wer}


_CONFIDENCE = ("confidence", "right")


def separation(scores, right):
    """How well scores tell right from wrong: the chance that a right one is above a wrong one, ties counting half.

    This is the area under the curve of true against false positives, 0.5 for scores that tell nothing; None where all
    are right or all wrong.

    >>> separation(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]))
    0.875
    """
    above, below = scores[right], scores[~right]
    if not (len(above) and len(below)):
        return None
    difference = above[:, None] - below
    return float(np.mean(difference > 0) + np.mean(difference == 0) / 2)
