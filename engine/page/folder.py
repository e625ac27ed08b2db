"""The files of a results folder: read where they are there, and listed where they are missing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import UserError, parsing
from engine.tables import FORMULA, read_csv

Row = Mapping[str, str]


@dataclass
class ResultsFolder:
    """A results folder of the workflow.

    Attributes
    ----------
    root : Path
    missing : list of str
        Files, relative to the folder, that were asked for and are not there.
    """

    root: Path
    missing: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise UserError(
                f"{self.root}: expected a folder of results, found none; run the workflow first"
            )

    def find(self, *parts: str, needed: bool = True) -> Path | None:
        """Return a file or folder below the root by its parts, or None where it is not there.

        A part comes from a table, so it must be one name: nothing outside the folder is read.
        """
        named = all(part not in ("", ".", "..") and not set(part) & set("/\0") for part in parts)
        path = self.root.joinpath(*parts) if named else self.root
        if named and path.exists() and path.resolve().is_relative_to(self.root.resolve()):
            return path
        if needed:
            self.missing.append("/".join(parts))
        return None

    def table(self, *parts: str, columns: tuple[str, ...]) -> list[Row]:
        """Return the rows of a table, every cell as text; none where it is not there.

        Raises
        ------
        UserError
            The file is no table, or lacks one of `columns`.
        """
        path = self.find(*parts)
        if path is None:
            return []
        frame = read_csv(path)
        absent = [name for name in columns if name not in frame.columns]
        if absent:
            raise UserError(
                f"{path}: expected a column '{absent[0]}', found {', '.join(frame.columns)}; make "
                "the table again"
            )
        return [
            {str(key): as_written(str(cell)) for key, cell in row.items()}
            for row in frame.to_dict(orient="records")
        ]

    def json(self, *parts: str) -> dict[str, Any]:
        """Return what a JSON file holds; nothing where it is not there."""
        path = self.find(*parts)
        if path is None:
            return {}
        with parsing(path, "expected JSON with keys", remedy="make it again"):
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise UserError("expected keys with values, found something else")
            return found

    def array(self, *parts: str, needed: bool = True) -> npt.NDArray[Any] | None:
        """Return an array of two axes, mapped from its file; None where it is not there."""
        path = self.find(*parts, needed=needed)
        if path is None:
            return None
        with parsing(path, "expected an array of rows and columns", remedy="make it again"):
            found = np.load(path, mmap_mode="r", allow_pickle=False)
            if not isinstance(found, np.ndarray) or found.ndim != 2:
                raise UserError("expected two axes, found another file")
            return found


def as_written(cell: str) -> str:
    """Return a cell of a table without the apostrophe that keeps spreadsheets from running it.

    Examples
    --------
    >>> as_written("'=field"), as_written("'til dawn")
    ('=field', "'til dawn")
    """
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA and cell[1:2] else cell


def number(cell: str | None) -> float | None:
    """Return a cell as a number; None where it holds none.

    Examples
    --------
    >>> number("29.23"), number(""), number("mean"), number(None)
    (29.23, None, None, None)
    """
    try:
        value = float(cell or "")
    except ValueError:
        return None
    return value if np.isfinite(value) else None
