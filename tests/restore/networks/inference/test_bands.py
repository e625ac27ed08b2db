"""Bands cover each row once, whoever takes and claims rows, and in whatever order."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from restore.networks.inference.bands import Band, Shares, bands

BEYOND = 17


def covered(shape: tuple[int, int], claims: list[tuple[slice, int, int]]) -> np.ndarray:
    times = np.zeros(shape, int)
    for images, start, stop in claims:
        times[images, start:stop] += 1
    return times


@pytest.mark.parametrize(
    ("count", "height", "threads"),
    [(1, 512, 2), (1, 512, 16), (1, 20, 16), (2, 512, 16), (5, 100, 2), (200, 16, 2), (3, 9, 2)],
)
def test_bands_cover_each_row_once(count: int, height: int, threads: int) -> None:
    at_once = max(1, 32_768 // (height * 100))
    found = bands(count, height, BEYOND, threads, at_once)
    times = covered((count, height), [(band.images, band.start, band.stop) for band in found])
    assert (times == 1).all()
    for band in found:
        whole = (band.start, band.stop) == (0, height)
        assert whole or band.stop - band.start >= 2 * BEYOND
    assert len(found) >= min(threads, max(count, height // (4 * BEYOND)))


@pytest.mark.parametrize("seed", range(20))
def test_rows_are_claimed_once_in_any_order(seed: int) -> None:
    drawn = random.Random(seed)
    count, height = drawn.choice([(1, 700), (3, 300), (5, 90), (2, 30)])
    shares = Shares(bands(count, height, BEYOND, 2), BEYOND)
    working: list[Band | None] = [shares.take() for _ in range(3)]
    claims: list[tuple[slice, int, int]] = []
    taken = [band for band in working if band]
    while any(working):
        worker = drawn.choices(range(3), weights=[1, 5, 25])[0]
        band = working[worker]
        if band is None:
            continue
        start, stop = shares.claim(band, drawn.randint(1, 60))
        claims.append((band.images, start, stop))
        if start == stop or stop == band.stop:
            working[worker] = shares.take()
            taken += [found for found in [working[worker]] if found]
    assert (covered((count, height), claims) == 1).all()
    for band in taken:
        assert band.stop - band.start >= min(2 * BEYOND, height)
        assert band.stop == height or band.stop <= height - 2 * BEYOND


def test_a_thread_without_work_takes_the_lower_half_of_what_is_left() -> None:
    slow, quick = bands(1, 1000, BEYOND, 2)
    shares = Shares([slow, quick], BEYOND)
    assert [shares.take(), shares.take()] == [slow, quick]
    assert shares.claim(slow, 100) == (0, 100)
    assert shares.claim(quick, 490) == (500, 1000)  # the last 10 as well: no strip of their own
    third = shares.take()
    assert third is not None
    assert (third.start, third.stop) == (300, 500)
    assert slow.stop == 300
    assert shares.claim(slow, 150) == (100, 250)
    assert shares.claim(slow, 150) == (250, 300)
    assert shares.claim(slow, 150) == (300, 300)
    assert shares.claim(third, 140) == (300, 440)
    assert shares.take() is None  # 60 rows are not worth a cut


def test_after_an_error_nothing_is_given_out() -> None:
    first, second = bands(1, 400, BEYOND, 2)
    shares = Shares([first, second], BEYOND)
    assert shares.take() is first
    assert shares.claim(first, 50) == (0, 50)
    with pytest.raises(KeyboardInterrupt), shares.stopped_by_errors():
        raise KeyboardInterrupt
    assert shares.take() is None
    assert shares.claim(first, 50) == (50, 50)


def test_threads_at_once_claim_each_row_once() -> None:
    shares = Shares(bands(1, 5000, 2, 2), 2)

    def work(_: int) -> list[tuple[slice, int, int]]:
        claims = []
        while (band := shares.take()) is not None:
            while (rows := shares.claim(band, 3))[0] < rows[1]:
                claims.append((band.images, *rows))
        return claims

    with ThreadPoolExecutor(4) as pool:
        found = [claim for claims in pool.map(work, range(4)) for claim in claims]
    assert (covered((1, 5000), found) == 1).all()
