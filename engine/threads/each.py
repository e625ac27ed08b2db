"""Threads side by side, in each of which torch computes with few threads of its own.

Torch shares every operation out to all its threads, which wait for each other at its end, for long
where another program takes a core. Where the work can be cut into pieces, threads with a piece each
wait once.
"""

import functools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def each(
    work: Callable[[Piece], Result], pieces: Sequence[Piece], threads: int | None = None
) -> list[Result]:
    """Work on all pieces, and return their results in order.

    Parameters
    ----------
    work : callable
        ``work(piece)``, on the CPU. It finds torch's modes, gradients, inference and automatic
        casting on the CPU, as they are where `each` is called.
    pieces : sequence
        One alone, or any on one thread, are worked on in the calling thread.
    threads : int, optional
        How many compute at a time, torch's own of every piece included; by default as many as torch
        has.

    Returns
    -------
    list
        The same for any number of threads, if `work` depends on its piece alone. The first error
        in the order of the pieces is raised when no thread works any more, so that what it asks
        for, such as smaller pieces for want of memory, finds the machine free.
    """
    threads = threads or torch.get_num_threads()
    workers = min(threads, len(pieces))
    if workers <= 1:
        return [work(piece) for piece in pieces]
    gradients, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    casting, precision = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")

    def in_same_modes(piece: Piece) -> Result:  # which belong to a thread
        with (
            torch.inference_mode(inference),
            torch.set_grad_enabled(gradients),
            torch.autocast("cpu", precision, enabled=casting),
        ):
            return work(piece)

    pool = _pool(workers, threads // workers)
    begun = [pool.submit(in_same_modes, piece) for piece in pieces]
    try:
        wait(begun)
    finally:  # Ctrl-C begins no others
        for future in begun:
            future.cancel()
    return [future.result() for future in begun]


@functools.cache
def _pool(workers: int, threads: int) -> ThreadPoolExecutor:
    """Return threads in which torch computes with `threads` of its own each."""
    pool = ThreadPoolExecutor(workers, "each", _computes_with, (threads,))
    before, begun = torch.get_num_threads(), threading.Barrier(workers + 1)
    for _ in range(workers):
        pool.submit(begun.wait)
    begun.wait()
    torch.set_num_threads(before)  # what one thread sets, all that begin later have
    return pool


def _computes_with(threads: int) -> None:
    torch.get_num_threads()  # a thread that never asked takes over what was set last, at some time
    torch.set_num_threads(threads)


if hasattr(os, "register_at_fork"):  # a forked process has no threads but one
    os.register_at_fork(after_in_child=_pool.cache_clear)
