"""Some kills of each command; `make kill` makes a hundred, of the workflow as well."""

import subprocess
import sys
from pathlib import Path

COMMANDS = (
    *("restore denoise", "restore train", "hsi split", "hsi train"),
    *("hsi classify", "hsi score", "hsi denoise"),
)


def test_killed_commands_leave_nothing_half_and_end_as_unbroken_ones() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.kill", "7", *COMMANDS],
        cwd=root, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "all: 7 kills, 0 faults" in done.stdout
