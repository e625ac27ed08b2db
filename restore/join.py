"""Join the journals of a folder's shards into the one that a run without shards would have left."""

import logging
from contextlib import ExitStack
from pathlib import Path

from engine import artifacts
from restore.errors import RestoreError
from restore.journal import JOURNAL, journals, line_of, newest, parts_of, placed
from restore.lock import hold

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
