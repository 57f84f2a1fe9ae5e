"""Shapes of recognisers by name: some settings, over which all others go."""

PRESETS = {
    # "Width" is taken for the units of each direction: with half of them in each, LAS-6-1280 would have less than half
    # of the 360 million weights that are published of it (see `sizes`). Lingvo's recogniser of this shape has as many
    # units, and vectors of 96 for the tokens, of which the paper says nothing.
    **{
        f"las-{depth}-{width}": {
            "features": {"bands": 80},
            "listener": {"convolutions": 2, "stack": 1, "join": 1, "levels": depth, "units": width},
            "speller": {"levels": 2, "units": width, "embedding": 96, "scorer": "additive"},
        }
        for depth, width in ((4, 1024), (6, 1024), (6, 1280))
    },
    # Nothing depends on what is heard later, and the attention stops as soon as it has heard enough. The noise makes
    # that decision a clear one. What the recipe of a dataset may have set otherwise is set back.
    "streaming": {
        "features": {"subtract_mean": False, "scale_to_peak": False, "floor": 1e-5},
        "listener": {"bidirectional": False, "units": 256, "convolutions": 0, "stack": 2, "join": 2},
        "speller": {
            "scorer": "additive",
            "alignment": {
                "class_name": "keras_attn>MoChA",
                "config": {"chunk_size": 8, "mode": "auto", "noise": 1.0, "bias": -1.0},
            },
        },
        "decoding": {"beam_width": 1, "ctc_weight": 0.0},
    },
}
