"""What TensorBoard shows beside the figures of each epoch."""

from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf

from demos.speech.alignment_plots import folder_of
from demos.speech.summaries import Summaries
from tests.demos.speech.event_files import summaries


def callback(run, first=0):
    made = Summaries(run)
    made.set_model(SimpleNamespace(optimizer=SimpleNamespace(iterations=keras.Variable(first, dtype="int64"))))
    made.on_train_begin()
    return made


def train(made, losses):
    for batch, loss in enumerate(losses):
        made.model.optimizer.iterations.assign_add(1)
        made.on_train_batch_end(batch, {"loss": loss})


def test_every_tenth_step_and_no_gap_where_it_went_on(tmp_path):
    made = callback(tmp_path)
    train(made, range(25))
    made.on_train_end()
    made = callback(tmp_path, first=25)
    train(made, range(25, 40))
    made.on_train_end()
    steps = summaries(tmp_path / "logs")["steps", "step_loss"]
    assert sorted((step, float(loss)) for step, loss in steps) == [(10, 9), (20, 19), (30, 29), (40, 39)]


def test_the_figures_of_each_epoch(tmp_path, rng):
    pixels = rng.integers(0, 255, (3, 5, 4), "uint8")
    folder = folder_of(tmp_path, 1)
    folder.mkdir(parents=True)
    (folder / "test_1.png").write_bytes(tf.io.encode_png(pixels).numpy())
    made = callback(tmp_path)
    # Of the first, no figure was drawn.
    for epoch in range(2):
        made.on_epoch_end(epoch)
    made.on_train_end()
    ((step, (width, height, image)),) = summaries(tmp_path / "logs")["steps", "test_1"]
    assert (step, int(width), int(height)) == (1, 5, 3)
    np.testing.assert_array_equal(tf.io.decode_png(image), pixels[..., :3])
