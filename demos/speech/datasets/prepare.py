"""Building a TFDS dataset on first use."""

import sys

from ..errors import UserError


def prepare(builder):
    """Builds a TFDS dataset unless that has been done; says so on standard error, and TFDS shows its progress.

    Raises:
        UserError: the dataset cannot be written.
    """
    if builder.is_prepared():
        return
    print(f"Building {builder.info.full_name} in {builder.data_dir} (once).", file=sys.stderr, flush=True)
    try:
        builder.download_and_prepare()
    except OSError as error:
        raise UserError(f"Cannot build {builder.info.full_name} in {builder.data_dir}: {error}") from error
