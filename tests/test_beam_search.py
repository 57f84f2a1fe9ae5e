"""Tests for `beam_search.py`: against exhaustive search, and against a beam search written with Python lists."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_attn.beam_search import BeamSearch
from tests.beam_search_machines import (
    CASES,
    END,
    VOCABULARY,
    as_numpy,
    every_sequence,
    groups,
    hypotheses,
    machines,
    search,
    slow_beam_search,
    start,
    step,
    tables,
)


def covering(seed):
    return len(every_sequence(seed))


def test_equals_exhaustive_search_when_the_width_covers_it():
    for seeds in groups(range(CASES)):
        width = max(map(covering, seeds))
        result = search([machines()[s] for s in seeds], width, n_best=4)
        for i, seed in enumerate(seeds):
            best = every_sequence(seed)
            found = hypotheses(result, i)
            assert len(found) == min(4, len(best))
            for (tokens, total), (_, expected), score in zip(found, best, result.scores[i], strict=False):
                machine = machines()[seed]
                assert (tokens, total) in best
                assert score == pytest.approx(machine.score(total, tokens), rel=1e-6)
                assert machine.score(total, tokens) == pytest.approx(machine.score(expected, _), rel=1e-6)


def check_against_slow_search(seeds, width):
    result = search([machines()[s] for s in seeds], width, n_best=min(width, 5))
    for i, seed in enumerate(seeds):
        assert hypotheses(result, i) == slow_beam_search(machines()[seed], width)[:5], (seed, width)


def test_equals_a_slow_beam_search_at_every_smaller_width():
    small = [seed for seed in range(CASES) if covering(seed) <= 24]
    assert len(small) > 40
    for width in range(1, 25):
        for seeds in groups(small):
            check_against_slow_search([s for s in seeds if covering(s) >= width] or seeds[:1], width)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 6, 9, 16, 40, 150])
def test_equals_a_slow_beam_search_in_larger_spaces(width):
    for seeds in groups([seed for seed in range(CASES) if covering(seed) > 24]):
        check_against_slow_search(seeds, width)


def test_width_one_is_greedy():
    for seeds in groups(range(CASES)):
        result = search([machines()[s] for s in seeds], width=1, n_best=1)
        for i, seed in enumerate(seeds):
            machine, tokens = machines()[seed], ()
            while not machine.is_closed(tokens):
                tokens = (*tokens, int(np.argmax(machine.after(tokens)[1])))
            assert hypotheses(result, i)[0][0] == tokens


def test_utterance_alone_equals_utterance_in_a_batch():
    seeds = list(groups(range(CASES)))[1]
    together = search([machines()[s] for s in seeds], width=4, n_best=4)
    for i in range(0, len(seeds), 4):
        alone = search([machines()[seeds[i]]], width=4, n_best=4)
        steps = alone.tokens.shape[2]
        np.testing.assert_array_equal(alone.tokens[0], together.tokens[i][:, :steps])
        assert (together.tokens[i][:, steps:] == END).all()
        for name in ("lengths", "scores", "log_probs", "ended"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[i])


def test_n_best_is_sorted_and_free_of_repeats():
    for seeds in groups(range(CASES)):
        result = search([machines()[s] for s in seeds], width=8, n_best=8)
        assert (result.scores[:, :-1] >= result.scores[:, 1:]).all()
        for i in range(len(seeds)):
            tokens = [h[0] for h in hypotheses(result, i)]
            assert len(set(tokens)) == len(tokens)


def test_history_follows_each_hypothesis():
    seeds = list(groups(range(CASES)))[2]
    result = search([machines()[s] for s in seeds], width=6, n_best=6, history=lambda state: state)
    assert result.history["number"].shape == result.tokens.shape
    for i, seed in enumerate(seeds):
        for k, (tokens, _) in enumerate(hypotheses(result, i)):
            length = result.lengths[i, k]
            numbers, counts = result.history["number"][i, k], result.history["more"][0][i, k]
            assert numbers[:length].tolist() == [machines()[seed].after(tokens[:t])[0] for t in range(length)]
            expected = np.cumsum(np.eye(VOCABULARY)[[1, *tokens]], axis=0)[:length]
            np.testing.assert_array_equal(counts[:length], expected)
            assert not numbers[length:].any() and not counts[length:].any()


def uniform_step(log_probs):
    """A step function without memory."""
    log_probs = ops.expand_dims(ops.cast(log_probs, "float32"), 0)
    return lambda tokens, state: (ops.repeat(log_probs, ops.shape(tokens)[0], axis=0), state)


def test_ties_go_to_the_better_hypothesis_then_to_the_lower_token():
    result = as_numpy(BeamSearch(uniform_step([-9.0, -1.0, -1.0]), end_token=0, beam_width=4, n_best=4)([1], {}, 2))
    assert result.tokens[0].tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    assert not result.ended.any() and result.lengths.tolist() == [[2] * 4]


def test_limits_per_utterance():
    beam_search = BeamSearch(uniform_step([-9.0, -1.0]), end_token=0, beam_width=2)
    result = as_numpy(beam_search([1, 1, 1], {}, np.array([3, 0, 1], "int64")))
    assert result.tokens[:, 0].tolist() == [[1, 1, 1], [0, 0, 0], [1, 0, 0]]
    assert result.lengths[:, 0].tolist() == [3, 0, 1] and not result.ended.any()
    np.testing.assert_allclose(result.scores[:, 0], [-1, 0, -1])
    empty = as_numpy(beam_search([1], {}, np.array([0])))
    assert empty.tokens.shape == (1, 1, 0) and empty.scores == 0


@pytest.mark.parametrize("bad", [-np.inf, np.nan])
def test_forbidden_tokens_are_never_chosen(bad):
    result = as_numpy(BeamSearch(uniform_step([-1.0, bad, -1.0]), end_token=0, beam_width=4, n_best=4)([1], {}, 3))
    assert result.lengths[0].tolist() == [0, 1, 2, 3] and (result.tokens != 1).all()
    assert result.ended[0].tolist() == [True, True, True, False]


def test_without_any_allowed_token_there_is_no_hypothesis():
    beam_search = BeamSearch(uniform_step([np.nan] * 3), end_token=0, beam_width=2, n_best=2, history=lambda s: s)
    result = as_numpy(beam_search([1], {"x": np.ones((1, 2), "float16")}, 4))
    assert (result.scores == -np.inf).all() and not result.lengths.any() and not result.ended.any()
    assert result.history["x"].shape == (1, 2, 4, 2) and not result.history["x"].any()


@pytest.mark.parametrize("as_limits", [False, True])
def test_in_a_graph_with_unknown_sizes(as_limits):
    beam_search = BeamSearch(step, end_token=END, beam_width=3, n_best=2, history=lambda state: state["more"])
    limit = tf.TensorSpec([None] if as_limits else [], tf.int32)
    batch = [machines()[s] for s in range(35, 45)]
    state = {"number": tf.TensorSpec([None], tf.int32), "more": [tf.TensorSpec([None, None], tf.float32)]}
    tensors = {"transitions": tf.TensorSpec([None] * 3, tf.int32), "log_probs": tf.TensorSpec([None] * 3, tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), state, limit, tensors])
    def graph(tokens, state, limits, constants):
        return tuple(beam_search(tokens, state, limits if as_limits else 5, constants))

    for size in (1, 10):
        arguments = np.ones(size, "int32"), start(size), np.full(size, 5, "int32"), tables(batch[:size])
        expected = beam_search(*arguments)
        found = graph(*arguments[:2], arguments[2] if as_limits else 5, arguments[3])
        tf.nest.map_structure(np.testing.assert_array_equal, found, tuple(expected))


def test_compiled_by_xla_with_a_limit_for_each_utterance():
    beam_search = BeamSearch(step, end_token=END, beam_width=3, n_best=2, history=lambda state: state["more"])
    batch = [machines()[s] for s in range(35, 45)]
    limits = np.array([machine.max_length for machine in batch], "int32")
    arguments = np.ones(len(batch), "int32"), start(len(batch)), limits, tables(batch)

    @tf.function(jit_compile=True)
    def compiled(*arguments):
        return tuple(beam_search(*arguments, steps=7))

    found = type(beam_search(*arguments))(*compiled(*tf.nest.map_structure(tf.constant, arguments)))
    assert found.tokens.shape == (10, 2, 7)
    expected = beam_search(*arguments, steps=7)
    tf.nest.map_structure(np.testing.assert_array_equal, found, expected)
    shorter = beam_search(*arguments)
    longest = max(limits)
    np.testing.assert_array_equal(found.tokens[:, :, :longest], shorter.tokens)
    assert np.all(found.tokens[:, :, longest:] == END)
    for name in ("lengths", "scores", "log_probs", "ended"):
        np.testing.assert_array_equal(getattr(found, name), getattr(shorter, name))
    np.testing.assert_array_equal(found.history[0][:, :, :longest], shorter.history[0])
    assert not np.any(found.history[0][:, :, longest:])


def test_fewer_steps_than_a_limit_are_the_limit():
    beam_search = BeamSearch(step, end_token=END, beam_width=3, n_best=3)
    batch = [machines()[s] for s in range(35, 45)]
    given = np.ones(len(batch), "int32"), start(len(batch))
    shorter = beam_search(*given, 2, tables(batch))
    tf.nest.map_structure(np.testing.assert_array_equal, beam_search(*given, 5, tables(batch), steps=2), shorter)


def test_known_state_sizes_and_an_unknown_batch_in_a_graph():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def graph(tokens):
        def forgetful_of_shapes(tokens, state):
            x = tf.tile(state["x"], [1, 2])[:, : tf.shape(state["x"])[1]]
            return tf.nn.log_softmax(x), {"x": x}

        beam_search = BeamSearch(forgetful_of_shapes, end_token=0, beam_width=2)
        return beam_search(tokens, {"x": tf.ones([tf.shape(tokens)[0], 4])}, 3)

    assert graph(np.ones(3, "int32")).lengths.numpy().tolist() == [[0]] * 3


def good_step(tokens, state):
    return ops.zeros((ops.shape(tokens)[0], 3)), state


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"beam_width": 0}, "Expected beam_width as an int from 1 to inf. Received: beam_width=0"),
        ({"beam_width": True}, "Received: beam_width=True"),
        ({"beam_width": 2, "n_best": 3}, "Expected n_best as an int from 1 to 2. Received: n_best=3"),
        ({"end_token": -1}, "Received: end_token=-1"),
        ({"length_normalization": -0.5}, "Received: length_normalization=-0.5"),
        ({"length_normalization": float("nan")}, "Expected a number >= 0. Received: length_normalization=nan"),
    ],
)
def test_bad_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        BeamSearch(good_step, **{"end_token": 0} | arguments)


def test_step_must_be_callable():
    with pytest.raises(TypeError, match="Received: step=3"):
        BeamSearch(3, end_token=0)


@pytest.mark.parametrize(
    "options, arguments, error, message",
    [
        ({}, {"max_length": 0}, ValueError, "max_length as an int from 1 to inf. Received: max_length=0"),
        ({}, {"max_length": 2.5}, TypeError, "Received: max_length=2.5"),
        ({}, {"max_length": [[2], [2]]}, TypeError, r"integers of shape \(batch,\)"),
        ({}, {"start_tokens": [[1, 1]]}, ValueError, r"Received: start_tokens.shape=\(1, 2\)"),
        ({}, {"state": {"x": np.zeros((3, 4))}}, ValueError, r"\(batch=2, ...\). Received: \(3, 4\)"),
        ({"end_token": 3}, {}, ValueError, r"vocabulary > end_token=3. Received: log_probs.shape=\(16, 3\)"),
    ],
)
def test_bad_arguments(options, arguments, error, message):
    beam_search = BeamSearch(good_step, **{"end_token": 0} | options)
    with pytest.raises(error, match=message):
        beam_search(**{"start_tokens": [1, 1], "state": {}, "max_length": 4} | arguments)


@pytest.mark.parametrize("shape, dtype", [((4, 5), "float32"), ((4,), "float32"), ((4, 6), "float16")])
def test_step_has_to_keep_the_state(shape, dtype):
    beam_search = BeamSearch(
        lambda tokens, state: (ops.zeros((4, 3)), ops.ones(shape, dtype)), end_token=0, beam_width=4
    )
    with pytest.raises(ValueError, match=r"Expected step to keep the state's shape=\(4, 6\)"):
        beam_search([1], ops.ones((1, 6)), 3)


def test_state_may_be_any_nest():
    for nest in itertools.chain([(), [], {}], [(np.ones((2, 1)), [np.ones((2, 3, 1))], {"a": np.ones(2)})]):
        result = BeamSearch(good_step, end_token=0, beam_width=2)([1, 1], nest, 2)
        assert result.tokens.shape == (2, 1, 2) and result.history is None
