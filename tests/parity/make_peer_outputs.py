"""What other libraries' attention gives for fixed inputs and weights, written into one .npz file a library.

    python tests/parity/make_peer_outputs.py tfa | espnet | speechbrain

The files are committed, so the tests need none of these libraries; README.md, beside this script, says what is in
them. To make one again, run the script in an environment of Python 3.11 with that library:

    tfa:         pip install tensorflow-cpu==2.15.1 "numpy<2" "typeguard<3"
                 pip install --no-deps tensorflow-addons==0.23.0
    espnet:      pip install torch==2.13.0 numpy
                 pip install --no-deps espnet==202511
    speechbrain: pip install torch==2.13.0 numpy hyperpyyaml packaging pyyaml scipy tqdm
                 pip install --no-deps speechbrain==1.1.2
                 (it wants torchaudio too, which attention does not use: an empty module stands in)

Inputs and weights are drawn by NumPy alone, from a seed that only the name of the case sets. torch computes in float64,
TensorFlow Addons in float32; all is stored in float32.
"""

import functools
import importlib.metadata
import inspect
import sys
import types
import zlib
from pathlib import Path

import numpy as np

# Every size differs from all others, so that no array can be transposed or taken for another unseen.
BATCH, QUERIES, MEMORY_LENGTH, MEMORY_DIM, UNITS, CONTEXT_DIM, QUERY_DIM = 3, 5, 7, 6, 8, 9, 11
LENGTHS = np.array([7, 5, 4], dtype="int32")
SIZES = {  # by the names that the torch libraries give them
    **dict.fromkeys(("eprojs", "eunits", "enc_dim"), MEMORY_DIM),
    **dict.fromkeys(("dunits", "dec_dim"), QUERY_DIM),
    **dict.fromkeys(("att_dim", "att_dim_k", "attn_dim"), UNITS),
    **dict.fromkeys(("att_dim_v", "output_dim"), CONTEXT_DIM),
    **dict.fromkeys(("aconv_chans", "conv_channels"), 10),
    **dict.fromkeys(("aconv_filts", "kernel_size"), 2),  # so many frames to either side
    **{"aheads": 2, "att_win": 4, "odim": 12},
}


def generator(case):
    """The random numbers of one case, which do not depend on other cases."""
    return np.random.default_rng(zlib.crc32(case.encode()))


def normal(rng, *shape, scale=1.0):
    """Normally distributed numbers with standard deviation `scale`."""
    return (scale * rng.standard_normal(shape)).astype("float32")


def memory_and_queries(rng):
    """Inputs of one case. What stands in the padding of the memory is noise, not zeros."""
    memory, query = normal(rng, BATCH, MEMORY_LENGTH, MEMORY_DIM), normal(rng, BATCH, QUERIES, QUERY_DIM)
    return {"memory": memory, "lengths": LENGTHS, "query": query}


def over_time(steps):
    """Arrays ``(batch, Tq, ...)`` by name, from the arrays ``(batch, ...)`` of every step."""
    return {name: np.stack([step[name] for step in steps], axis=1).astype("float32") for name in steps[0]}


def flatten(tree, prefix=""):
    """Nested dicts as one, whose keys are paths."""
    for key, value in tree.items():
        yield from flatten(value, f"{prefix}{key}/") if isinstance(value, dict) else [(prefix + key, value)]


def tfa_cases():
    seq2seq = importlib.import_module("tensorflow_addons.seq2seq")
    mechanisms = {}
    for name, option in (("Luong", "scale"), ("Bahdanau", "normalize")):
        mechanisms[f"{name}Attention"] = {}
        mechanisms[f"{name}Attention_{option}"] = {option: True}
        mechanisms[f"{name}Attention_hardmax"] = {"probability_fn": "hardmax"}
        for mode in ("parallel", "recursive", "hard"):
            options = {"mode": mode, "score_bias_init": 0.1}
            mechanisms[f"{name}MonotonicAttention_{mode}"] = options
            mechanisms[f"{name}MonotonicAttention_{option}_{mode}"] = {**options, option: True}
    monotonic = functools.partial(seq2seq.LuongMonotonicAttention, mode="recursive", score_bias_init=-0.5)
    bahdanau, plain = seq2seq.BahdanauAttention, {"output_attention": False}
    wrappers = {
        "AttentionWrapper_Luong": ([seq2seq.LuongAttention], {"attention_layer_size": CONTEXT_DIM}),
        "AttentionWrapper_Bahdanau": ([bahdanau], plain),
        "AttentionWrapper_two": ([bahdanau, monotonic], plain),
    }
    return {
        **{case: tfa_mechanism_case(seq2seq, case, options) for case, options in mechanisms.items()},
        **{case: tfa_wrapper_case(seq2seq, case, *parts) for case, parts in wrappers.items()},
        "vanishing_mass": tfa_vanishing_mass_case(seq2seq),
    }


