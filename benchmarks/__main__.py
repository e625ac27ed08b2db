"""`python -m benchmarks OUT.csv [--images N] [--only NAME]`: measure everything in one run."""

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from benchmarks import (
    best_map,
    cubes,
    folder,
    peers,
    restoration,
    scenes,
    startup,
    training,
)
from benchmarks.side_by_side import COLUMNS, Row, watched
from engine.device import Compute, pick
from engine.tables import write_csv

Suite = Callable[[Compute], Iterator[Row]]


def suites(images: int | None = None) -> dict[str, Suite]:
    """Return what is measured, by the name that `--only` takes."""
    return {
        "startup": startup.rows,
        "restoration": restoration.rows,
        "training": training.rows,
        "peers": peers.rows,
        "folder": lambda compute: folder.rows(compute, images),
        "scenes": scenes.rows,
        "best": best_map.rows,
        "cubes": cubes.rows,
    }


def main(out: Path, chosen: Sequence[Suite], compute: Compute) -> None:
    """Print each row as it is made, and write the table anew, so that a run may be cut short."""
    found: list[dict[str, object]] = []
    where = ""
    for suite in chosen:
        for row in watched(suite(compute)):
            goal = f"  (asked: {row.goal}{f'; met: {row.met}' if row.met else ''})"
            shown = f"{row.bench:18} {row.ratio:7.2f} times  {row.case}"
            print(f"{shown}{goal if row.goal else ''}", flush=True)
            found.append(row.as_dict())
            write_csv(pd.DataFrame(found), out, COLUMNS)
            where = where or row.machine
    print(f"{where}; table: {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=Path("results/bench.csv"))
    parser.add_argument("--images", type=int, help="in the folder that is denoised both ways")
    parser.add_argument("--only", action="append", choices=suites(), help="measure nothing else")
    arguments = parser.parse_args()
    every = suites(arguments.images)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(arguments.out, [every[name] for name in arguments.only or every], pick())
