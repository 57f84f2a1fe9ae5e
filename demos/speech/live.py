"""Writing down what is said while it is said, and how long that takes."""

import collections
import dataclasses
import sys
import time

import numpy as np

from demos.speech.audio import read_blocks
from demos.speech.errors import UserError
from demos.speech.segmentation import FRAME, frame_levels, is_speech

# Seconds of audio that are heard at a time.
CHUNK = 0.1
# Frames from which the background is known.
_AROUND = round(15.0 / FRAME)


def file_chunks(path, sample_rate):
    """An audio file, or raw samples from standard input where the path is `-`, in chunks of `CHUNK` seconds.

    Args:
        path: as of `read_blocks`, also for the errors; or `-`, for samples of 16 bits, little-endian, of one channel.
        sample_rate: Hz, of the chunks; it must be that of the raw samples, too.

    Raises:
        UserError: there are no samples.
    """
    size = round(CHUNK * sample_rate)
    blocks = _raw(sys.stdin.buffer, size) if str(path) == "-" else read_blocks(path, sample_rate)
    chunks = rechunk(blocks, size)
    first = next(chunks, None)
    if first is None:
        raise UserError("Expected samples of 16 bits from standard input. Received: none")
    yield first
    yield from chunks


def rechunk(blocks, size):
    """Samples that come in blocks, in chunks of `size`; the last one may be shorter.

    >>> [chunk.tolist() for chunk in rechunk([np.arange(3), np.arange(4)], 2)]
    [[0.0, 1.0], [2.0, 0.0], [1.0, 2.0], [3.0]]
    """
    held = np.zeros(0, "float32")
    for block in blocks:
        held = np.concatenate([held, block.astype("float32")])
        for _ in range(len(held) // size):
            yield held[:size]
            held = held[size:]
    if len(held):
        yield held


def utterances(chunks, sample_rate, pause):
    """Cut a recording at its pauses while it goes on.

    Half of a pause is kept before what is said, as much as there is, and all of it afterwards.

    Args:
        chunks: iterable of `(samples,)`.
        sample_rate: Hz.
        pause: seconds.

    Yields:
        For each utterance, where it starts, in seconds, and an iterable of its chunks. If that is left early, what is
        said in the rest is another utterance.
    """
    marked, position, before = (
        _marked(chunks, sample_rate),
        0,
        collections.deque(maxlen=max(1, round(pause / 2 / CHUNK))),
    )

    def following():
        nonlocal position
        quiet = 0
        yield np.concatenate(before)
        for chunk, heard in marked:
            position += len(chunk)
            yield chunk
            quiet = 0 if heard else quiet + len(chunk)
            if quiet >= pause * sample_rate:
                return

    for chunk, heard in marked:
        position += len(chunk)
        before.append(chunk)
        if heard:
            yield (position - sum(map(len, before))) / sample_rate, following()
            before.clear()


@dataclasses.dataclass
class Lag:
    """How far the writing is behind the audio.

    Attributes:
        heard: seconds of audio that came.
        waited: seconds of waiting for it.
        delays: how often each delay occurred, in ms: from the middle of the frame that the attention stopped at to the
            end of the audio that had come when the token was written.
    """

    heard: float = 0.0
    waited: float = 0.0
    delays: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    started: float = dataclasses.field(default_factory=time.perf_counter)

    def follow(self, chunks, sample_rate):
        """The same chunks, looking at the clock."""
        chunks = iter(chunks)
        while True:
            start = time.perf_counter()
            chunk = next(chunks, None)
            self.waited += time.perf_counter() - start
            if chunk is None:
                return
            self.heard += len(chunk) / sample_rate
            yield chunk

    def written(self, times):
        """Count tokens that are written now; `times` are those of their frames, in seconds."""
        self.delays.update(round(1000 * (self.heard - time)) for time in times)

    def __str__(self):
        seconds = time.perf_counter() - self.started - self.waited
        computing = f"{1000 * CHUNK * seconds / self.heard:.0f} ms for each {1000 * CHUNK:.0f} ms of audio"
        factor = f"real-time factor {seconds / self.heard:.3f}"
        if not self.delays:
            return f"nothing written; computing {computing}, {factor}"
        middle, high = np.percentile(list(self.delays.elements()), (50, 95))
        return f"delay of the letters: median {middle:.0f} ms, 95 % {high:.0f} ms; computing {computing}, {factor}"


def write_live(streaming, chunks, pause, file=None):
    """Write down a recording while it goes on, a line for each utterance, and where a text comes to its end.

    Args:
        streaming: a `Streaming`.
        chunks: iterable of `(samples,)`.
        pause: seconds of silence between utterances.
        file: where to write; standard output when None.

    Returns:
        The `Lag`.
    """
    lag = Lag()
    heard = lag.follow(chunks, streaming.sample_rate)
    for start, utterance in utterances(heard, streaming.sample_rate, pause):
        for written in streaming(utterance):
            print(written["text"].numpy().decode(), end="", flush=True, file=file)
            lag.written(start + written["token_times"].numpy())
            if written["ended"]:
                break
        print(file=file, flush=True)
    return lag


def _marked(chunks, sample_rate):
    """Chunks, and whether something is said in their frames, as far as is known by then."""
    size, rest, levels = round(FRAME * sample_rate), np.zeros(0, "float32"), np.zeros(0, "float32")
    for chunk in chunks:
        rest = np.concatenate([rest, chunk])
        whole = len(rest) // size * size
        new, rest = frame_levels([rest[:whole]], size), rest[whole:]
        levels = np.concatenate([levels, new])[-_AROUND:]
        yield chunk, len(new) > 0 and bool(is_speech(levels)[-len(new) :].any())


def _raw(file, size):
    """Blocks of raw samples, as they come."""
    while data := file.read(2 * size):
        yield np.frombuffer(data[: len(data) // 2 * 2], "<i2") / np.float32(32768)
