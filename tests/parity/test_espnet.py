"""The attention of ESPnet 202511, `espnet.nets.pytorch_backend.rnn.attentions`, against recorded outputs."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.alignments import Forward, ForwardTransition, Softmax
from keras_attn.scorers import Additive, Coverage, LocationAware, LocationRecurrent, MultiHead, ProjectedDot
from tests.parity import recorded

UNITS = 8
case = functools.partial(recorded.case, "espnet")


def softmax(theirs):
    """ESPnet multiplies all scores by a number, by default 2, before the softmax."""
    return Softmax(temperature=1 / theirs["scaling"])


# ---- our weights, from theirs


def dot(w):
    no_bias = {"key_projection/bias": np.zeros(UNITS)}
    query = recorded.linear(w, "mlp_dec", "query_projection/")
    return query | no_bias | recorded.linear(w, "mlp_enc", "key_projection/")


def additive(w):
    """One head has its bias with the keys, several with the queries. That of `gvec` does nothing."""
    return {
        "query_projection/kernel": w["mlp_dec.weight"].T,
        "query_projection/bias": w.get("mlp_enc.bias", w.get("mlp_dec.bias")),
        "key_projection/kernel": w["mlp_enc.weight"].T,
        "energy": w["gvec.weight"][0],
    }


def location_aware(w):
    return additive(w) | {
        "convolution/kernel": filters(w["loc_conv.weight"]),
        "location_projection/kernel": w["mlp_att.weight"].T,
    }


def filters(weight):
    """Ours are (width, channels, filters); theirs, of two dimensions, (filters, 1, alignments, width)."""
    return weight[:, 0].T


def coverage(w):
    return additive(w) | {
        "location_projection/kernel": w["wvec.weight"].T,
        "query_projection/bias": w["mlp_enc.bias"] + w["wvec.bias"],
    }


def location_recurrent(w):
    """Their LSTM has no bias, and ours adds 1 to the gate that keeps."""
    return additive(w) | {
        "convolution/kernel": filters(w["loc_conv.weight"]),
        "gates/kernel": np.concatenate([w["att_lstm.weight_ih"], w["att_lstm.weight_hh"]], axis=1).T,
        "gates/bias": np.repeat([0.0, -1.0, 0.0, 0.0], UNITS),
    }


def head(w, i):
    """The weights of head `i`, by the names that attention of one head gives them."""
    renamed = {"mlp_q": "mlp_dec", "mlp_k": "mlp_enc"}
    parts = [(name.split("."), weight) for name, weight in w.items() if f".{i}." in name]
    return {f"{renamed.get(part, part)}.{kind}": weight for (part, _, kind), weight in parts}


# ---- their attention in ours


def attention(theirs, scorer, weights, alignment=None):
    layer = recorded.build(Attention(scorer, alignment or softmax(theirs)), theirs)
    recorded.assign(layer.scorer, weights(theirs["weights"]))
    return layer


PLAIN = {
    "AttDot": (lambda: ProjectedDot(UNITS, activation="tanh", scaled=False), dot),
    "AttAdd": (lambda: Additive(UNITS), additive),
    "AttLoc": (lambda: LocationAware(UNITS, 10, 5), location_aware),
    "AttLoc2D": (lambda: LocationAware(UNITS, 10, 5, history=4), location_aware),
}


@pytest.mark.parametrize("name", PLAIN)
def test_one_head(name):
    scorer, weights = PLAIN[name]
    theirs = case(name)
    recorded.assert_same(recorded.attend(attention(theirs, scorer(), weights), theirs), theirs)


CUMULATIVE = {
    "AttCov": (lambda: Coverage(UNITS), coverage, "coverage", 0.047),
    "AttCovLoc": (lambda: LocationAware(UNITS, 10, 5, features="cumulative"), location_aware, "cumulative", 0.188),
}


@pytest.mark.parametrize("name", CUMULATIVE)
def test_coverage(name):
    """Their sum of earlier alignments starts from the uniform one, though nothing was attended to yet; ours from 0.

    Told to start like theirs, ours gives the same. Left alone, its weights differ by as much as is said above.
    """
    scorer, weights, remembered, difference = CUMULATIVE[name]
    theirs = case(name)
    ours = attention(theirs, scorer(), weights)
    state = ours.initial_state(recorded.prepare(ours, theirs))
    start = state["scorer"][remembered]
    np.testing.assert_array_equal(ops.convert_to_numpy(start), 0)
    uniform = {remembered: ops.reshape(state["alignment"], ops.shape(start))}
    recorded.assert_same(recorded.attend(ours, theirs, state={**state, "scorer": uniform}), theirs)
    _, states = recorded.attend(ours, theirs)
    recorded.assert_close(np.abs(recorded.alignments(states) - theirs["alignment"]).max(), difference, atol=1e-3)


def test_location_recurrent():
    """Their maximum over the frames includes padding, into which the filters carry weight. The first row has none."""
    theirs = case("AttLocRec")
    ours = attention(theirs, LocationRecurrent(UNITS, 10, 5), location_recurrent)
    memory = recorded.prepare(ours, theirs)
    contexts, states = recorded.attend(ours, theirs)
    recorded.assert_same((contexts, states), theirs, rows=[0])
    for i, state in enumerate(states[:-1]):
        recorded.assert_close(state["scorer"]["output"][0], theirs["hidden"][0, i])
        recorded.assert_close(state["scorer"]["carry"][0], theirs["carry"][0, i])
    differences = np.abs(recorded.alignments(states) - theirs["alignment"]).max(axis=(1, 2))
    recorded.assert_close(differences, [0, 0.0024, 0.0025], atol=1e-4)

    everything = {**memory["scorer"], "mask": ops.ones_like(memory["mask"])}
    recorded.assert_same(recorded.attend(ours, theirs, memory={**memory, "scorer": everything}), theirs)


# ---- several heads

HEAD = {
    "AttMultiHeadDot": (lambda i: ProjectedDot(UNITS, activation="tanh", scaled=False), dot),
    "AttMultiHeadAdd": (lambda i: Additive(UNITS), additive),
    "AttMultiHeadLoc": (lambda i: LocationAware(UNITS, 10, 5), location_aware),
    "AttMultiHeadMultiResLoc": (lambda i: LocationAware(UNITS, 10, (3, 5)[i]), location_aware),
}


def multi_head(theirs, name, alignment):
    scorer, weights = HEAD[name]
    w, heads = theirs["weights"], range(2)
    ours = Attention(
        MultiHead([scorer(i) for i in heads]),
        alignment,
        value_projection=keras.layers.Dense(2 * 9, use_bias=False),
        output_projection=keras.layers.Dense(6, use_bias=False),
    )
    recorded.build(ours, theirs)
    for i in heads:
        recorded.assign(ours.scorer.scorers[i], weights(head(w, i)))
    ours.value_projection.kernel.assign(np.concatenate([w[f"mlp_v.{i}.weight"] for i in heads]).T)
    ours.output_projection.kernel.assign(w["mlp_o.weight"].T)
    return ours


@pytest.mark.parametrize("name", HEAD)
def test_multi_head(name):
    theirs = case(name)
    recorded.assert_same(recorded.attend(multi_head(theirs, name, softmax(theirs)), theirs), theirs)


def test_multi_head_location_forgets_its_scaling():
    """Three of the four scale scores by 1 / sqrt(units). AttMultiHeadLoc has that too, and then uses 2."""
    scaling = {name: case(name)["scaling"] for name in HEAD}
    assert scaling.pop("AttMultiHeadLoc") == 2
    np.testing.assert_allclose(list(scaling.values()), UNITS**-0.5, rtol=1e-6)

    theirs = case("AttMultiHeadLoc")
    ours = multi_head(theirs, "AttMultiHeadLoc", Softmax(temperature=UNITS**0.5))
    _, states = recorded.attend(ours, theirs)
    peaks = [np.mean(np.max(one, axis=-1)) for one in (theirs["alignment"], recorded.alignments(states))]
    recorded.assert_close(peaks, [0.485, 0.251], atol=1e-3)  # how much sharper that makes them


# ---- forward attention

# They raise every weight to 1e-6 at least, after masking, and only then make them add up to 1. So padding gets weight,
# and what stands in it is in the context. Ours gives it 0.

FLOORED = {  # by how much the floor moves alignments and contexts; the most that padding gets
    "AttForward": (Forward, [1.33e-4, 3.17e-4, 3.27e-6]),
    "AttForwardTA": (ForwardTransition, [3.43e-5, 7.06e-5, 6.44e-6]),
}


def forward(name):
    theirs, alignment = case(name), FLOORED[name][0]()
    if "previous_output" in theirs:  # Their transition agent sees it. Ours does if it is a part of the query.
        theirs["query"] = np.concatenate([theirs["query"], theirs["previous_output"]], axis=-1)
        theirs["weights"]["mlp_dec.weight"] = np.pad(theirs["weights"]["mlp_dec.weight"], [(0, 0), (0, 12)])
    ours = attention(theirs, LocationAware(UNITS, 10, 5), location_aware, alignment)
    recorded.assign(ours.alignment, transition_agent(theirs["weights"]))
    return theirs, ours


def transition_agent(w):
    """Theirs says whether to stay, from [context; output; query]; ours whether to move, and the query comes first."""
    if "mlp_ta.weight" not in w:
        return {}
    context, output, query = np.split(w["mlp_ta.weight"].T, [6, 6 + 12])
    return {"agent/kernel": -np.concatenate([context, query, output]), "agent/bias": -w["mlp_ta.bias"]}


@pytest.mark.parametrize("name", FLOORED)
def test_forward_but_for_the_floor(name):
    theirs, ours = forward(name)
    contexts, states = recorded.attend(ours, theirs)
    alignments, padding = recorded.alignments(states), ~recorded.real(theirs)[:, None]
    np.testing.assert_array_equal(alignments * padding, 0)
    differences = (alignments - theirs["alignment"], contexts - theirs["context"], padding * theirs["alignment"])
    np.testing.assert_allclose([np.abs(one).max() for one in differences], FLOORED[name][1], rtol=0.05)


@pytest.mark.parametrize("name", FLOORED)
def test_forward_above_the_floor(name):
    """A step from their previous alignment: what lies above the floor has the same proportions."""
    theirs, ours = forward(name)
    memory = recorded.prepare(ours, theirs)
    state = ours.initial_state(memory)
    for i in range(5):
        _, after = ours.step(theirs["query"][:, i], memory, state)
        expected = theirs["alignment"][:, i]
        above = expected > 1.001 * expected.min(axis=-1, keepdims=True)
        pair = (above * ops.convert_to_numpy(after["alignment"]), above * expected)
        recorded.assert_close(*(weights / weights.sum(axis=-1, keepdims=True) for weights in pair))
        state = with_alignment(after, ops.convert_to_tensor(expected))
        if name == "AttForwardTA":
            move = ops.convert_to_numpy(after["alignment_function"]["move"])
            recorded.assert_close(1 - move, theirs["transition"][:, i, 0])


def with_alignment(state, alignment):
    """The state after a step with another alignment than it had."""
    place = {**state["alignment_function"], "place": alignment}
    return {**state, "alignment": alignment, "scorer": {"previous": alignment[..., None]}, "alignment_function": place}
