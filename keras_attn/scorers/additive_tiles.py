"""Additive scores tile by tile: the largest array is ``(batch, Tq, Tv)``, and not `units` times that.

The tiles are all of one size, so that sequences of other lengths are no new work for a compiler.
"""

from keras import ops

from keras_attn.scorers import additive_tile

# Queries and keys of a tile.
QUERIES, KEYS = 64, 64


def scores(query, key, weights):
    """`additive_scores` of at least one query and key.

    Args:
        query, key, weights: As `additive_scores` has them, in one dtype.
    """
    (batch, tq, _), tv = ops.shape(query), ops.shape(key)[1]
    query, key = _blocks(query, QUERIES), _blocks(key, KEYS)
    rows, columns = ops.shape(query)[1], ops.shape(key)[1]
    query, key = _joined(query), _joined(key)

    def tile(i):
        return additive_tile.scores(query[i // columns], key[i // (rows * columns) * columns + i % columns], weights)

    tiles = ops.map(tile, ops.arange(batch * rows * columns))
    tiles = ops.reshape(tiles, (batch, rows, columns, QUERIES, KEYS))
    tiles = ops.transpose(tiles, (0, 1, 3, 2, 4))
    return ops.reshape(tiles, (batch, rows * QUERIES, columns * KEYS))[:, :tq, :tv]


def gradients(query, key, weights, upstream):
    """Gradients of `scores` with respect to its arguments, for which each tile is computed anew.

    Args:
        query, key, weights: As `scores` has them.
        upstream: ``(batch, Tq, Tv)``, the gradient with respect to the scores.
    """
    (batch, tq, units), tv = ops.shape(query), ops.shape(key)[1]
    query, key = _blocks(query, QUERIES), _blocks(key, KEYS)
    rows, columns = ops.shape(query)[1], ops.shape(key)[1]
    query, key = ops.swapaxes(query, 0, 1), _joined(key)
    upstream = ops.swapaxes(_blocks(upstream, QUERIES), 0, 1)  # (rows, batch, QUERIES, Tv)

    def row(i, totals):
        of_query, of_key, of_weights = totals
        queries = query[i]
        tiles = ops.swapaxes(_blocks(ops.swapaxes(upstream[i], 1, 2), KEYS), 2, 3)
        tiles = _joined(tiles)

        def tile(j):
            return additive_tile.gradients(queries[j // columns], key[j], weights, tiles[j])

        of_queries, of_keys, of_weights_here = ops.map(tile, ops.arange(batch * columns))
        of_queries = ops.sum(ops.reshape(of_queries, (1, batch, columns, QUERIES, units)), axis=2)
        return (
            ops.scatter_update(of_query, ops.reshape(i, (1, 1)), of_queries),
            of_key + of_keys,
            of_weights + ops.sum(of_weights_here, axis=0),
        )

    start = ops.zeros_like(query), ops.zeros_like(key), ops.zeros_like(weights)
    of_query, of_key, of_weights = ops.fori_loop(0, rows, row, start)
    of_query = ops.reshape(ops.swapaxes(of_query, 0, 1), (batch, rows * QUERIES, units))
    of_key = ops.reshape(of_key, (batch, columns * KEYS, units))
    return of_query[:, :tq], of_key[:, :tv], of_weights


def _blocks(x, size):
    """``(batch, T, dim)`` to ``(batch, blocks, size, dim)``, with zeros at the end."""
    batch, time, dim = ops.shape(x)
    blocks = (time + size - 1) // size
    x = ops.pad(x, ((0, 0), (0, blocks * size - time), (0, 0)))
    return ops.reshape(x, (batch, blocks, size, dim))


def _joined(x):
    """``(batch, blocks, ...)`` to ``(batch * blocks, ...)``."""
    shape = ops.shape(x)
    return ops.reshape(x, (shape[0] * shape[1], *shape[2:]))
