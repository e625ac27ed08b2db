"""The conditions of a measurement: the machine left alone, or one of its cores kept busy.

Run as a program, this module is what keeps a core busy until its standard input ends.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

CONDITIONS = ("quiet", "busy")
_SIDE = 1024  # of the matrices that are multiplied
_READY = b"ready\n"
_PATIENCE = 10.0  # seconds in which a process that was asked to end does so
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"
)  # fmt: skip


@contextmanager
def under(condition: str) -> Iterator[None]:
    """Hold a condition: 'quiet' adds nothing, 'busy' keeps one core busy."""
    if condition not in CONDITIONS:
        raise ValueError(f"condition {condition}: expected one of {', '.join(CONDITIONS)}")
    if condition == "quiet":
        yield
        return
    with core_kept_busy():
        yield


@contextmanager
def core_kept_busy() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of one thread that multiplies matrices; it ends with the context.

    It also ends if this process is killed, because its standard input ends then.
    """
    environment = os.environ | dict.fromkeys(_THREADS, "1")
    # -P: beside this file are modules with the names of others.
    command = [sys.executable, "-P", str(Path(__file__).resolve())]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != _READY:
            raise RuntimeError("the process that keeps a core busy did not start")
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def keep_busy() -> None:
    """Multiply matrices until standard input ends."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
    matrix = np.full((_SIDE, _SIDE), 1 / _SIDE, np.float32)
    product = matrix @ matrix
    sys.stdout.buffer.write(_READY)
    sys.stdout.flush()
    while True:
        np.matmul(matrix, matrix, out=product)


if __name__ == "__main__":
    keep_busy()
