"""What TensorBoard shows beside the figures of each epoch: the losses as training goes on, and the alignments."""

import keras
import tensorflow as tf

from demos.speech.alignment_plots import folder_of

# Steps from one loss to the next.
_EVERY = 10


class Summaries(keras.callbacks.Callback):
    """Write the losses of every tenth step, and what `AlignmentPlots` has drawn, into `<run>/logs/steps`.

    A step is one of the optimizer, so that the curve of a run that was gone on with has no gap.

    Args:
        run: `pathlib.Path` of the run folder.
    """

    def __init__(self, run):
        super().__init__()
        self.run = run

    def on_train_begin(self, logs=None):
        self.writer = tf.summary.create_file_writer(str(self.run / "logs" / "steps"))

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.optimizer.iterations)
        if step % _EVERY == 0:
            with self.writer.as_default(step):
                for name, value in logs.items():
                    # As Keras gives it: the mean since the epoch began.
                    tf.summary.scalar(f"step_{name}", value)

    def on_epoch_end(self, epoch, logs=None):
        with self.writer.as_default(epoch):
            for path in sorted(folder_of(self.run, epoch).glob("*.png")):
                tf.summary.image(path.stem, tf.io.decode_png(path.read_bytes(), channels=3)[None])
        self.writer.flush()

    def on_train_end(self, logs=None):
        self.writer.close()
