import keras
import pytest
from keras import ops

from keras_attn import Attention, scorers
from tests.contract import product_of_means


def test_a_function_becomes_a_scorer():
    scorer = scorers.get(product_of_means)
    assert isinstance(scorer, scorers.FunctionScorer) and scorer.function is product_of_means
    assert not scorer.recurrent


def test_the_function_comes_back_from_its_name_and_from_json():
    assert scorers.get("contract>product_of_means").function is product_of_means
    config = scorers.serialize(scorers.get(product_of_means))
    assert scorers.get(config).function is product_of_means


def test_a_configuration_of_the_function_alone_is_enough():
    config = keras.saving.serialize_keras_object(product_of_means)
    assert scorers.get(config).function is product_of_means


def test_an_unregistered_function_works_but_is_not_loaded():
    attention = Attention(lambda query, key: ops.matmul(query, ops.swapaxes(key, 1, 2)))
    assert tuple(attention(ops.ones((1, 2, 3)), ops.ones((1, 4, 3))).shape) == (1, 2, 3)
    with pytest.raises(Exception, match=r"lambda|function|deserialize|safe"):
        Attention.from_config(attention.get_config())
