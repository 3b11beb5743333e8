"""Graphs as images of their adjacency matrices: the order of the nodes means nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..randomness import checked_seed, stream
from ..typing import FloatArray, IntArray
from .table import Table, require_flag, require_range

ODDS = 4_000, (6_600, 1_725)  # of 10,000: an edge without structure; within a community, and across
WALKS = (3, 4, 5, 6)  # lengths of the closed walks that are counted


@dataclass(frozen=True)
class Graphs:
    r"""Random graphs without structure, or with two communities; the class is which.

    Without structure, every two nodes are joined with probability 0.4. With communities (two halves of the nodes), they
    are joined with probability 0.66 within a half and 0.1725 across: of 16 nodes, the same 48 edges on average.

    A row is the adjacency matrix, (nodes, nodes, 1). With ``ordered=False`` the nodes are in random order, in every
    graph another; otherwise one community comes first. The features do not depend on the order: the sorted degrees, and
    the numbers of closed walks :math:`\mathrm{tr} A^k = \sum_i \lambda_i^k`, k = 3 to 6, which are the moments of
    the spectrum, in whole numbers (Harary & Schwenk 1979).

    Parameters
    ----------
    count
        Number of graphs.
    nodes
        Number of nodes; even.
    ordered
        Whether the communities are in order.
    seed
        Of all draws.
    """

    count: int = 600
    nodes: int = 16
    ordered: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        require_range("count", self.count, 4, 100_000)
        require_range("half the nodes", self.nodes / 2 if self.nodes % 2 else self.nodes // 2, 2, 32)
        require_flag("ordered", self.ordered)
        checked_seed(self.seed)

    @property
    def sha256(self) -> str:
        return self._made.sha256

    def table(self) -> Table:
        return self._made

    @cached_property
    def _made(self) -> Table:
        labels = np.arange(self.count, dtype=np.int64) % 2
        draw = stream(self.seed, "generate", "graphs")
        orders = stream(self.seed, "generate", "graphs: order")  # apart, so that both orders are of the same graphs
        graphs = np.zeros((self.count, self.nodes, self.nodes), np.int64)
        for graph, label in zip(graphs, labels, strict=True):
            graph[...] = self._drawn(draw, has_communities=bool(label))
        features = _features(graphs)
        if not self.ordered:
            for place, graph in enumerate(graphs):
                order = orders.permutation(self.nodes)
                graphs[place] = graph[order][:, order]
        names = ("no structure", "two communities")
        return Table(graphs[..., np.newaxis].astype(np.float64), labels, names, features)

    def _drawn(self, draw: np.random.Generator, *, has_communities: bool) -> IntArray:
        community = np.arange(self.nodes) // (self.nodes // 2)
        within = community[:, np.newaxis] == community
        plain, (inside, across) = ODDS
        odds = np.where(within, inside, across) if has_communities else plain
        upper = np.triu(draw.integers(0, 10_000, (self.nodes, self.nodes)) < odds, 1)
        return (upper | upper.T).astype(np.int64)


def _features(graphs: IntArray) -> FloatArray:
    """Return sorted degrees and numbers of closed walks, (N, nodes + 4)."""
    degrees = np.sort(graphs.sum(axis=2), axis=1)
    walks, power = [], graphs @ graphs
    for _ in WALKS:
        power = power @ graphs
        walks.append(np.trace(power, axis1=1, axis2=2))
    return np.concatenate([degrees, np.stack(walks, axis=1)], axis=1).astype(np.float64)
