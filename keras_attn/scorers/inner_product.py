"""Scorers that are inner products of a vector of the query and one of the key."""

from keras_attn import deferred, masking
from keras_attn.scorers.scorer import Scorer


class InnerProduct(Scorer):
    """Base class of the scorers whose scores are ``f(q) . g(h_j)``.

    A member implements `query_vectors`, and keeps the vectors of the keys under ``"key"`` in its memory.
    """

    def query_vectors(self, query):
        """``f(q)``, ``(batch, Tq, dim)`` in any dtype, of queries ``(batch, Tq, query_dim)``."""
        raise NotImplementedError(f"{type(self).__name__} must implement query_vectors(query).")

    def factors(self, query, memory):
        return masking.at_least_float32(self.query_vectors(query)), masking.at_least_float32(memory["key"])

    def score(self, query, memory, state):
        return deferred.matmul_transposed(*self.factors(query, memory))
