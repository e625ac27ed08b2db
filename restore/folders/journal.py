"""What a run did with each image, one line per file, in a form that survives being killed.

A line is written, and on the disk, before the finished output takes its name, and an output that
is to be replaced is removed before the line. So whenever an output is there and the last line
about it says 'done', that line is about this very output.
"""

import json
import logging
import math
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine import artifacts
from engine.lock import unfinished
from restore.errors import RestoreError
from restore.folders.listing import Job
from restore.folders.shards import Shard

JOURNAL = "denoise.jsonl"
_SHARD = re.compile(r"-(\d+)-of-(\d+)\.jsonl$")

Record = dict[str, Any]
Place = tuple[int, int]  # a journal's number among others, and a line's among those of it


class Journal:
    """The journal of one run, and the folder in which its outputs are written at first.

    Only one run may hold it: shards have journals of their own.

    Parameters
    ----------
    folder : Path
        The output folder.
    options : str
        A fingerprint of all that decides an output beside the input; what another one made is
        not taken for done.
    shard : Shard

    Raises
    ------
    RestoreError
        On entering: another run holds it.
    """

    def __init__(self, folder: Path, options: str, shard: Shard) -> None:
        self.folder, self.options, self.shard = folder, options, shard
        self.path = folder / JOURNAL.replace(".", f"{shard.suffix}.")
        self.parts = parts_of(self.path)
        self._lock = threading.Lock()
        self._done: dict[str, str] = {}
        self._ours: dict[str, str] = {}
        self._doubts: dict[str, str] = {}
        self._skipped: set[str] = set()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            held = stack.enter_context(hold(self.parts))
            if held is False:
                raise RestoreError(
                    f"{self.folder}: another run is writing here; wait for it, or give each a "
                    "`shard`"
                )
            self._tidy()
            self._done = self._known()
            self._file = stack.enter_context(self.path.open("a", encoding="utf-8"))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            self._file.close()
            self._tidy()

    def made(self, job: Job) -> str:
        """Return the SHA-256 of the input that the existing output was made of; '' if unknown."""
        return self._done.get(job.output, "") if job.target.exists() else ""

    def doubt(self, job: Job) -> str:
        """Return what spoke against the model when the existing output was made."""
        return self._doubts.get(job.output, "")

    def knows(self, job: Job) -> bool:
        """Return whether an earlier run made the output of this image, by whatever options."""
        return self._ours.get(job.output) == job.name

    def skip(self, job: Job) -> None:
        """Let the older line stand that says that this image is done."""
        self._skipped.add(job.name)

    def add(self, record: Record) -> None:
        """Write a line and wait until it is on the disk."""
        line = line_of(record | {"options": self.options, "finished": time.time()})
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
            if record["status"] == "done":
                self._done[record["output"]] = record["input_sha256"]

    def _known(self) -> dict[str, str]:
        """Read what all journals of the folder say is done with these options."""
        last: dict[str, Record] = {}
        for path in journals(self.folder):
            if self._is_of_others(path):
                continue
            for record in records(path):
                # A failure leaves the output as it was.
                if record.get("status") == "done" and self.shard.holds(str(record.get("file"))):
                    known = last.setdefault(str(record.get("output")), record)
                    if when(known) <= when(record):
                        last[str(record.get("output"))] = record
        self._doubts = {
            output: str(record["doubt"]) for output, record in last.items() if record.get("doubt")
        }
        self._ours = {output: str(record.get("file")) for output, record in last.items()}
        return {
            output: str(record.get("input_sha256"))
            for output, record in last.items()
            if record.get("options") == self.options
        }

    def _is_of_others(self, path: Path) -> bool:
        """Return whether this is the journal of another of as many shards: it has none of ours."""
        shard = _SHARD.search(path.name)
        return shard is not None and int(shard[2]) == self.shard.count and path != self.path

    def _tidy(self) -> None:
        """Keep the last line of each file, and the last that says 'done'; drop torn lines."""
        if not self.path.is_file():
            return
        found = {
            place: record
            for place, record in placed([self.path])
            if record.get("status") == "done" or record.get("file") not in self._skipped
        }
        text = "".join(line_of(found[place]) for place in sorted(newest(found.items())))
        if text != self.path.read_text(encoding="utf-8", errors="replace"):
            artifacts.write_text(self.path, text)


