"""The mel scale, which spaces frequencies as the ear does, and its filters."""

import numpy as np


def mel_filters(sample_rate, fft_length, bands, low_frequency, high_frequency):
    """Triangular filters with equal spacing on the HTK mel scale.

    `mel(f) = 2595 log10(1 + f / 700)`; filter `b` rises from 0 at edge `b` to 1 at edge `b + 1` and falls to 0 at
    edge `b + 2`, where the `bands + 2` edges divide `[mel(low_frequency), mel(high_frequency)]` equally. Equal to
    `librosa.filters.mel(..., htk=True, norm=None)`.

    Args:
        sample_rate: Hz.
        fft_length: samples in a Fourier transform.
        bands: number of filters.
        low_frequency: lower edge of the first filter, Hz.
        high_frequency: upper edge of the last filter, Hz.

    Returns:
        float32 array `(fft_length // 2 + 1, bands)`.

    Raises:
        ValueError: a filter is so narrow that it holds no Fourier bin.

    >>> mel_filters(16000, 400, 40, 20.0, 8000.0).shape
    (201, 40)
    """
    low, high = 2595 * np.log10(1 + np.array([low_frequency, high_frequency]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    bins = np.linspace(0, sample_rate / 2, fft_length // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    if not filters.any(axis=0).all():
        raise ValueError(
            f"Expected every band to hold at least one Fourier bin ({sample_rate / fft_length:g} Hz apart); take fewer "
            f"bands or a longer window. Received: bands={bands}, low_frequency={low_frequency}"
        )
    return filters.astype("float32")
