"""Files that a split names, and what tables call it then."""

from hsi.formats.registry import locate
from hsi.splits.masks import MASKS, both_named

WITH_FILES = (*MASKS, "loso")


def split_name(how: str) -> str:
    """Return what tables call a split: one of a file after it, without folder and suffix.

    Raises
    ------
    HsiError
        There is no such file.
    """
    kind = how.partition(":")[0]
    if kind not in WITH_FILES:
        return how
    return kind if MASKS.get(kind) else f"{kind}:{locate(split_files(how)[0])[0].stem}"


def split_files(how: str) -> list[str]:
    """Return the sources that a split names, none for one that is drawn.

    Raises
    ------
    HsiError
        There is no such file.
    """
    kind, _, value = how.partition(":")
    if kind in MASKS:
        return list(both_named(value) or (value,))
    return [value] if kind in WITH_FILES else []
