"""Words as a tree of their letters, in tensors."""

import itertools

import numpy as np
from keras import ops

from keras_attn.sorted_arcs import SortedArcs


class SpellingTree:
    """The beginnings of words as numbered nodes, and how tokens lead from one to another.

    Args:
        words: Strings.
        parts: For every token, the letters that it adds, a string.

    Attributes:
        nodes: A dict `{beginning: node}`; the empty one is node 0.
        lost: The node of all that begins no word.

    >>> tree = SpellingTree(["ab", "b"], parts=["a", "b", "ab"])
    >>> tree.nodes, tree.lost
    ({'': 0, 'a': 1, 'ab': 2, 'b': 3}, 4)
    >>> print(ops.convert_to_numpy(tree.grow(ops.zeros(3, "int32"), ops.arange(3))))
    [1 3 2]
    """

    def __init__(self, words, parts):
        beginnings = dict.fromkeys(word[: i + 1] for word in words for i in range(len(word)))
        self.nodes = {text: node for node, text in enumerate(["", *beginnings])}
        self.lost = len(self.nodes)
        parents = [self.nodes[text[:-1]] for text in beginnings]
        self._arcs = SortedArcs(parents, [ord(text[-1]) for text in beginnings], self.lost + 1)
        self._children = np.append(self._arcs.order + 1, 0).astype("int32")
        letters = itertools.zip_longest(*([ord(letter) for letter in part] for part in parts), fillvalue=0)
        self._letters = [np.array(row, "int32") for row in letters]

    def grow(self, nodes, tokens):
        """The nodes after the letters of tokens, of shapes that broadcast."""
        nodes = nodes + ops.zeros_like(tokens)
        for row in self._letters:
            letters = ops.take(ops.convert_to_tensor(row), tokens)
            arcs, found = self._arcs.find(nodes, letters)
            children = ops.where(found, ops.take(ops.convert_to_tensor(self._children), arcs), self.lost)
            nodes = ops.where(letters == 0, nodes, children)
        return nodes
