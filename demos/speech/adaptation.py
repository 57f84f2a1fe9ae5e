"""Adaptation to a speaker: what recordings of one voice tell, without their texts."""

import collections

import numpy as np
import tqdm
from keras import ops

from demos.speech.normalization import loud_frames
from demos.speech.recognition import recognise, to_waveform
from demos.speech.voice import Voice

# Lengths of the vocal tract that are tried.
FREQUENCY_WARPS = (0.9, 0.925, 0.95, 0.975, 1.0, 1.025, 1.05, 1.075, 1.1)


def find_voices(model, transcribe, utterances):
    """The voices of the speakers of utterances.

    The mean is that over all loud frames of a speaker. Of the `FREQUENCY_WARPS` each speaker has the one with which the
    recogniser is surest of all that it writes: the greatest sum of the log probabilities of the most probable texts.

    Args:
        model: a `ListenAttendSpell`.
        transcribe: a `transcriber` of it that takes voices.
        utterances: list of dicts with `audio`, and a `speaker`, bytes; who has none is a speaker alone.

    Returns:
        A list with the `Voice` of each utterance.

    Reference: Lee and Rose, A Frequency Warping Approach to Speaker Normalization, 1998.
    """
    speakers = [utterance["speaker"] or index for index, utterance in enumerate(utterances)]
    of = collections.defaultdict(list)
    for index, speaker in enumerate(speakers):
        of[speaker].append(index)
    means = {speaker: _mean(model, [utterances[index]["audio"] for index in of[speaker]]) for speaker in of}
    scores = []
    for warp in tqdm.tqdm(FREQUENCY_WARPS, desc="Adapting", unit=" lengths", leave=False, disable=None):
        voices = {speaker: Voice(mean, np.float32(warp)) for speaker, mean in means.items()}
        voiced = [{**one, "voice": voices[who]} for one, who in zip(utterances, speakers, strict=True)]
        found = [transcript for _, transcript in recognise(transcribe, voiced)]
        scores.append([transcript.score * (len(transcript.tokens) + 1) for transcript in found])
    best = {speaker: np.argmax(np.sum(np.array(scores)[:, indices], axis=1)) for speaker, indices in of.items()}
    voices = {speaker: Voice(means[speaker], np.float32(FREQUENCY_WARPS[best[speaker]])) for speaker in of}
    return [voices[speaker] for speaker in speakers]


def _mean(model, audios):
    """The mean of the features of the loud frames of recordings, `(bands,)`; 0 for a model that takes no mean away."""
    total, count = np.zeros(model.features_config.bands, "float32"), 0
    if model.features_config.subtract_mean:
        for audio in audios:
            log_mel, mask = model.hear(to_waveform(audio)[None], np.array([len(audio)], "int32"))
            loud = ops.convert_to_numpy(loud_frames(log_mel, mask))
            total, count = total + ops.convert_to_numpy(log_mel)[loud].sum(axis=0), count + loud.sum()
    return total / np.float32(max(count, 1))
