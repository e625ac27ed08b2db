"""The journal of a file made in blocks: which are finished, so that a killed run can resume.

Unfinished files lie in a folder beside the output, with a journal. A block is named there only
when it is on the disk, so a run that was killed resumes behind its last named block.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.artifacts import write_text
from engine.lock import unfinished
from hsi.errors import HsiError

log = logging.getLogger(__name__)

JOURNAL = "blocks.jsonl"


class BlockJournal:
    """The folder of unfinished work of one map, or of another file that is made in blocks.

    Only one run may hold it.

    Parameters
    ----------
    out : Path
        The file that is made.
    key : mapping
        Everything that decides its contents, JSON-serialisable; work under another key is deleted.

    Attributes
    ----------
    block : tuple of 2 int, optional
        Rows and columns of a block in unfinished work; None without such work.
    finished : set of int
        Blocks on the disk.
    seconds : float
        Spent by earlier runs.
    placing : bool
        All blocks are finished, and the files were taking their names.

    Raises
    ------
    HsiError
        On entering: another run holds it.
    """

    def __init__(self, out: Path, key: Mapping[str, Any]) -> None:
        self.out, self.folder = out, out.with_name(f".{out.name}.part")
        self.key = json.loads(json.dumps(key))
        self.block: tuple[int, int] | None = None
        self.finished: set[int] = set()
        self.seconds, self.placing = 0.0, False
        self._done = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key, for the record of a finished file: see `is_finished`."""
        return hashlib.sha256(json.dumps(self.key, sort_keys=True).encode()).hexdigest()

    def is_finished(self, record: Path, files: Iterable[Path]) -> bool:
        """Return whether files are there, and a record that states this key as `made_from`."""
        try:
            found = json.loads(record.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return False
        same = isinstance(found, dict) and found.get("made_from") == self.fingerprint
        return same and all(path.is_file() for path in files)

    @property
    def journal(self) -> Path:
        """Path of the list of finished blocks."""
        return self.folder / JOURNAL

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._work = stack.enter_context(unfinished(self.folder))
            if self._work.held is False:
                raise HsiError(
                    f"{self.folder}: another run is writing {self.out.name}; wait for it"
                )
            self._take_up()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if self._done or not self.finished:
                self._work.remove()

    def begin(self, block: tuple[int, int]) -> None:
        """Delete the unfinished work under another key, or in other blocks, and start again."""
        for path in self.folder.iterdir():
            if path.name != "lock":
                path.unlink()
        self.block, self.finished, self.seconds, self.placing = block, set(), 0.0, False
        write_text(self.journal, _line({"key": self.key, "block": block}))

    def add(self, blocks: Iterable[int], seconds: float) -> None:
        """Add blocks that are on the disk, and the seconds spent on all so far."""
        new = sorted(set(blocks))
        self._append({"finished": new, "seconds": round(seconds, 3)})
        self.finished.update(new)

    def place(self) -> None:
        """Note that all blocks are finished, and that the files now take their names."""
        self._append({"placing": True})
        self.placing = True

    def done(self) -> None:
        """Note that all files have their names; the folder is deleted on leaving."""
        self._done = True

    def _append(self, record: Mapping[str, Any]) -> None:
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(_line(record))
            file.flush()
            os.fsync(file.fileno())

    def _take_up(self) -> None:
        """Read the journal; the torn last line of a killed run does not count."""
        if not self.journal.is_file():
            return
        records = []
        text = self.journal.read_text(encoding="utf-8", errors="replace")
        for line in text.split("\n"):
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError):
                continue
        if not records or not isinstance(records[0], dict) or records[0].get("key") != self.key:
            return
        if not all(map(_is_record, records)):
            log.warning("%s: holds something else than finished blocks; begun anew", self.journal)
            return
        if not text.endswith("\n"):
            write_text(self.journal, "".join(map(_line, records)))
        rows, columns = records[0]["block"]
        self.block = rows, columns
        for record in records[1:]:
            self.finished.update(record.get("finished", ()))
            self.seconds = record.get("seconds", self.seconds)
            self.placing |= record.get("placing", False)


def _is_record(record: Any) -> bool:
    """Return whether a line of a journal is one that this module writes."""
    if not isinstance(record, dict):
        return False
    blocks = [record.get(key, []) for key in ("block", "finished")]
    return (
        all(isinstance(part, list) for part in blocks)
        and all(type(number) is int and number >= 0 for part in blocks for number in part)
        and ("key" not in record or (len(blocks[0]) == 2 and min(blocks[0]) > 0))
        and isinstance(record.get("seconds", 0), int | float)
        and isinstance(record.get("placing", False), bool)
    )


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record) + "\n"
