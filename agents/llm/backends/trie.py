"""A trie of token sequences: what a model scores or is held to, each shared beginning once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Trie:
    """``k`` token sequences as a tree whose root is the last token of a prompt.

    Slot 0 is the root, slot ``j + 1`` is node ``j``. Only inner nodes are numbered: a sequence's
    last token is predicted, never read.

    Attributes:
        tokens: int64 ``(nodes,)``, the token of each inner node, parents before children.
        depths: int64 ``(nodes,)``, 0 for children of the root.
        ancestors: bool ``(nodes, nodes)``, whether node j lies on node i's way from the root, or
            is i itself.
        edges: (slot, token) of every edge, leaves included.
        paths: for each sequence the indices of its edges, root first.
        lengths: int64 ``(k,)``, the sequences' lengths.
    """

    def __init__(self, sequences: Sequence[tuple[int, ...]]) -> None:
        self.lengths: NDArray[np.int64] = np.array([len(s) for s in sequences], np.int64)
        self.depth = int(self.lengths.max(initial=0))
        slots: dict[tuple[int, ...], int] = {(): 0}
        parents: list[int] = []
        tokens: list[int] = []
        depths: list[int] = []
        edges: dict[tuple[int, int], int] = {}
        self.paths: list[list[int]] = []
        for sequence in sequences:
            path = []
            for at, token in enumerate(sequence):
                slot = slots[sequence[:at]]
                path.append(edges.setdefault((slot, token), len(edges)))
                if at + 1 < len(sequence) and sequence[: at + 1] not in slots:
                    slots[sequence[: at + 1]] = len(slots)
                    tokens.append(token)
                    depths.append(at)
                    parents.append(slot)
            self.paths.append(path)
        self.tokens: NDArray[np.int64] = np.array(tokens, np.int64)
        self.depths: NDArray[np.int64] = np.array(depths, np.int64)
        self.edges = list(edges)
        self.ancestors: NDArray[np.bool_] = np.eye(len(tokens), dtype=np.bool_)
        for node, parent in enumerate(parents):
            if parent:
                self.ancestors[node] |= self.ancestors[parent - 1]
