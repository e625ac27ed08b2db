"""Print the headline figures of a run: python headlines.py SUMMARY.csv ... (restore's, hsi's)."""

import sys
from pathlib import Path

import pandas as pd

from engine.tables import read_csv


def images(table: pd.DataFrame) -> list[str]:
    """One line a degradation: the input's PSNR, then each method's."""
    shipped = [" (shipped)" * name.endswith(", shipped") for name in table.schedule]
    table = table.assign(method=table.model + shipped)
    lines = ["Images: mean PSNR in dB", *schedules(table.method, table.schedule)]
    for (name, kind, level), rows in table.groupby(["set", "degradation", "level"], sort=False):
        scores = [f"{row.method} {row.psnr_db}" for row in rows.itertuples()]
        shown = ", ".join([f"input {rows.psnr_input_db.iloc[0]}", *scores])
        lines.append(f"  {name} {f'{kind}:{level}':12} {shown}")
    return lines


def scenes(table: pd.DataFrame) -> list[str]:
    """One line a scene and split: each classifier's overall accuracy."""
    lines = ["Scenes: overall accuracy in %", *schedules(table.classifier, table.schedule)]
    for (scene, split), rows in table.groupby(["scene", "split"], sort=False):
        scores = [f"{row.classifier} {row.oa_mean}" for row in rows.itertuples()]
        lines.append(f"  {scene} {split:12}{', '.join(scores)}")
    return lines


def schedules(methods: pd.Series, learned: pd.Series) -> list[str]:
    """Say with which schedule each network learned; nothing where none did."""
    how = {
        f"{method}: {name.removesuffix(', shipped')}": None
        for method, name in zip(methods, learned, strict=True)
        if name not in ("", "none")
    }
    return [f"  schedules  {'; '.join(how)}"] if how else []


def main(paths: list[str]) -> None:
    """Print the figures, then where the tables and the report lie."""
    lines: list[str] = []
    for path in paths:
        table = read_csv(Path(path))
        lines += scenes(table) if "scene" in table else images(table)
    report = Path(paths[0]).parents[1] / "report.html"
    lines += [f"Tables: {', '.join(paths)}", f"Report: {report}"]
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