def journals(folder: Path) -> list[Path]:
    """List the journals of an output folder: of the whole, and of shards."""
    found = folder.glob(JOURNAL.replace(".", "*."))
    return sorted(path for path in found if path.name == JOURNAL or _SHARD.search(path.name))


def parts_of(journal: Path) -> Path:
    """Return the folder in which the run that writes this journal keeps its unfinished outputs."""
    return journal.with_name(f".{journal.stem}")


def newest(found: Iterable[tuple[Place, Record]]) -> set[Place]:
    """Choose the last record of each file, and the last that says 'done', by their places."""
    last: dict[str, tuple[float, Place]] = {}
    done: dict[str, tuple[float, Place]] = {}
    for place, record in found:
        name, at = str(record.get("file")), (when(record), place)
        for kept in (last, done) if record.get("status") == "done" else (last,):
            kept[name] = max(kept.get(name, at), at)
    return {place for kept in (last, done) for _, place in kept.values()}


def when(record: Record) -> float:
    """Return when a record was written, in seconds; 0 where that is no number."""
    try:
        value = float(record.get("finished", 0))
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return value if math.isfinite(value) else 0.0


def line_of(record: Record) -> str:
    """Return a record as a line; bytes in file names that are no UTF-8 are kept as escapes."""
    line = json.dumps(record, ensure_ascii=False)
    return line.encode("utf-8", "backslashreplace").decode() + "\n"


def records(path: Path) -> Iterator[Record]:
    """Read the lines of a journal; torn ones, of a run that was killed, are left out."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield record


def placed(paths: Iterable[Path]) -> Iterator[tuple[Place, Record]]:
    """Read the lines of several journals, each with its place."""
    for number, path in enumerate(paths):
        for index, record in enumerate(records(path)):
            yield (number, index), record


log = logging.getLogger(__name__)


def join(folder: Path) -> None:
    """Write `denoise.jsonl` of an output folder, and remove the journals that went into it.

    The journal of a shard that is being worked on is left for the next time.

    Parameters
    ----------
    folder : Path
        The output folder of `restore denoise`.

    Raises
    ------
    RestoreError
        No journal is there, or a run without shards is writing.
    """
    found = journals(folder)
    if not found:
        raise RestoreError(
            f"{folder}: expected a journal of `restore denoise`, found none; name its output folder"
        )
    whole = folder / JOURNAL
    with ExitStack() as stack:
        if stack.enter_context(hold(parts_of(whole))) is False:
            raise RestoreError(f"{folder}: another run is writing here; wait until it ends")
        held = {path: stack.enter_context(hold(parts_of(path))) for path in found if path != whole}
        read = [path for path in found if held.get(path) is not False]
        kept = newest(placed(read))
        with artifacts.atomic(whole) as part, part.open("w", encoding="utf-8") as out:
            out.writelines(line_of(record) for place, record in placed(read) if place in kept)
        for path, ended in held.items():
            # On a file system without locks nothing tells whether a run is at work on it.
            if ended:
                path.unlink()
    log.info("%s: %d lines, joined of %d journals", whole, len(kept), len(read))


@contextmanager
def hold(parts: Path) -> Iterator[bool | None]:
    """Keep all other runs off a folder, and remove it at the end.

    Parameters
    ----------
    parts : Path
        The folder of one run's unfinished outputs; made where it is missing.

    Yields
    ------
    bool or None
        False if another run holds it, None on a file system that has no locks.
    """
    with unfinished(parts) as work:
        try:
            yield work.held
        finally:
            work.remove()
