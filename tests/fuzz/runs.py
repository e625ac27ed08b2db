"""Run mutants through a reader: each is read, is refused in one line, or is a fault."""

import os
import random
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from engine.errors import UserError
from engine.memory import resident_bytes
from engine.untrusted import child
from tests.fuzz.readers import READERS

SECONDS = 5.0  # that a file may take
_FIRST = 120.0
MEMORY = 2**30  # bytes that a file under 1 MiB may take


class Hang(BaseException):
    """A file took too long."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(_: int, __: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def case(name: str, seed: int, folder: Path) -> Path:
    """Write a mutant of a reader's seeds; the first ones are the seeds themselves."""
    reader = READERS[name]
    pool = list(reader.seeds(folder))
    return _written(name, seed, folder, pool)


def _written(name: str, seed: int, folder: Path, pool: list[tuple[bytes, str]]) -> Path:
    r = random.Random(f"{name} {seed}")
    data, suffix = pool[seed] if seed < len(pool) else r.choice(pool)
    if seed >= len(pool):
        data = READERS[name].mutate(r, data, [content for content, _ in pool])
    path = folder / f"case{suffix}"
    path.unlink(missing_ok=True)  # libraries keep open what they have read
    path.write_bytes(data)
    return path


def outcome(name: str, path: Path, seconds: float = SECONDS) -> tuple[str, str]:
    """Read one file; return 'read', 'line', 'hang', 'memory' or 'other', and what was said."""
    held = resident_bytes()
    try:
        with _alarm(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            READERS[name].read(path)
    except UserError as error:
        text = str(error)
        if "\n" in text:
            return "other", f"several lines: {text!r}"
        return "line", text
    except Hang:
        return "hang", f"more than {seconds:g} s"
    except Exception as error:
        return "other", f"{type(error).__name__}: {error}"
    if resident_bytes() - held > MEMORY and path.stat().st_size < 2**20:
        return "memory", "more than 1 GiB"
    return "read", ""


def run(
    name: str, count: int, first: int = 0, seconds: float = SECONDS
) -> tuple[Counter[str], list[str]]:
    """Read so many mutants, and count the outcomes; also describe each fault with its number."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        pool = list(READERS[name].seeds(folder))
        for seed in range(first, first + count):
            path = _written(name, seed, folder, pool)
            child.ready()
            # Whole files come first: what they import takes its time.
            what, said = outcome(name, path, seconds if seed >= len(pool) else _FIRST)
            if seed < len(pool) and what != "read":
                what, said = "other", f"a whole file is refused: {said}"
            counts[what] += 1
            if what not in ("read", "line"):
                faults.append(f"{name} {seed}: {what}: {said}")
    return counts, faults


def in_child(name: str, count: int, first: int) -> dict[str, Any]:
    """Run a stretch in a process with a limit of memory; one that dies is a fault as well."""
    import json
    import subprocess
    import sys

    line = [sys.executable, "-m", "tests.fuzz", "--stretch", name, str(first), str(count)]
    began = time.monotonic()
    try:
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=SECONDS * count + 60, check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"counts": {"hang": 1}, "faults": [f"{name} {first}..: no end"]}
    if done.returncode:
        died = f"{name} {first}..{first + count - 1}: the process ended with {done.returncode}: "
        return {"counts": {"crash": 1}, "faults": [died + done.stderr[-300:]]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"seconds": time.monotonic() - began}
