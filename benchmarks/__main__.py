"""`python -m benchmarks OUT.csv [--images N]`: measure everything on this machine, in one run."""

import argparse
import logging
from pathlib import Path

import pandas as pd

from benchmarks import folder, restoration, scenes
from benchmarks.side_by_side import COLUMNS
from engine.device import pick
from engine.tables import write_csv


def main(out: Path, images: int | None) -> None:
    """Write the table, and print it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    compute = pick()
    found = []
    for rows in (
        restoration.rows(compute),
        folder.rows(compute, images),
        scenes.rows(compute),
    ):
        for row in rows:
            print(f"{row.bench:18} {row.ratio:7.2f} times  {row.case}", flush=True)
            found.append(row)
    write_csv(pd.DataFrame([row.as_dict() for row in found]), out, COLUMNS)
    print(f"{found[0].machine}; table: {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=Path("results/bench.csv"))
    parser.add_argument("--images", type=int, help="in the folder that is denoised both ways")
    arguments = parser.parse_args()
    main(arguments.out, arguments.images)
