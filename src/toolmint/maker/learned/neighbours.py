"""Remembers the words of learnt requests, and says how near a request is to those of a label."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolmint.maker.learned.features import Floats, Integers, SparseRow

WORDS = 24
"""Words and pairs of a learnt request that are kept: those of most weight."""
EACH = 300
"""Learnt requests of a label that are kept."""
_STEPS = 255


class Neighbours(NamedTuple):
    """The learnt requests, those of one label side by side.

    Attributes:
        columns: columns of the words, requests by ``WORDS``; padded with column 0.
        steps: their weights in steps of 1/255, requests by ``WORDS``; padded with 0.
        starts: where each label's requests begin, and their end: labels + 1.
        width: columns of words in the vocabulary.
    """

    columns: NDArray[np.uint16]
    steps: NDArray[np.uint8]
    starts: Integers
    width: int

    def nearest(self, row: SparseRow, labels: Integers) -> Floats:
        """Return the greatest cosine between a request's words and those of requests of each label."""
        query = np.zeros(self.width, np.float32)
        query[row.columns[: row.words]] = row.values[: row.words]
        found = np.zeros(len(labels), np.float32)
        for place, label in enumerate(labels):
            start, end = self.starts[label], self.starts[label + 1]
            if end > start:
                alike = np.einsum(
                    "ij,ij->i",
                    query[self.columns[start:end]],
                    self.steps[start:end],
                    dtype=np.float32,
                )
                found[place] = alike.max() / _STEPS
        return found


def neighbours_of(matrix: Any, width: int, right: Integers, labels: int) -> Neighbours:  # noqa: ANN401
    """Return the neighbours of a part that is learnt from.

    Args:
        matrix: its features (sparse).
        width: columns of words; they come first.
        right: label of each row.
        labels: how many labels there are.
    """
    kept: list[int] = []
    starts = [0]
    for label in range(labels):
        kept += np.flatnonzero(right == label)[-EACH:].tolist()  # the newest
        starts.append(len(kept))
    words = matrix[kept][:, :width]
    columns = np.zeros((len(kept), WORDS), np.uint16)
    steps = np.zeros((len(kept), WORDS), np.uint8)
    for place in range(len(kept)):
        start, end = words.indptr[place], words.indptr[place + 1]
        values = words.data[start:end]
        most = np.argsort(-values, kind="stable")[:WORDS]
        columns[place, : len(most)] = words.indices[start:end][most]
        steps[place, : len(most)] = np.rint(values[most] * _STEPS)
    return Neighbours(columns, steps, np.array(starts), width)


def nearest_of_all(near: Neighbours, matrix: Any, labels: Integers) -> Floats:  # noqa: ANN401
    """Return ``Neighbours.nearest`` for many requests at once.

    Args:
        near: the learnt requests.
        matrix: features of the requests (sparse).
        labels: the labels in question, requests by labels.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    count = len(near.columns)
    ends = np.arange(0, count * WORDS + 1, WORDS)
    data = near.steps.ravel().astype(np.float32) / _STEPS
    learnt: Any = csr_matrix((data, near.columns.ravel(), ends), shape=(count, near.width))
    words = matrix[:, : near.width]
    full = np.flatnonzero(np.diff(near.starts))
    found = np.zeros(labels.shape, np.float32)
    for start in range(0, len(labels), 512):
        part = slice(start, start + 512)
        alike = (words[part] @ learnt.T).toarray()
        best = np.zeros((len(alike), len(near.starts) - 1), np.float32)
        best[:, full] = np.maximum.reduceat(alike, near.starts[full], axis=1)
        found[part] = np.take_along_axis(best, labels[part], 1)
    return found
