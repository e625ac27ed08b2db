"""Which windows of a batch share a pass: near ones share one over their tile, others do not.

A batch is drawn from the whole scene, wherever that may be. Where its windows lie far apart, as in
a large scene, one trunk pass over all that lies between them would cost more than it saves; cut in
tiles, each with the halo its windows need, the batch costs what its windows do. The logits and the
gradient are the same, and so is the sampling: how pixels are drawn does not change.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FULL = 0.8  # share of a tile that its windows cover, above which it is not worth halving
LARGEST_TILE = 2**18  # pixels of one shared pass: its features are kept for the gradient


@dataclass(frozen=True)
class Group:
    """Windows that are classified together.

    Attributes
    ----------
    members : ndarray (n,), int64
        Which windows of the batch.
    shared : bool
        True for one pass over the tile that holds them all, False for one pass per window.
    """

    members: npt.NDArray[np.int64]
    shared: bool


def grouped(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    window: int,
    cost: Callable[[int, int], int],
    largest: int = LARGEST_TILE,
    one: int | None = None,
) -> list[Group]:
    """Return the windows of a batch in groups that take few multiply-adds.

    Tiles are halved at the median window along their longer side for as long as that saves any.

    Parameters
    ----------
    rows, columns : ndarray (N,), int64
        Where the windows start.
    window : int
        Their side, in pixels.
    cost : callable
        ``cost(height, width)`` counts the multiply-adds of a pass over so many pixels.
    largest : int
        Pixels of the largest tile that may be shared.
    one : int, optional
        Multiply-adds of one window alone, where strides make it cheaper than ``cost`` says.

    Returns
    -------
    list of Group
        At most one of them holds windows that share nothing.
    """
    single = cost(window, window) if one is None else one

    def plan(members: npt.NDArray[np.int64]) -> tuple[int, list[Group]]:
        tall, wide = rows[members], columns[members]
        height, width = int(np.ptp(tall)) + window, int(np.ptp(wide)) + window
        whole = cost(height, width) if height * width <= largest else None
        alone = len(members) * single
        shared = whole is not None and whole < alone
        least = whole if whole is not None and shared else alone
        if len(members) > 1 and not (shared and _covered(tall, wide, window) > FULL):
            order = members[np.argsort(tall if height >= width else wide, kind="stable")]
            halves = [plan(part) for part in (order[: len(order) // 2], order[len(order) // 2 :])]
            together = sum(total for total, _ in halves)
            if together < least:
                return together, [group for _, groups in halves for group in groups]
        return least, [Group(members, shared)]

    _, groups = plan(np.arange(len(rows), dtype=np.int64))
    apart = [group.members for group in groups if not group.shared]
    near = [group for group in groups if group.shared]
    return near + ([Group(np.concatenate(apart), shared=False)] if apart else [])


def _covered(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], window: int) -> float:
    """Return the share of the tile around some windows that lies in any of them."""
    top, left = rows - rows.min(), columns - columns.min()
    edges = np.zeros((int(top.max()) + window + 1, int(left.max()) + window + 1), np.int32)
    for row, column, sign in ((0, 0, 1), (window, 0, -1), (0, window, -1), (window, window, 1)):
        np.add.at(edges, (top + row, left + column), sign)
    return float((edges.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0).mean())
