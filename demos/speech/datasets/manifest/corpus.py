"""The corpus of a manifest: checked and built once, and then read from what was built."""

import collections
import dataclasses
import hashlib
import re
import sys
from pathlib import Path

from ...errors import UserError
from ..fixed_corpus import of_builder
from ..prepare import prepare
from .checks import check_rows
from .splits import split_rows
from .table import read_table

# Hz. Speech has little above half of it that tells words apart.
HIGHEST_RATE = 16_000


@dataclasses.dataclass(frozen=True)
class ManifestOptions:
    """What to make of a manifest.

    Attributes:
        sample_rate: Hz, of the corpus. None: the rate of most files, where those of more than `HIGHEST_RATE` count as
            of `HIGHEST_RATE`.
        max_seconds, frame_seconds, tokens: see `check_rows`.
        lowercase, keep_punctuation: see `spell`.
        skip_bad: whether to leave out bad rows, not to complain of them.
        word_times: path of a CTM file, see `read_table`.
    """

    sample_rate: int | None = None
    max_seconds: float | None = None
    lowercase: bool = False
    keep_punctuation: bool = False
    skip_bad: bool = False
    frame_seconds: float | None = None
    tokens: str = "characters"
    word_times: str | None = None


def open_manifest(name, data_dir=None, options=ManifestOptions()):
    """The corpus of a manifest; see `demos.speech.datasets.manifest` for its form.

    It becomes a TFDS dataset `manifest/NAME-HASH`, whose hash is of the manifest, the sizes and times of change of its
    files, and the options. When one of them changes, another one is built; the old one is left and may be deleted.

    Args:
        name: `"manifest:FILE.tsv"`.
        data_dir: where TFDS keeps its datasets.
        options: a `ManifestOptions`.

    Returns:
        A `FixedCorpus`.

    Raises:
        UserError: rows are bad, one line for each of them; or there are not enough good ones, or no manifest.
    """
    path = Path(name.partition(":")[2])
    rows, problems = read_table(path, options.lowercase, options.keep_punctuation, options.word_times)
    builder = _builder(data_dir, name=f"{_slug(path.stem)}-{_fingerprint(path, rows, options)}")
    if not builder.is_prepared():
        rates, more = check_rows(rows, options.max_seconds, options.frame_seconds, options.tokens)
        problems |= more
        if problems and not options.skip_bad:
            raise UserError("\n".join(f"{path}:{line}: {problems[line]}" for line in sorted(problems)))
        facts = {"sample_rate": options.sample_rate or _usual_rate(rates), "left_out": len(problems)}
        splits = split_rows([row for row in rows if row.line in rates])
        builder = _builder(data_dir, name=builder.builder_config.name, rows=splits, facts=facts)
        prepare(builder)
    facts = builder.info.metadata
    if facts["left_out"]:
        kept = sum(split.num_examples for split in builder.info.splits.values())
        print(f"{path}: left out {facts['left_out']} bad rows of {facts['left_out'] + kept}", file=sys.stderr)
    return of_builder(name, builder, facts["sample_rate"], lambda example: example)


def _builder(data_dir, **config):
    from .manifest_dataset_builder import Builder, ManifestConfig

    return Builder(config=ManifestConfig(**config), data_dir=data_dir)


def _slug(text):
    return re.sub(r"[^\w-]+", "_", text)


def _fingerprint(path, rows, options):
    """A hash of all that the dataset depends on."""
    digest = hashlib.sha256(path.read_bytes())
    if options.word_times:
        digest.update(Path(options.word_times).read_bytes())
    for file in sorted({row.path for row in rows}):
        digest.update(repr((str(file), *_state(file))).encode())
    digest.update(repr(options).encode())
    return digest.hexdigest()[:12]


def _state(file):
    """Size and time of change; nothing of a file that is not there."""
    try:
        stat = file.stat()
    except OSError:
        return ()
    return stat.st_size, stat.st_mtime_ns


def _usual_rate(rates):
    """The most frequent rate, the highest of equally frequent ones.

    >>> _usual_rate({2: 8000, 3: 44100, 4: 48000, 5: 8000})
    16000
    """
    counts = collections.Counter(min(rate, HIGHEST_RATE) for rate in rates.values())
    return max(counts, key=lambda rate: (counts[rate], rate), default=HIGHEST_RATE)
