"""Fifty steps of a decoder over inputs that are all known, forward and backward.

The same work on either side: `[input; context]` (64 and 256 numbers) goes into an LSTM of 256, 32 utterances at once,
and 128 units compare its state with 100 encoder frames of 256. Gradients for the inputs, the frames and all weights.
Frames are masked on both sides, all of them real. Against ESPnet the state of the step before asks, as in its decoder,
and outputs are `[state; context]`; against TensorFlow Addons the new state asks, and is the output, as in its wrapper.
Luong's score has one projection of 256 units, and nothing on the side of the query.
"""

from tests.benchmarks.benchmark import Benchmark, Contestant

_SIZES = {"batch": 32, "frames": 100, "dim": 256, "lstm": 256, "steps": 50, "input_dim": 64}
_FILTERS = {"aconv_chans": 10, "aconv_filts": 15}  # 10 filters of 31 frames, our default
_ESPNET = {  # our scorer and ESPnet's of the same formula
    "additive": ("AttAdd", {}),
    "location_aware": ("AttLoc", _FILTERS),
    "listen_attend_spell": ("AttDot", {}),
}
_TFA = {"additive": ("BahdanauAttention", 128), "general": ("LuongAttention", 256)}
_WORK = "50 decoder steps, 32 x 100 x 256, forward and backward"


def benchmarks(backend):
    """With ESPnet's attention; on TensorFlow also compiled by XLA, and with the attention of TensorFlow Addons."""
    for scorer, (attention, options) in _ESPNET.items():
        peer = {"attention": attention, "options": options, "units": 128, **_SIZES}
        peer = Contestant("espnet", "decoder_steps", peer, "torch")
        yield from _against(backend, scorer, "espnet", peer, f"ESPnet {attention}", 0.6, query="previous")
    for scorer, (mechanism, units) in _TFA.items() if backend == "tensorflow" else ():
        peer = Contestant("tfa", "decoder_steps", {"mechanism": mechanism, "units": units, **_SIZES}, "tfa")
        yield from _against(backend, scorer, "tfa", peer, f"TFA {mechanism}", 0.5, output="cell")


def _against(backend, scorer, library, peer, peer_name, goal, **options):
    for jit_compile in (False, True) if backend == "tensorflow" else (False,):
        ours = {"scorer": scorer, **_SIZES, **options, "jit_compile": jit_compile}
        ours = Contestant.on_backend(backend, "keras_attn_layers", "decoder_steps", ours)
        name, work = f"steps-{scorer}-{library}{'-xla' * jit_compile}", f"{_WORK}, {scorer}" + ", XLA" * jit_compile
        yield Benchmark(name, work, ours, peer, peer_name, goal)
