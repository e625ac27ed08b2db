"""A child process that looks through files of strangers, within limits of time and memory.

C parsers can crash or loop on a damaged file, and take the calling Python with them. One child is
started when it is first needed (a second or so) and kept: further files cost milliseconds. It ends
with its parent; one that dies or takes too long is replaced.
"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from queue import Empty, Queue
from threading import Lock, Thread
from typing import IO, Any

from engine.errors import UserError

# Processor seconds that a file may take: some, and more for each MiB of it; and by the clock.
SECONDS, SECONDS_PER_MIB, MOST_SECONDS = 1, 1, 300
CLOCK = 4  # times the processor seconds, and START for a child that is not there yet
START = 60
MEMORY = 2**30  # bytes that it may take


class _Child:
    """The process, and its pipe."""

    def __init__(self) -> None:
        paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
        self.owner = os.getpid()  # a fork of this process has no child
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.untrusted.tasks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        )
        assert self.process.stdout is not None
        self.answers: Queue[bytes] = Queue()  # a pipe that can be waited for on every system
        self.reader = Thread(target=_pass_on, args=(self.process.stdout, self.answers), daemon=True)
        self.reader.start()
        self.used = False

    def ask(self, request: dict[str, Any], seconds: int) -> dict[str, Any] | str:
        """Return the answer to a request, or why there is none."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            answer = self.answers.get(timeout=seconds * CLOCK + (0 if self.used else START))
        except Empty:
            return f"its library took more than {seconds} s over it"
        except BrokenPipeError:
            return self._ending(seconds)
        if not answer.endswith(b"\n"):
            return self._ending(seconds)
        self.used = True
        found: dict[str, Any] = json.loads(answer)
        return found

    def end(self) -> None:
        """Stop the process."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # what was not sent stays unsent
                    pipe.close()

    def _ending(self, seconds: int) -> str:
        status = self.process.wait()
        if -status == getattr(signal, "SIGXCPU", None):
            return f"its library took more than {seconds} s over it"
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        return f"its library broke down over it ({name})"


def _pass_on(pipe: IO[bytes], answers: "Queue[bytes]") -> None:
    """Pass on the lines of a pipe, and b"" at its end."""
    for line in pipe:
        answers.put(line)
    answers.put(b"")


_lock = Lock()
_child: _Child | None = None


def ask(
    task: str,
    path: Path,
    expected: str,
    error: type[UserError] = UserError,
    *,
    memory: int = MEMORY,
    **arguments: Any,
) -> Any:
    """Have a file looked through in the child.

    Parameters
    ----------
    task : str
        A name of `engine.untrusted.tasks.TASKS`.
    path : Path
    expected : str
        What the file should be, for messages, such as 'expected a whole HDF5 file'.
    error : type of UserError
        The exception to raise.
    memory : int
        Bytes that the child may take.
    **arguments
        Of the task, JSON-serialisable.

    Returns
    -------
    object
        What the task returns, through JSON.

    Raises
    ------
    UserError
        Of type `error`: the file cannot be read, the library crashed, or took too much time or
        memory.
    """
    seconds = SECONDS + SECONDS_PER_MIB * path.stat().st_size // 2**20
    seconds = min(seconds, MOST_SECONDS)
    request = {
        "task": task, "path": str(path.resolve()), "seconds": seconds, "memory": memory,
        "arguments": arguments,
    }  # fmt: skip
    answer = _answer(request, seconds)
    if isinstance(answer, str):
        raise error(f"{path}: {expected} ({answer}); fetch it again")
    if "failed" in answer:
        raise error(f"{path}: {expected} ({answer['failed']}); fetch it again")
    return answer["found"]


def ready() -> None:
    """Start the child, and wait until it is there."""
    _answer(
        {"task": "none", "path": "", "seconds": SECONDS, "memory": MEMORY, "arguments": {}}, START
    )


def _answer(request: dict[str, Any], seconds: int) -> dict[str, Any] | str:
    global _child
    with _lock:
        if _child is None or _child.owner != os.getpid():
            _child = _Child()
        answer: dict[str, Any] | str | None = None
        try:
            answer = _child.ask(request, seconds)
        finally:
            if not isinstance(answer, dict):  # dead, or still at it: also after Ctrl-C
                _child.end()
                _child = None
        return answer


def end() -> None:
    """Stop the child, if there is one."""
    global _child
    with _lock:
        if _child is not None and _child.owner == os.getpid():
            _child.end()
        _child = None


atexit.register(end)
