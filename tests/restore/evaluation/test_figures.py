"""Strips are drawn where they are asked for, from what is there."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restore.degradations.degradation import parse
from restore.errors import RestoreError
from restore.evaluation.figures import _names, check_panels, strip
from restore.evaluation.methods import Baseline
from restore.image_sets.find import image_set
from restore.networks.denoiser import load


def test_strip_has_a_column_for_each_method(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    Image.fromarray(np.full((20, 30), 90, np.uint8)).save(folder / "flat.png")
    chosen, noise = image_set(str(folder)), parse("noise:25")
    widths = []
    for names in (("nlm",), ("nlm", "tv")):
        out = tmp_path / f"{len(names)}.png"
        strip([Baseline(name) for name in names], chosen, noise, out, seed=0)
        with Image.open(out) as picture:
            widths.append(picture.width)
    assert widths[1] / widths[0] == pytest.approx(4 / 3, rel=0.01)


def test_panels_are_the_pictures_of_a_strip_by_themselves(tmp_path: Path) -> None:
    folder, panels = tmp_path / "set", tmp_path / "panels"
    folder.mkdir()
    rng = np.random.default_rng(0)
    image = rng.integers(60, 200, (300, 40)).astype(np.uint8)
    Image.fromarray(image).save(folder / "photo.png")
    chosen, noise = image_set(str(folder)), parse("noise:25")
    for _ in range(2):  # the second replaces those of the first
        strip([Baseline("tv")], chosen, noise, tmp_path / "s.png", seed=0, panels=panels)
    (listed,) = json.loads((panels / "panels.json").read_text())["images"]
    assert listed["name"] == "photo"
    assert [panel["kind"] for panel in listed["panels"]] == ["original", "input", "method"]
    assert [panel["psnr_db"] is None for panel in listed["panels"]] == [True, False, False]
    with Image.open(panels / listed["panels"][0]["file"]) as picture:
        assert (np.asarray(picture) == image[22:278]).all()
    assert len(list(panels.iterdir())) == 4


def test_panels_replace_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("mine", "file"):
        with pytest.raises(RestoreError, match=r"`panels` .*: expected a new folder or one of an"):
            check_panels(tmp_path / name)
    check_panels(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check_panels(tmp_path / "empty")


def test_shipped_weights_are_told_from_those_trained_here(make_weights, cpu) -> None:
    models = [load(name, cpu) for name in (str(make_weights()), "dncnn-s-25")]
    names = _names([*models, Baseline("nlm")])
    assert names == ["dncnn-s-25", "dncnn-s-25 (shipped)", "nlm"]
