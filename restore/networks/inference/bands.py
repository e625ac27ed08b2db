"""Bands of rows for threads, shared out anew while they are worked on.

Equal bands take unequal times where another program takes a core. A thread without work takes the
lower half of what the slowest one has not begun. On both sides of a cut rows are computed twice, so
nothing low is cut off.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

LEAST = 2  # times the rows that it reads beyond an end: what is cut off is not lower


@dataclass(eq=False)
class Band:
    """What one thread restores: some rows of some images.

    Attributes
    ----------
    images : slice
    start, stop : int
        Rows. The stop comes nearer when another thread takes what is not claimed yet.
    claimed : int
        Rows up to this one are restored, or being restored.
    """

    images: slice
    start: int
    stop: int
    claimed: int = field(init=False)

    def __post_init__(self) -> None:
        self.claimed = self.start


def bands(count: int, height: int, beyond: int, threads: int, at_once: int = 1) -> list[Band]:
    """Share a batch out to threads, as they begin.

    Parameters
    ----------
    count, height : int
        Images, and their rows.
    beyond : int
        Rows that a band reads beyond its ends.
    threads : int
    at_once : int
        How many whole images one thread restores together at most.

    Returns
    -------
    list of Band
        Of whole images, as long as each thread has as many; then of bands of the images that are
        left, unless they would be low.
    """
    at_once = max(1, min(at_once, -(-count // threads)))
    left = count % threads if at_once == 1 else 0  # for threads that would wait for the last image
    found = [
        Band(slice(start, min(start + at_once, count)), 0, height)
        for start in range(0, count - left, at_once)
    ]
    parts = max(1, min(threads // left, height // (2 * LEAST * beyond))) if left else 0
    ends = [height * part // parts for part in range(parts + 1)] if left else []
    return found + [
        Band(slice(image, image + 1), start, stop)
        for image in range(count - left, count)
        for start, stop in pairwise(ends)
    ]


class Shares:
    """Bands that threads take, and of which they claim rows.

    Parameters
    ----------
    waiting : iterable of Band
        In the order in which they are begun.
    beyond : int
        Rows that a band reads beyond its ends.
    """

    def __init__(self, waiting: Iterable[Band], beyond: int) -> None:
        self._waiting = [*waiting][::-1]
        self._begun: list[Band] = []
        self._beyond = beyond
        self._lock = threading.Lock()

    def take(self) -> Band | None:
        """Return a band that waits, or half of what the one with most left has not claimed.

        Returns
        -------
        Band or None
            None where nothing is left that is worth a cut.
        """
        with self._lock:
            if self._waiting:
                self._begun.append(self._waiting.pop())
                return self._begun[-1]
            fullest = max(self._begun, key=lambda band: band.stop - band.claimed, default=None)
            if fullest is None or fullest.stop - fullest.claimed < 2 * LEAST * self._beyond:
                return None
            middle = (fullest.claimed + fullest.stop + 1) // 2
            self._begun.append(Band(fullest.images, middle, fullest.stop))
            fullest.stop = middle
            return self._begun[-1]

    def claim(self, band: Band, rows: int) -> tuple[int, int]:
        """Claim the next rows of a band.

        Parameters
        ----------
        band : Band
            Taken before.
        rows : int
            So many, and those after them if they are no more than a band reads beyond its end.

        Returns
        -------
        start, stop : int
            What is claimed; nothing where these are equal.
        """
        with self._lock:
            start, stop = band.claimed, band.claimed + rows
            band.claimed = band.stop if band.stop - stop <= self._beyond else stop
            if band.claimed == band.stop and band in self._begun:
                self._begun.remove(band)
            return start, band.claimed

    @contextmanager
    def stopped_by_errors(self) -> Iterator[None]:
        """Give nothing more out after an error, or Ctrl-C: the result is not wanted any more."""
        try:
            yield
        except BaseException:
            with self._lock:
                self._waiting.clear()
                for band in self._begun:
                    band.stop = band.claimed
                self._begun.clear()
            raise
