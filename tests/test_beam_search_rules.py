"""`BeamSearch` with CTC, language model, coverage and the other rules, against `search_by_hand.py`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import BeamSearch
from tests.joint_search import CASES, N_BEST, hypotheses, search, tables, utterances
from tests.search_by_hand import BLANK, STATES, VOCABULARY, Rules

RULES = {
    "ctc": Rules(ctc_weight=0.4),
    "language model": Rules(language_model_weight=0.5, token_bonus=0.25, forbidden=(BLANK,), length_normalization=0.0),
    "coverage": Rules(coverage_penalty=0.1),
    "end threshold": Rules(end_threshold=1.2),
    "min length": Rules(min_length=True),
    "attention shift": Rules(max_attention_shift=3),
    "phrases": Rules(phrase_bonus=0.75, forbidden=(BLANK,), length_normalization=0.0),
    "n-grams": Rules(ngram_weight=0.5),
    "recurrent language model": Rules(recurrent_weight=0.5),
}
RULES["all"] = Rules(0.3, 0.25, 0.5, (2,), 0.5, 1.2, 0.05, 4, True, 1.0, 0.25, 0.25)


LANGUAGE = ("phrases", "n-grams", "recurrent language model")  # greedy only together with all others, for speed


@pytest.mark.parametrize(("name", "width"), [(n, w) for n in RULES for w in (1, 5) if w > 1 or n not in LANGUAGE])
def test_equals_the_search_by_hand(name, width):
    rules = RULES[name]
    if keras.config.backend() == "torch" and width > 1 and not rules.ctc_weight:
        pytest.skip("torch.topk decides between hypotheses of equal score")
    result = search(rules, tables(), width)
    for i, utterance in enumerate(utterances()):
        found, expected = hypotheses(result, i), utterance.search(rules, width)[:N_BEST]
        assert [tokens for tokens, _, _ in found] == [tokens for tokens, _ in expected], i
        assert len({tokens for tokens, _, _ in found}) == len(found)
        assert [score for _, _, score in found] == sorted((score for _, _, score in found), reverse=True)
        for (tokens, total, score), (_, expected_total) in zip(found, expected, strict=True):
            np.testing.assert_allclose(total, expected_total, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(score, utterance.score(expected_total, tokens, rules), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_changes_what_is_found(name):
    """Or else the comparison would show nothing."""
    ruled = RULES[name]
    plain = Rules(length_normalization=ruled.length_normalization)
    same = [u.search(plain, width=5)[:N_BEST] == u.search(ruled, width=5)[:N_BEST] for u in utterances()]
    assert same.count(False) >= 10


def test_an_utterance_is_searched_alike_alone_and_in_a_batch():
    together = search(RULES["all"], tables(), 4)
    for i in range(0, CASES, 40):
        frames = utterances()[i].frames
        one = {name: x[i : i + 1] for name, x in tables().items()}
        one |= {"alignments": one["alignments"][..., :frames], "ctc": one["ctc"][:, :frames]}
        alone = search(RULES["all"], one | {"mask": one["mask"][:, :frames]}, 4)
        for (tokens, *numbers), (others, *other_numbers) in zip(
            hypotheses(alone, 0), hypotheses(together, i), strict=True
        ):
            assert tokens == others
            np.testing.assert_allclose(numbers, other_numbers, rtol=1e-5)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="other backends export through TensorFlow")
def test_an_exported_search_is_the_same(tmp_path):
    """With all rules, and all sizes unknown but those of the decoder."""
    import tensorflow as tf

    data = tables()
    unknown = {"ctc": [None, None, VOCABULARY], "mask": [None, None], "alignments": [None, STATES, None]}
    shapes = {name: unknown.get(name, [None, *x.shape[1:]]) for name, x in data.items()}
    signature = {name: tf.TensorSpec(shapes[name], x.dtype, name) for name, x in data.items()}
    module = tf.Module()
    module.search = tf.function(lambda data: search(RULES["all"], data, 4)._asdict(), [signature])
    tf.saved_model.save(module, tmp_path)
    found, expected = tf.saved_model.load(tmp_path).search(data), search(RULES["all"], data, 4)
    np.testing.assert_array_equal(found["tokens"], expected.tokens)
    np.testing.assert_allclose(found["scores"], expected.scores, rtol=1e-5)


def table_step(log_probs, alignments=None):
    """A decoder whose step t gives row t of tables of constant rows."""

    def step(tokens, state):
        time = state["time"]
        new = {"time": time + 1}
        if alignments is not None:
            new["alignment"] = ops.take(ops.convert_to_tensor(alignments, "float32"), time, axis=0)
        return ops.take(ops.convert_to_tensor(log_probs, "float32"), time, axis=0), new

    return step


def run(step, frames=None, max_length=3, **options):
    call = {name: options.pop(name) for name in ("min_length", "mask") if name in options}
    state = {"time": np.zeros(1, "int32")}
    if frames is not None:
        state["alignment"] = np.zeros((1, frames), "float32")
        options["alignment"] = lambda state: state["alignment"]
    return BeamSearch(step, end_token=0, **options)([1], state, max_length, **call)


def test_what_hard_alignments_leave_out_has_its_price():
    """Where TensorFlow Addons takes an element with coverage 0 for one with 1: nothing would be left of the penalty."""
    step = table_step([[-1.0, -9.0]] * 3, np.eye(4)[:3])
    result = run(step, frames=4, beam_width=1, coverage_penalty=0.5)
    np.testing.assert_allclose(result.scores[0, 0], -1 + 0.5 * 3 * np.log(1e-3), rtol=1e-6)
    np.testing.assert_allclose(result.log_probs[0, 0], -1)
    masked = run(step, frames=4, beam_width=1, coverage_penalty=0.5, mask=[[True, True, False, False]])
    np.testing.assert_allclose(masked.scores[0, 0], -1 + 0.5 * np.log(1e-3), rtol=1e-6)


@pytest.mark.parametrize("min_length, length", [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
def test_min_length_counts_the_end_token(min_length, length):
    result = run(table_step([[-0.1, -5.0]] * 3), min_length=min_length)
    assert int(result.lengths[0, 0]) == length and bool(result.ended[0, 0]) == (length < 3)


@pytest.mark.parametrize("threshold, length", [(None, 0), (2.5, 0), (2.0, 1), (1.5, 1)])
def test_the_end_needs_to_be_probable(threshold, length):
    """The end has -2, the best other token -1; after that token only the end is left."""
    step = table_step([[-2.0, -1.0], [-2.0, -40.0]])
    result = run(step, max_length=2, beam_width=2, length_normalization=0, end_threshold=threshold)
    assert int(result.lengths[0, 0]) == length and bool(result.ended[0, 0])


def test_a_sure_end_passes_every_threshold():
    result = run(table_step([[0.0, -np.inf]] * 3), end_threshold=1.5)
    assert int(result.lengths[0, 0]) == 0 and bool(result.ended[0, 0])


def test_attention_may_leap_when_all_would_be_dropped():
    leaps = np.eye(9)[[0, 8, 0]]
    expected = run(table_step([[-3.0, -1.0]] * 3), beam_width=2, n_best=2)
    found = run(table_step([[-3.0, -1.0]] * 3, leaps), frames=9, beam_width=2, n_best=2, max_attention_shift=1)
    np.testing.assert_array_equal(found.tokens, expected.tokens)
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_no_memory_at_all():
    step = table_step([[-3.0, -1.0]] * 3, np.zeros((3, 0)))
    result = run(step, frames=0, coverage_penalty=1.0, max_attention_shift=0)
    np.testing.assert_array_equal(result.tokens, [[[1, 1, 1]]])
    np.testing.assert_allclose(result.scores, [[-1]])


def test_length_normalization_by_a_function():
    """That of Wu et al., for 3 tokens and the end: (5 + 4) / 6."""
    result = run(
        table_step([[-9.0, -1.0]] * 3 + [[-1.0, -9.0]]), max_length=4, length_normalization=lambda n: (5 + n) / 6
    )
    np.testing.assert_allclose(result.scores, [[-4 / 1.5]])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"end_threshold": 0}, "Expected a number > 0 or None. Received: end_threshold=0"),
        ({"coverage_penalty": -1.0}, "Expected a number >= 0. Received: coverage_penalty=-1.0"),
        ({"coverage_penalty": 1.0}, "Expected a function, for the penalty or the shift. Received: alignment=None"),
        ({"max_attention_shift": 3}, "Received: alignment=None"),
        ({"max_attention_shift": 1.5}, "Expected max_attention_shift as an int from 0 to inf"),
        ({"min_length": -1}, "Expected min_length as an int from 0 to inf. Received: min_length=-1"),
        ({"mask": np.ones((3, 2), bool)}, r"state, constants, mask of shape \(batch=1, ...\). Received: \(3, 2\)"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        run(table_step([[-1.0, -1.0]] * 3), **options)
