"""Commands refuse labels and maps that lie elsewhere than the scene, though their size fits."""

from dataclasses import replace

import numpy as np
import pytest

from hsi.scenes.labels import open_labels, write_labels
from hsi.scenes.scene import write_scene
from tests.hsi.cli.conftest import hsi

pytest.importorskip("rasterio")

HERE = {"crs": "EPSG:32633", "transform": (10.0, 0.0, 600000.0, 0.0, -10.0, 4500000.0)}
THERE = {**HERE, "transform": (10.0, 0.0, 600100.0, 0.0, -10.0, 4500000.0)}


@pytest.fixture
def placed(tmp_path, scene, labels):
    write_scene(tmp_path / "land.tif", replace(scene, georeference=HERE))
    for name, place in (("here", HERE), ("there", THERE)):
        write_labels(tmp_path / f"{name}.tif", replace(labels, georeference=place))
        numbers = np.array(labels.ground_truth)
        numbers[numbers == 0] = 1
        whole = replace(labels, ground_truth=numbers, georeference=place)
        write_labels(tmp_path / f"map_{name}.tif", whole)
    how = ("--how", "random:0.2", "--window", 9, "--out", tmp_path / "split.npz")
    assert hsi("split", tmp_path / "here.tif", *how) == 0
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        "train land.tif there.tif --classifier coordinates --split split.npz --out m.safetensors",
        "score map_here.tif there.tif --split split.npz --out scores",
        "score map_there.tif here.tif --split split.npz --out scores",
        "area map_there.tif here.tif --split split.npz --out areas",
        "compare map_here.tif map_there.tif here.tif --split split.npz",
        "look land.tif map_there.tif --out page.html",
        "look land.tif --labels there.tif --out page.html",
        "labels there.tif land.tif drawn.tif",
        "split here.tif --how loso:map_there.tif --out other.npz",
    ],
)
def test_another_place_is_one_line(placed, capsys, monkeypatch, arguments):
    monkeypatch.chdir(placed)
    before = sorted(placed.iterdir())
    assert hsi(*arguments.split()) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "expected the place of" in said
    assert "10.0 pixels away" in said
    assert sorted(placed.iterdir()) == before


def test_the_same_place_in_the_words_of_envi_passes(placed, monkeypatch):
    monkeypatch.chdir(placed)
    write_labels(placed / "words.hdr", open_labels(placed / "here.tif"))
    train = "train land.tif words.hdr --classifier coordinates --split split.npz"
    assert hsi(*train.split(), "--out", "m.safetensors") == 0
    score = "score map_here.tif words.hdr --split split.npz --out scores"
    assert hsi(*score.split()) == 0
