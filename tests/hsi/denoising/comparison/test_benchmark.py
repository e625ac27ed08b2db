"""Methods are compared on clean scenes that were degraded; tables have the agreed columns."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from engine.tables import read_csv
from hsi.denoising.comparison.benchmark import COLUMNS, MEANS, benchmark, join, scores, truth
from hsi.denoising.comparison.methods import METHODS, OPTIONAL, Setting, check
from hsi.errors import HsiError
from hsi.scenes.scene import Scene
from tests.hsi.denoising.cubes import clean_cube

SCENE = Scene("made", np.rint(clean_cube(40, 36, 12) * 3000 + 100).astype(np.uint16))
CPU = Setting("cpu", "float32")


def test_scores_of_known_errors():
    clean = np.full((20, 20, 6), 0.5)
    clean[..., 3] = 1
    found = scores(clean * 1.1, clean)
    assert found["mpsnr_db"] == pytest.approx(20)
    assert found["sam_degrees"] == pytest.approx(0, abs=1e-5)
    assert found["ergas"] == pytest.approx(10)
    assert scores(clean, clean)["mssim"] == pytest.approx(1)


def test_the_truth_has_the_rank_asked_for():
    clean = truth(SCENE, 3)
    flat = (clean - clean.mean(axis=(0, 1))).reshape(-1, 12)
    assert np.linalg.matrix_rank(flat, tol=1e-6) == 3
    assert (clean.min(), clean.max()) == (0, 1)


def test_tables_and_a_picture_are_written(tmp_path):
    methods = ["noisy", "pca", "wavelet", "tv", "band-by-band", "denoise"]
    for seed in (0, 1):
        benchmark(
            SCENE, "gaussian:25", methods, tmp_path / f"{seed}.csv", seed=seed, rank=3, setting=CPU
        )
    assert (tmp_path / "1.png").is_file()
    join([tmp_path / "0.csv", tmp_path / "1.csv"], tmp_path / "all.csv")
    table = read_csv(tmp_path / "all.csv")
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 2 * len(methods)
    means = read_csv(tmp_path / "all_means.csv")
    assert tuple(means.columns) == MEANS
    assert set(means["seeds"]) == {"2"}
    found = dict(zip(means["method"], means["mpsnr_db"].astype(float), strict=True))
    assert found["denoise"] > max(found[name] for name in methods if name != "denoise")
    assert min(found, key=lambda name: found[name]) == "noisy"


@pytest.mark.parametrize(("name", "there"), OPTIONAL.items())
def test_methods_of_hyde_images_get_the_cube(name, there, monkeypatch):
    asked = []

    def method(cube, **options):
        asked.append(options)
        return cube + 1

    monkeypatch.setitem(sys.modules, "hyde", SimpleNamespace(**{there: lambda: method}))
    cube = SCENE.cube.astype(np.float32)
    np.testing.assert_array_equal(METHODS[name](cube, CPU), cube + 1)
    assert asked == [{} if name == "hyres" else {"k_subspace": 10}]


def test_wrong_input_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hyde", None)
    with pytest.raises(HsiError, match="`method` bm4d: expected one of noisy, band-by-band"):
        check("bm4d")
    with pytest.raises(HsiError, match="`method` fasthyde: needs hyde-images"):
        check("fasthyde")
    with pytest.raises(HsiError, match="`rank` 13: expected 1 to 12"):
        truth(SCENE, 13)
    cube = SCENE.cube.copy()
    cube[2, 3] = 0
    with pytest.raises(HsiError, match="expected a scene without missing pixels"):
        truth(Scene("holed", cube), 3)
    assert set(METHODS) >= {"noisy", "band-by-band", "pca", "wavelet", "tv", "denoise", "fasthyde"}
