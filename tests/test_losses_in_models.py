"""A functional model with masks whose attention a loss guides, trained, saved and loaded."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, losses


@keras.saving.register_keras_serializable(package="test_losses_in_models")
class GuidedAttention(keras.layers.Layer):
    """The recipe in the docstring of `losses`."""

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.weight = weight
        self.attention = Attention(dtype=self.dtype_policy)

    def build(self, query_shape, value_shape):
        self.attention.build(query_shape, value_shape)

    def call(self, query, value, query_mask=None, value_mask=None):
        context, alignment = self.attention(
            query, value, query_mask=query_mask, value_mask=value_mask, return_attention_scores=True
        )
        loss = losses.guided_attention_loss(alignment, query_mask, value_mask)
        self.add_loss(self.weight * ops.mean(loss))
        return context

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


def test_a_guided_model_learns_the_diagonal(rng, tmp_path):
    query, value = keras.Input((None, 8)), keras.Input((None, 8))
    masked = [keras.layers.Masking()(x) for x in (query, value)]
    model = keras.Model([query, value], GuidedAttention(weight=10.0, name="guided")(*masked))
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=False)

    lengths = np.array([[6, 3, 4, 5], [8, 8, 5, 6]])
    place = [np.arange(lengths[k].max()) / lengths[k][:, None] for k in (0, 1)]
    inputs = [np.cos(math.pi * np.arange(8) * x[..., None]) * (x < 1)[..., None] for x in place]
    inputs = [x.astype("float32") for x in inputs]
    target = rng.normal(size=(4, 6, 8)).astype("float32")

    def guidance():
        _, alignment = model.get_layer("guided").attention(
            *inputs, query_mask=place[0] < 1, value_mask=place[1] < 1, return_attention_scores=True
        )
        return ops.convert_to_numpy(losses.guided_attention_loss(alignment, place[0] < 1, place[1] < 1)).mean()

    before, context = guidance(), ops.convert_to_numpy(model(inputs))
    (added,) = model.losses
    assert ops.convert_to_numpy(added) == pytest.approx(10 * before, rel=1e-5)  # with the masks that Keras found
    error = np.square(context - target).mean(axis=-1)
    assert model.evaluate(inputs, target, verbose=0) == pytest.approx(
        error[place[0] < 1].mean() + 10 * before, rel=1e-4
    )
    model.fit(inputs, target, epochs=60, verbose=0)
    assert guidance() < before / 2

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(inputs, target, verbose=0) == pytest.approx(model.evaluate(inputs, target, verbose=0))
