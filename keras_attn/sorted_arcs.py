"""Arcs between the nodes of a graph, found by their labels in tensors."""

import numpy as np
from keras import ops


class SortedArcs:
    """The arcs that leave each node of a graph, with different labels, found by a binary search.

    Args:
        nodes: `(arcs,)` integers, the node that each arc leaves.
        labels: `(arcs,)` integers, the label of each.
        num_nodes: The number of nodes, 0 to `num_nodes - 1`.

    Attributes:
        order: `(arcs,)`, where the arcs of the arguments are in the sorted ones. What is known of an arc has to be
            brought into this order, too.

    >>> arcs = SortedArcs(nodes=[1, 0, 1], labels=[7, 7, 3], num_nodes=2)
    >>> index, found = arcs.find(ops.convert_to_tensor([0, 1, 0]), ops.convert_to_tensor([7, 7, 3]))
    >>> print(ops.convert_to_numpy(index)[:2], ops.convert_to_numpy(found), arcs.order)
    [0 2] [ True  True False] [1 2 0]
    """

    def __init__(self, nodes, labels, num_nodes):
        nodes, labels = np.asarray(nodes, "int32"), np.asarray(labels, "int32")
        self.order = np.lexsort([labels, nodes])
        # One arc more, which no node has, is what an empty list ends at.
        self._labels = np.append(labels[self.order], np.int32(-1))
        self._ends = np.cumsum(np.bincount(nodes, minlength=num_nodes)).astype("int32")
        self._starts = np.concatenate([[0], self._ends[:-1]]).astype("int32")
        self._bits = int(np.max(self._ends - self._starts, initial=0)).bit_length()

    def find(self, nodes, labels):
        """The arc of each node with a label: its number in the sorted ones, and whether there is one.

        Args:
            nodes: Integers, nodes.
            labels: Integers, of a shape that broadcasts with that of `nodes`.
        """
        known = ops.convert_to_tensor(self._labels)
        low, end = (ops.take(ops.convert_to_tensor(x), nodes) for x in (self._starts, self._ends))
        low = low + ops.zeros_like(labels)
        high = end = end + ops.zeros_like(labels)
        for _ in range(self._bits):
            middle = (low + high) // 2
            lower = ops.logical_and(low < high, ops.take(known, middle) < labels)
            low, high = ops.where(lower, middle + 1, low), ops.where(lower, high, middle)
        return low, ops.logical_and(low < end, ops.take(known, low) == labels)