def tfa_mechanism_case(seq2seq, case, options):
    rng, name = generator(case), case.split("_")[0]
    units = UNITS if name.startswith("Bahdanau") else QUERY_DIM  # Luong's mechanism has no projection of the query.
    inputs = memory_and_queries(rng)
    mechanism = getattr(seq2seq, name)(units, inputs["memory"], LENGTHS, **options)
    mechanism([inputs["query"][:, 0], mechanism.initial_state(BATCH, "float32")])  # makes the weights
    weights = tfa_draw_weights(rng, mechanism)
    mechanism.setup_memory(inputs["memory"], LENGTHS)
    state, steps = mechanism.initial_state(BATCH, "float32"), []
    for query in np.moveaxis(inputs["query"], 1, 0):
        alignment, state = mechanism([query, state])
        steps.append({"alignment": alignment, "context": np.einsum("bt,btd->bd", alignment, mechanism.values)})
    return {**inputs, "weights": weights, **over_time(steps)}


def tfa_draw_weights(rng, layer):
    """Give `layer` new weights, but for the bias of the scores; all of them by name."""
    weights = {part.name: tfa_draw_weights(rng, part) for part in layer.submodules}
    for weight in layer.weights:
        name = weight.name.split("/")[-1].removesuffix(":0")
        if not any(weight is inner for part in layer.submodules for inner in part.weights):
            if name != "attention_score_bias":
                weight.assign(normal(rng, *weight.shape, scale=0.5))
            weights[name] = weight.numpy()
    return weights


def tfa_wrapper_case(seq2seq, case, mechanisms, options, steps=20, input_dim=4):
    """Steps of an `AttentionWrapper` around an `LSTMCell`, from zero states."""
    rng = generator(case)
    memory, inputs = normal(rng, BATCH, MEMORY_LENGTH, MEMORY_DIM), normal(rng, BATCH, steps, input_dim)
    cell = importlib.import_module("tensorflow").keras.layers.LSTMCell(QUERY_DIM, name="cell")
    mechanisms = [make(QUERY_DIM, memory, LENGTHS, name=f"mechanism_{i}") for i, make in enumerate(mechanisms)]
    wrapper = seq2seq.AttentionWrapper(cell, mechanisms if len(mechanisms) > 1 else mechanisms[0], **options)
    wrapper(inputs[:, 0], wrapper.get_initial_state(inputs[:, 0]))  # makes the weights
    parts = [cell, *(wrapper._attention_layers or []), *mechanisms]
    weights = {part.name: tfa_draw_weights(rng, part) for part in parts}
    for mechanism in mechanisms:
        mechanism.setup_memory(memory, LENGTHS)
    state, steps = wrapper.get_initial_state(inputs[:, 0]), []
    for x in np.moveaxis(inputs, 1, 0):
        output, state = wrapper(x, state)
        alignments = state.alignments if len(mechanisms) > 1 else [state.alignments]
        steps.append({f"alignment_{i}": alignment for i, alignment in enumerate(alignments)})
        steps[-1] |= {"output": output, "attention": state.attention}
        steps[-1] |= dict(zip(("hidden", "carry"), state.cell_state, strict=True))
    return {"memory": memory, "lengths": LENGTHS, "inputs": inputs, "weights": weights, **over_time(steps)}


def tfa_vanishing_mass_case(seq2seq, length=400):
    """One step over a long memory: "parallel" loses the mass that "recursive" keeps."""
    scores = normal(generator("vanishing_mass"), 3, length)
    previous = np.eye(length, dtype="float32")[[0, 50, 200]]
    give = functools.partial(seq2seq.monotonic_attention, 1 / (1 + np.exp(-scores)), previous)
    alignments = {f"alignment_{mode}": give(mode) for mode in ("parallel", "recursive")}
    return {"scores": scores, "previous": previous, **alignments}


def torch_in_float64():
    """The torch module, set to float64 even where a library asks for float32 by name."""
    torch = importlib.import_module("torch")
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.Tensor.float = torch.Tensor.double
    return torch


