"""The attention of SpeechBrain 1.1.2, `speechbrain.nnet.attention`, against recorded outputs.

No difference but in the gradient: ours flows into the previous alignment, where theirs stops.
"""

import keras
import pytest

from keras_attn import Attention
from keras_attn.scorers import Additive, LocationAware, ProjectedDot
from tests.parity import recorded


def additive(w):
    """All of their projections have biases; one is enough."""
    biases = [w[name] for name in ("mlp_enc.bias", "mlp_dec.bias", "mlp_loc.bias") if name in w]
    return {
        "query_projection/kernel": w["mlp_dec.weight"].T,
        "query_projection/bias": sum(biases),
        "key_projection/kernel": w["mlp_enc.weight"].T,
        "energy": w["mlp_attn.weight"][0],
    }


def location_aware(w):
    return additive(w) | {
        "convolution/kernel": w["conv_loc.weight"].T,
        "location_projection/kernel": w["mlp_loc.weight"].T,
    }


def projected_dot(w):
    return recorded.linear(w, "query_linear", "query_projection/") | recorded.linear(w, "key_linear", "key_projection/")


# Scorer, its weights; our projection of values or contexts, theirs.
CASES = {
    "ContentBasedAttention": (lambda: Additive(8), additive, "output_projection", "mlp_out"),
    "LocationAwareAttention": (lambda: LocationAware(8, 10, 5), location_aware, "output_projection", "mlp_out"),
    "KeyValueAttention": (lambda: ProjectedDot(8), projected_dot, "value_projection", "value_linear"),
}


@pytest.mark.parametrize("name", CASES)
def test_contexts_and_alignments(name):
    theirs = recorded.case("speechbrain", name)
    scorer, weights, our_projection, their_projection = CASES[name]
    ours = recorded.build(Attention(scorer(), **{our_projection: keras.layers.Dense(9)}), theirs)
    recorded.assign(ours.scorer, weights(theirs["weights"]))
    recorded.assign(getattr(ours, our_projection), recorded.linear(theirs["weights"], their_projection))
    recorded.assert_same(recorded.attend(ours, theirs), theirs)
