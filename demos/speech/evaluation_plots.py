"""Figures of an evaluation: the utterances that were recognised worst, and a few others."""

from demos.speech.figures import draw_transcript, file_name
from demos.speech.files import write_beside
from demos.speech.word_times import true_words


class Gallery:
    """Keeps, of all utterances that are shown to it, those to draw.

    Args:
        sample_rate: Hz.
        size: how many will be shown.
        worst: how many of highest word error rate to keep; without an error, none.
        ordinary: how many others to keep, evenly spread.
    """

    def __init__(self, sample_rate, size, worst=5, ordinary=3):
        self.sample_rate = sample_rate
        self.most = worst
        self.worst = []
        # Always the same ones, so that evaluations can be compared.
        self.places = {(2 * i + 1) * size // (2 * ordinary) for i in range(ordinary)} if worst else set()
        self.ordinary = []
        self.shown = 0

    def add(self, judgement, utterance, transcript):
        entry = (judgement, utterance, transcript)
        if self.shown in self.places:
            self.ordinary.append(entry)
        if judgement.wer > 0:
            # Of equals the first comes first.
            self.worst = sorted([*self.worst, entry], key=lambda one: one[0].wer, reverse=True)[: self.most]
        self.shown += 1

    def draw(self, folder):
        """Draw into a new folder in place of an old one; the lists `worst`, worst first, and `ordinary`."""
        drawn_anyway = {judgement.id for judgement, *_ in self.worst}
        ordinary = [entry for entry in self.ordinary if entry[0].id not in drawn_anyway]
        entries = {"worst": self.worst, "ordinary": ordinary}
        with write_beside(folder) as beside:
            beside.mkdir()
            return {
                kind: [self._draw(f"{kind}_{i}", folder, beside, *entry) for i, entry in enumerate(chosen, start=1)]
                for kind, chosen in entries.items()
            }

    def _draw(self, prefix, folder, beside, judgement, utterance, transcript):
        name = file_name(f"{prefix}_{judgement.id}", ".png")
        title = f"recognised: {judgement.hypothesis or '(nothing)'}"
        if judgement.wer:
            title = f"said: {judgement.reference}\n{title}"
        draw_transcript(beside / name, utterance["audio"], self.sample_rate, transcript, true_words(utterance), title)
        return {
            "id": judgement.id,
            "reference": judgement.reference,
            "hypothesis": judgement.hypothesis,
            "wer": judgement.wer,
            "plot": str(folder / name),
        }
