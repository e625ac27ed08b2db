"""Work is done ahead of time, in order, and stops when nobody wants more."""

import threading

import pytest

from engine.threads.ahead import ahead


def test_work_is_done_ahead_in_order_and_stops() -> None:
    seen: list[int] = []
    upcoming = ahead(lambda n: seen.append(n) or n * n, range(100))  # type: ignore[func-returns-value]
    assert [next(upcoming) for _ in range(3)] == [(0, 0), (1, 1), (2, 4)]
    upcoming.close()
    assert len(seen) <= 4


def test_as_many_are_begun_as_asked_for() -> None:
    begun = threading.Semaphore(0)
    upcoming = ahead(lambda n: begun.release() or n, range(10), 3)  # type: ignore[func-returns-value]
    assert next(upcoming) == (0, 0)
    for _ in range(4):  # the first, and three behind it
        assert begun.acquire(timeout=10)
    assert not begun.acquire(timeout=0.05)
    upcoming.close()


def test_an_error_is_raised_where_its_result_is_due() -> None:
    upcoming = ahead(lambda n: 1 // n, [1, 0, 2])
    assert next(upcoming) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        next(upcoming)


def test_no_tasks_no_results() -> None:
    assert list(ahead(abs, [])) == []
