"""The program of the child process: it reads requests as lines of JSON, and answers in kind."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.errors import why
from engine.untrusted import hdf5, matlab

resource: Any = None  # on Windows the parent's clock is the only limit
with contextlib.suppress(ImportError):
    resource = import_module("resource")

TASKS: dict[str, Callable[..., Any]] = {
    "hdf5": hdf5.visit,
    "matlab": matlab.unpack,
}


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries may print
    for line in sys.stdin:
        request = json.loads(line)
        _limit(request["seconds"], request["memory"])
        try:
            task = TASKS[request["task"]]
            answer = {"found": task(Path(request["path"]), **request["arguments"])}
        except MemoryError:
            answer = {"failed": "it takes more memory than there is"}
        except Exception as error:  # whatever the first strange byte leads a library to
            answer = {"failed": why(error, whole=True)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _limit(seconds: int, memory: int) -> None:
    """Limit the processor time, and the address space, that this process may go on to take."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (spent, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Not every system bounds the address space, or tells what is in use.
    with contextlib.suppress(ValueError, OSError):
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + memory, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
