"""Results of runs, made up."""


def result(wer=0.01, **changes):
    """What `comparison_run` finds out."""
    return {
        "wer": wer,
        "alignment_error_rate": 0.05,
        "mass_inside": 0.8,
        "boundary_error_ms": 8.0,
        "boundary_error_p95_ms": 90.0,
        "steps_until_aligned": 250,
        "seconds_per_step": 0.1234,
        "parameters": 430123,
        "peak_memory": 1_900_000_000,
        "shown": {
            "id": "test/3",
            "said": "go on",
            "recognised": "go on",
            "alignment": [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]],
            "frames": 3,
            "word_ids": [0, 0, -1, 1, 1],
            "frame_duration": 0.04,
            "offset": 0.0075,
            "words": [["go", 0.01, 0.05], ["on", 0.06, 0.11]],
        },
        **changes,
    }
