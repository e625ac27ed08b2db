"""Work that a thread does ahead of time, so that whoever needs the results does not wait."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Task], Result], tasks: Iterable[Task], count: int = 1
) -> Generator[tuple[Task, Result]]:
    """Yield tasks with their results, in order; a thread works on the next while one is used.

    Parameters
    ----------
    work : callable
        ``work(task)`` returns the result of a task; it runs in one thread, task after task.
    tasks : iterable
        Taken one by one, in the calling thread.
    count : int
        How many tasks are begun before their results are needed.

    Yields
    ------
    task, result
        No reference to the result is kept. An error of `work` is raised when its result is due.
        When the generator is closed, the task in work is finished and no other is begun.
    """
    remaining: Iterator[Task] = iter(tasks)
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
    try:
        pending: deque[tuple[Task, Future[Result]]] = deque(
            (task, pool.submit(work, task)) for task in islice(remaining, count)
        )
        while pending:
            task, future = pending.popleft()
            result = future.result()
            pending.extend((after, pool.submit(work, after)) for after in islice(remaining, 1))
            del future
            yield task, result
            del result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
