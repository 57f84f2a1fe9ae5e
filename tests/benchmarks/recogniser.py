"""Training and decoding of the recogniser of `demos/speech`, against one of the same shape on torch.

120 frames of 80 bands; a BLSTM of 128 in each direction, pairs of its outputs, another one; location-aware attention of
128 units with 10 filters of 31 frames; an LSTM of 256 fed with its context; 30 different tokens.

Training goes from features to new weights on both sides: 32 tokens and the end, cross-entropy with label smoothing,
CTC, Adam. SpeechBrain's decoder also has a projection of its context and one of its output, which ours does without.
Decoding goes from waveforms over 30 steps on both sides, without CTC; ours ends with texts, times and confidence, the
peer with tokens.
With XLA it is what `export --jit-compile` writes, else what `export` does.
"""

import itertools

from tests.benchmarks.benchmark import Benchmark, Contestant

_SHAPE = {"frames": 120, "bands": 80, "units": 128, "lstm": 256, "vocabulary": 30}
_PARTS = {"listener": "encoded frames", "speller": "logits", "losses": "losses", "gradients": "gradients"}


def benchmarks():
    """A step of training, then searches."""
    sizes = {"batch": 32, "length": 32, **_SHAPE}
    for attention, name in (("speechbrain", "SpeechBrain"), ("espnet", "ESPnet AttLoc")):
        ours = Contestant("keras_attn_recogniser", "training_step", sizes)
        peer = Contestant("torch_recogniser", "training_step", {"attention": attention, **sizes}, "torch")
        yield Benchmark(f"training-{attention}", "a whole training step, batch 32", ours, peer, f"torch, {name}", 0.8)
    of_features = {name: size for name, size in sizes.items() if name != "length"}
    ours = Contestant("keras_attn_recogniser", "features", of_features)
    yield Benchmark("profile-features", "waveforms to features, batch 32; no training step begins with them here", ours)
    for part, until in _PARTS.items():
        ours = Contestant("keras_attn_recogniser", "training_step", {**sizes, "until": part})
        yield Benchmark(f"profile-{part}", f"a whole training step until there are {until}", ours)
    for width, search in ((1, "greedy"), (8, "beam")):
        for batch, jit_compile in itertools.product((1, 16), (False, True)):
            sizes = {"batch": batch, "steps": 30, "beam_width": width, **_SHAPE}
            ours = Contestant("keras_attn_recogniser", "decoding", {**sizes, "jit_compile": jit_compile})
            peer = Contestant("torch_recogniser", "decoding", sizes, "torch")
            name = f"decoding-{search}-{batch}{'-xla' * jit_compile}"
            work = f"decoding with the SavedModel, {width} wide, batch {batch}, 30 steps" + ", XLA" * jit_compile
            yield Benchmark(name, work, ours, peer, "SpeechBrain", 0.7)
    sizes = {**_SHAPE, "batch": 1, "frames": 300, "steps": 45, "beam_width": 1}
    for cores, jit_compile in itertools.product((2, 1), (False, True)):
        variables = {"CORES": str(cores)}
        options = {**sizes, "jit_compile": jit_compile}
        ours = Contestant("keras_attn_recogniser", "decoding", options, variables=variables)
        name = f"latency-3s-{cores}-core{'s' * (cores > 1)}{'-xla' * jit_compile}"
        work = f"decoding a recording of 3 s, greedy, 45 steps, {cores} core{'s' * (cores > 1)}" + ", XLA" * jit_compile
        yield Benchmark(name, work, ours)
