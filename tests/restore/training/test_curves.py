"""Curves of trainings are drawn from their histories."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.training.curves import curves


def test_curves_need_histories(tmp_path: Path) -> None:
    good = tmp_path / "seed0.csv"
    good.write_text("step,loss,learning_rate,seconds\n1,3.0,0.1,1\n2,2.0,0.1,2\n")
    curves([good], tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 300
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    with pytest.raises(RestoreError, match=r"bad\.csv: expected a training history"):
        curves([bad], tmp_path / "none.png")


def test_a_logarithmic_loss_has_an_axis_of_its_own(tmp_path: Path) -> None:
    rows = [f"{step},{-5 - step / 40},0.1,{step}" for step in range(40)]
    text = "step,loss,learning_rate,seconds\n"
    (tmp_path / "below.csv").write_text(text + "\n".join(rows))
    (tmp_path / "above.csv").write_text(text + "\n".join(rows).replace(",-", ","))
    curves([tmp_path / "below.csv"], tmp_path / "one.png")
    curves([tmp_path / "above.csv", tmp_path / "below.csv"], tmp_path / "two.png")
    one, two = (
        np.asarray(Image.open(tmp_path / name).convert("RGB")) for name in ("one.png", "two.png")
    )
    assert two.shape[1] > 1.4 * one.shape[1]
    for panel in (one, *np.array_split(two, 2, axis=1)):
        inside = panel[60:-60, 100:-60].astype(int)
        coloured = np.ptp(inside, axis=2) > 60
        assert coloured.any(axis=0).mean() > 0.7  # the line runs from left to right