def torch_module(torch, rng, make):
    """The module that `make` makes, with drawn weights, and these weights by name."""
    module = make(**{name: SIZES[name] for name in inspect.signature(make).parameters if name in SIZES})
    weights = {name: normal(rng, *weight.shape, scale=0.5) for name, weight in module.state_dict().items()}
    module.load_state_dict({name: torch.tensor(weight) for name, weight in weights.items()})
    return module, weights


def espnet_cases():
    torch = torch_in_float64()
    attentions = importlib.import_module("espnet.nets.pytorch_backend.rnn.attentions")
    heads = [f"MultiHead{kind}" for kind in ("Dot", "Add", "Loc", "MultiResLoc")]
    kinds = ["Dot", "Add", "Loc", "Loc2D", "LocRec", "Cov", "CovLoc", *heads, "Forward", "ForwardTA"]
    return {f"Att{kind}": espnet_case(torch, f"Att{kind}", getattr(attentions, f"Att{kind}")) for kind in kinds}


def espnet_case(torch, name, make):
    rng = generator(name)
    inputs = memory_and_queries(rng)
    if name == "AttForwardTA":  # What the decoder put out before each query: before the first one, zeros.
        inputs["previous_output"] = normal(rng, BATCH, QUERIES, SIZES["odim"])
        inputs["previous_output"][:, 0] = 0
    module, weights = torch_module(torch, rng, make)
    scaling = inspect.signature(module.forward).parameters.get("scaling")
    scaling = module.scaling if scaling is None else scaling.default
    memory, *sequences = [torch.tensor(one).double() for key, one in inputs.items() if key != "lengths"]
    attended, steps = None, []
    for i in range(QUERIES):
        query, *previous_output = [sequence[:, i] for sequence in sequences]
        context, attended = module(memory, LENGTHS.tolist(), query, attended, *previous_output, scaling=scaling)
        steps.append({"context": context, **espnet_alignment(torch, name, attended)})
        if name == "AttForwardTA":
            steps[-1]["transition"] = module.trans_agent_prob
    outputs = over_time(steps)
    if name.startswith("AttMultiHead"):
        outputs["alignment"] = np.swapaxes(outputs["alignment"], 1, 2)
    return {**inputs, "weights": weights, "scaling": np.float32(scaling), **outputs}


def espnet_alignment(torch, name, attended):
    """The alignment of this step, from what a module returns to be given back at the next step."""
    if name.startswith("AttMultiHead"):
        return {"alignment": torch.stack(attended, dim=1)}
    if name == "AttLocRec":
        alignment, (hidden, carry) = attended
        return {"alignment": alignment, "hidden": hidden, "carry": carry}
    if name == "AttLoc2D":
        return {"alignment": attended[:, -1]}
    return {"alignment": attended[-1] if isinstance(attended, list) else attended}


def speechbrain_cases():
    torch = torch_in_float64()
    sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    attention = importlib.import_module("speechbrain.nnet.attention")
    names = ("ContentBasedAttention", "LocationAwareAttention", "KeyValueAttention")
    return {name: speechbrain_case(torch, name, getattr(attention, name)) for name in names}


def speechbrain_case(torch, name, make):
    rng = generator(name)
    inputs = memory_and_queries(rng)
    module, weights = torch_module(torch, rng, make)
    memory, queries = (torch.tensor(inputs[key]).double() for key in ("memory", "query"))
    shares = torch.tensor(LENGTHS / MEMORY_LENGTH)  # What AttentionalRNNDecoder gets and makes lengths of:
    lengths = torch.round(memory.shape[1] * shares).long()
    steps = []
    for query in queries.unbind(dim=1):
        context, alignment = module(memory, lengths, query)
        steps.append({"context": context, "alignment": alignment.reshape(BATCH, MEMORY_LENGTH)})
    return {**inputs, "weights": weights, "scaling": np.float32(module.scaling), **over_time(steps)}


PEERS = {
    "tfa": (tfa_cases, ("tensorflow-addons", "tensorflow-cpu", "keras")),
    "espnet": (espnet_cases, ("espnet", "torch")),
    "speechbrain": (speechbrain_cases, ("speechbrain", "torch")),
}


def main(peer):
    cases, packages = PEERS[peer]
    versions = [f"{package} {importlib.metadata.version(package)}" for package in (*packages, "numpy")]
    np.savez_compressed(Path(__file__).parent / f"{peer}.npz", versions=versions, **dict(flatten(cases())))


if __name__ == "__main__":
    main(sys.argv[1])
