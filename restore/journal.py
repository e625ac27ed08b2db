"""What a run did with each image, a line a file, in a form that survives being killed.

A line is written, and on the disk, before the finished output takes its name, and an output that
is to be replaced is removed before the line. So whenever an output is there and the last line
about it says 'done', that line is about this very output.
"""

import fcntl
import json
import os
import shutil
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine import artifacts
from restore.errors import RestoreError
from restore.listing import Job, Shard

JOURNAL = "denoise.jsonl"


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
        self.folder, self.options = folder, options
        self.path = folder / JOURNAL.replace(".", f"{shard.suffix}.")
        self.parts = folder / f".denoise{shard.suffix}"
        self._lock = threading.Lock()
        self._done: dict[str, str] = {}
        self._skipped: set[str] = set()

    def __enter__(self) -> Self:
        self.parts.mkdir(parents=True, exist_ok=True)
        self._held = (self.parts / "lock").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._held.close()
            raise RestoreError(
                f"{self.folder}: another run is writing here; wait for it, or give each a --shard"
            ) from None
        except OSError:  # a file system without locks
            pass
        for left in self.parts.glob(".part-*"):  # by a run that was killed
            left.unlink(missing_ok=True)
        self._tidy()
        self._done = self._known()
        self._file = self.path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._tidy()
        shutil.rmtree(self.parts, ignore_errors=True)
        self._held.close()

    def made(self, job: Job) -> str:
        """Return the SHA-256 of the input that the existing output was made of; '' if unknown."""
        return self._done.get(job.output, "") if job.target.exists() else ""

    def skip(self, job: Job) -> None:
        """Let the older line stand that says that this image is done."""
        self._skipped.add(job.name)

    def add(self, record: dict[str, Any]) -> None:
        """Write a line and wait until it is on the disk."""
        line = _line(record | {"options": self.options, "finished": round(time.time(), 3)})
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
            if record["status"] == "done":
                self._done[record["output"]] = record["input_sha256"]

    def _known(self) -> dict[str, str]:
        """Read what this and all other journals of the folder say is done with these options."""
        last: dict[str, dict[str, Any]] = {}
        for path in sorted(self.folder.glob(JOURNAL.replace(".", "*."))):
            for record in _records(path):
                # A failure leaves the output as it was.
                if record.get("status") == "done":
                    known = last.setdefault(str(record.get("output")), record)
                    if known.get("finished", 0) <= record.get("finished", 0):
                        last[str(record.get("output"))] = record
        return {
            output: str(record.get("input_sha256"))
            for output, record in last.items()
            if record.get("options") == self.options
        }

    def _tidy(self) -> None:
        """Keep the last line of each file, and the last that says 'done'; drop torn lines."""
        if not self.path.is_file():
            return
        records = [
            record
            for record in _records(self.path)
            if record.get("status") == "done" or record.get("file") not in self._skipped
        ]
        last = {record.get("file"): index for index, record in enumerate(records)}
        done = {
            record.get("file"): index
            for index, record in enumerate(records)
            if record.get("status") == "done"
        }
        kept = sorted({*last.values(), *done.values()})
        text = "".join(_line(records[index]) for index in kept)
        if text != self.path.read_text(encoding="utf-8", errors="replace"):
            artifacts.write_text(self.path, text)


def _line(record: dict[str, Any]) -> str:
    """Give a record as a line; bytes in file names that are no UTF-8 are kept as escapes."""
    line = json.dumps(record, ensure_ascii=False)
    return line.encode("utf-8", "backslashreplace").decode() + "\n"


def _records(path: Path) -> list[dict[str, Any]]:
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            record = json.loads(line)
        except ValueError:  # the last line of a killed run
            continue
        if isinstance(record, dict):
            records.append(record)
    return records
