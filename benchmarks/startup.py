"""How long both command lines take to start, as whole processes."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.goals import HELP, Goal
from benchmarks.other_load import OtherLoad
from benchmarks.side_by_side import Row, machine, medians
from engine.device import Compute

ROUNDS = 7
Command = tuple[str, ...]

BASELINES: dict[str, Command] = {
    "python -c pass": ("-c", "pass"),
    "python -c 'import torch'": ("-c", "import torch"),
}
COMMANDS: dict[str, Command] = {
    "restore --help": ("-m", "restore", "--help"),
    "restore --version": ("-m", "restore", "--version"),
    "hsi --help": ("-m", "hsi", "--help"),
    "hsi --version": ("-m", "hsi", "--version"),
}
GOALS: dict[str, Goal] = {"restore --help": HELP}


def rows(
    compute: Compute,
    *,
    rounds: int = ROUNDS,
    commands: Mapping[str, Sequence[str]] = COMMANDS,
    baselines: Mapping[str, Sequence[str]] = BASELINES,
) -> Iterator[Row]:
    """Measure every command against every baseline, each a process of its own.

    Parameters
    ----------
    compute : Compute
    rounds : int
        That count; one more warms up the file cache.
    commands, baselines : mapping of str to sequence of str
        Arguments of Python, by name.
    """
    every = {**baselines, **commands}
    ways = {name: _process(arguments) for name, arguments in every.items()}
    for way in ways.values():
        way()
    with OtherLoad() as load:
        seconds = medians(ways, rounds)
    for command in commands:
        for baseline in baselines:
            row = Row(
                f"{command.split()[0]} start-up",
                f"a process of {baseline} against one of {command}, median of {rounds} in turn",
                round(seconds[baseline], 5),
                round(seconds[command], 5),
                round(seconds[baseline] / seconds[command], 2),
                None,
                machine(compute),
                other_load=load.cores,
            )
            goal = GOALS.get(command)
            yield row if goal is None else row.judged(goal, seconds[command])


def _process(arguments: Sequence[str]) -> Callable[[], object]:
    """Return a function that runs Python and raises CalledProcessError if it fails."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True)
