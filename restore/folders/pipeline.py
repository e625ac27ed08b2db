"""Reading, restoring and writing at the same time, with a bound on what is held in memory."""

import os
from collections import deque
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
Result = TypeVar("Result")

_THREADS = max(2, min(8, os.cpu_count() or 1))
_AHEAD = 4 * _THREADS  # images read before they are needed


@dataclass(frozen=True)
class Finished(Generic[Result]):
    """What an item came to before it reached the network: skipped, or failed."""

    result: Result


@dataclass(frozen=True)
class Stages(Generic[Item, Loaded, Result]):
    """What is done with each item. None of these may raise for a single bad item.

    Attributes
    ----------
    size : callable
        Bytes that an item takes while it is worked on; called before it is read.
    load : callable
        Reads an item; runs in a thread.
    alike : callable
        What items must share to be restored together, and how many of them fit in one batch.
    restore : callable
        Restores a batch; runs in the calling thread.
    store : callable
        Writes an item and gives its result; runs in a thread.
    """

    size: Callable[[Item], int]
    load: Callable[[Item], Loaded | Finished[Result]]
    alike: Callable[[Loaded], tuple[Hashable, int]]
    restore: Callable[[list[Loaded]], list[Loaded | Finished[Result]]]
    store: Callable[[Loaded], Result]


def overlapped(
    items: Sequence[Item], stages: Stages[Item, Loaded, Result], room: int
) -> Generator[Result, None, None]:
    """Run items through the stages and yield their results, about in order.

    Parameters
    ----------
    items : sequence
    stages : Stages
    room : int
        Bytes that all items in work may take together; a larger item is worked on alone.

    Yields
    ------
    Result
        One per item. When the consumer stops early, what is being written is finished and nothing
        else is begun.
    """
    todo = deque(items)
    ahead: deque[tuple[Future[Loaded | Finished[Result]], int]] = deque()
    behind: deque[tuple[Future[Result], int]] = deque()
    held = 0
    readers = ThreadPoolExecutor(_THREADS, thread_name_prefix="read")
    writers = ThreadPoolExecutor(_THREADS, thread_name_prefix="write")
    try:
        while todo or ahead or behind:
            while todo and len(ahead) < _AHEAD:
                size = stages.size(todo[0])
                if held and held + size > room:
                    break
                held += size
                ahead.append((readers.submit(stages.load, todo.popleft()), size))
            while behind and (behind[0][0].done() or not ahead or len(behind) > _AHEAD):
                stored, size = behind.popleft()
                held -= size
                yield stored.result()
            for outcome, size in _batch(ahead, stages):
                if isinstance(outcome, Finished):
                    held -= size
                    yield outcome.result
                else:
                    behind.append((writers.submit(stages.store, outcome), size))
    finally:
        readers.shutdown(cancel_futures=True)
        writers.shutdown(cancel_futures=True)


def _batch(
    ahead: deque[tuple[Future[Loaded | Finished[Result]], int]],
    stages: Stages[Item, Loaded, Result],
) -> list[tuple[Loaded | Finished[Result], int]]:
    """Take the next items that can go through the network together, and restore them."""
    outcomes: list[tuple[Loaded | Finished[Result], int]] = []
    batch: list[Loaded] = []
    sizes: list[int] = []
    kind: Hashable = None
    most = 1
    while ahead and len(batch) < most:
        loaded = ahead[0][0].result()
        if isinstance(loaded, Finished):
            outcomes.append((loaded, ahead.popleft()[1]))
            continue
        found, fitting = stages.alike(loaded)
        if batch and found != kind:
            break
        kind, most = found, fitting
        batch.append(loaded)
        sizes.append(ahead.popleft()[1])
    if batch:
        outcomes += zip(stages.restore(batch), sizes, strict=True)
    return outcomes
