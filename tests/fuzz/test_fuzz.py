"""Damaged files are read or refused in one line: a fast run of fixed mutants a reader.

`make fuzz` is the long one. A fault is made again by its name and number: `runs.case`.
"""

import pytest

from tests.fuzz import runs
from tests.fuzz.readers import READERS

COUNTS = {
    "config": 40, "schedule": 100, "published weights": 150, "weights": 200, "models": 25,
    "splits": 60, "HDF5": 150,
}  # fmt: skip
SECONDS = 60.0  # a busy machine is no hang


# GDAL's messages may quote bytes of the file that are no text, which rasterio then cannot log.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", READERS)
def test_mutants_are_read_or_refused_in_one_line(name: str) -> None:
    counts, faults = runs.run(name, COUNTS.get(name, 300), seconds=SECONDS)
    assert not faults, "\n".join(faults)
    assert counts["read"] > 0
    assert counts["line"] > 0 or name.startswith("journal")  # whose torn lines are left out
