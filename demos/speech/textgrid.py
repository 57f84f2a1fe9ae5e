"""TextGrid files for Praat: a tier of segments and a tier of words."""


def to_textgrid(recording):
    r"""A `Recording` as a TextGrid in the long format: each tier fills the recording without gaps.

    >>> from demos.speech.recording import Recording, Segment
    >>> recording = Recording("a.wav", 1.0, (Segment(0.5, 1.0, "good day", (), -0.1, True),))
    >>> print("\n".join(line.strip() for line in to_textgrid(recording).splitlines()[18:22]))
    intervals [2]:
    xmin = 0.5
    xmax = 1
    text = "good day"
    """
    words = [word for segment in recording.segments for word in segment.words]
    tiers = {"segments": recording.segments, "words": words}
    head = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        *_extent(recording.duration),
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    lines = [line for number, tier in enumerate(tiers.items(), 1) for line in _tier(number, *tier, recording.duration)]
    return "\n".join([*head, *lines, ""])


def filled(parts, duration):
    """Start, end and text of the intervals of a tier: the parts, and what is empty between them.

    Args:
        parts: what has `start`, `end` and `text`, in order and not overlapping.
        duration: seconds, where the last interval ends.
    """
    last = 0.0
    for part in parts:
        if part.start > last:
            yield last, part.start, ""
        yield part.start, part.end, part.text
        last = part.end
    if duration > last:
        yield last, duration, ""


def _tier(number, name, parts, duration):
    intervals = list(filled(parts, duration))
    yield f"    item [{number}]:"
    for line in (
        'class = "IntervalTier"',
        f'name = "{name}"',
        *_extent(duration),
        f"intervals: size = {len(intervals)}",
    ):
        yield f"        {line}"
    for index, (start, end, text) in enumerate(intervals, 1):
        yield f"        intervals [{index}]:"
        quoted = text.replace('"', '""')
        for line in (*_extent(end, start), f'text = "{quoted}"'):
            yield f"            {line}"


def _extent(end, start=0.0):
    return f"xmin = {start:.9g}", f"xmax = {end:.9g}"
