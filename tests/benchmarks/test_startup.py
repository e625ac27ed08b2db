"""Start-up is timed as whole processes; a command that fails is an error, not a fast row."""

import subprocess

import pytest

from benchmarks import startup
from engine.device import Compute

pytestmark = pytest.mark.usefixtures("no_matrix_product")


def test_a_row_for_each_command_and_baseline(cpu: Compute) -> None:
    slow = {"restore --help": ("-c", "import time; time.sleep(1.2)")}
    rows = list(
        startup.rows(
            cpu,
            rounds=1,
            commands=slow | {"hsi --help": ("-c", "")},
            baselines={"python -c pass": ("-S", "-c", "pass"), "other": ("-S", "-c", "pass")},
        )
    )
    assert [row.bench for row in rows] == 2 * ["restore start-up"] + 2 * ["hsi start-up"]
    first, second, quick, _ = rows
    assert first.case.startswith("a process of python -c pass against one of restore --help")
    assert second.case.startswith("a process of other against one of restore --help")
    assert first.our_seconds > 1.2
    assert first.ratio < 1
    assert (first.goal, first.met) == ("under one second", "no")
    assert (quick.goal, quick.met) == ("", "")
    assert first.other_load is not None


def test_a_command_that_fails_is_no_row(cpu: Compute) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        next(startup.rows(cpu, commands={"x": ("-c", "raise SystemExit(2)")}, baselines={}))


def test_the_commands_of_both_packages_run() -> None:
    for arguments in startup.COMMANDS.values():
        startup._process(arguments)()
