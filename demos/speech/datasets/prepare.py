"""Building a TFDS dataset on first use."""

import sys
import warnings

from ..errors import UserError


def prepare(builder, advice=None):
    """Builds a TFDS dataset unless that has been done; says so on standard error, and TFDS shows its progress.

    Args:
        builder: the TFDS builder.
        advice: what to do when it cannot be downloaded; to copy what was built elsewhere, when None.

    Raises:
        UserError: the dataset cannot be downloaded or written.
    """
    if builder.is_prepared():
        return
    import requests
    import tensorflow_datasets as tfds

    name = builder.info.full_name
    print(f"Building {name} in {builder.data_dir} (once).", file=sys.stderr, flush=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydub warns of a missing ffmpeg, which reading WAV does not need
            builder.download_and_prepare()
    except UserError:
        raise
    except (tfds.download.DownloadError, requests.RequestException) as error:
        advice = advice or f"It can be built where there is a network, and {builder.data_dir} be copied."
        raise UserError(f"Cannot download {builder.name}. {advice}") from error
    except Exception as error:  # a builder of others may raise anything
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"Cannot build {name} in {builder.data_dir}: {reason}") from error
