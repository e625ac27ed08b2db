"""`python -m benchmarks OUT.csv`: measure everything on this machine, in one run."""

import logging
import sys
from pathlib import Path

import pandas as pd

from benchmarks import restoration, scenes
from benchmarks.side_by_side import COLUMNS
from engine.device import pick
from engine.tables import write_csv


def main(out: Path) -> None:
    """Write the table, and print it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    compute = pick()
    found = []
    for suite in (restoration, scenes):
        for row in suite.rows(compute):
            print(f"{row.bench:18} {row.ratio:7.2f} times  {row.case}", flush=True)
            found.append(row)
    write_csv(pd.DataFrame([row.as_dict() for row in found]), out, COLUMNS)
    print(f"{found[0].machine}; table: {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/bench.csv"))
