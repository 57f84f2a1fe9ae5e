"""What was written for TensorBoard."""

import collections

import tensorflow as tf
from tensorboard.compat.proto import event_pb2


def summaries(logs):
    """Of all event files below a folder: a dict from the name of the folder of each and a tag to `(step, value)`s."""
    found = collections.defaultdict(list)
    for path in sorted(logs.rglob("events.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                found[path.parent.name, value.tag].append((event.step, tf.make_ndarray(value.tensor)))
    return found
