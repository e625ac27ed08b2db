"""A cube is denoised by what is here, and the row says by what, how fast and how well."""

import logging
import re

import numpy as np
import pytest

from benchmarks import cubes
from benchmarks.side_by_side import Row
from engine.device import Compute
from hsi.denoising.comparison.methods import Cube, Setting
from hsi.errors import HsiError

pytestmark = pytest.mark.usefixtures("no_matrix_product")
SHAPE = (24, 20, 12)


def decibels(row: Row) -> tuple[float, float]:
    found = re.search(r"mean PSNR ([\d.]+) against ([\d.]+) dB", row.case)
    assert found is not None
    return float(found[1]), float(found[2])


def half(cube: Cube, setting: Setting) -> Cube:
    return cube / 2


def exact(cube: Cube, setting: Setting) -> Cube:
    return cubes.made_cube(SHAPE).astype(np.float32)


def test_without_the_peer_it_is_pca_and_the_log_says_why(
    cpu: Compute, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def absent(name: str) -> None:
        raise HsiError(f"`method` {name}: needs hyde-images")

    monkeypatch.setattr(cubes, "check", absent)
    caplog.set_level(logging.INFO)
    methods = {"pca": half, "denoise": exact}
    (row,) = cubes.rows(cpu, shape=SHAPE, rounds=1, methods=methods)
    assert "compared with PCA: `method` fasthyde: needs hyde-images" in caplog.text
    assert "a made cube of 24x20x12" in row.case
    assert "PCA (a mere projection" in row.case
    assert "megapixel-bands/s" in row.case
    assert row.max_difference is None
    worse, better = (
        float(x) for x in row.case.split("PSNR ")[1].split(" dB")[0].split(" against ")
    )
    assert better > 100 > worse


def test_the_peer_is_taken_where_it_is(cpu: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "check", lambda _: None)
    methods = {"fasthyde": half, "denoise": exact}
    (row,) = cubes.rows(cpu, shape=SHAPE, rounds=1, methods=methods)
    assert "FastHyDe of hyde-images against hsi denoise" in row.case


def test_the_real_methods_take_the_cube(cpu: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "PEER", "pca")
    monkeypatch.setattr(cubes, "_IN_WORDS", {"pca": "PCA"})
    (row,) = cubes.rows(cpu, shape=(32, 32, 12), rounds=1)
    worse, better = (
        float(x) for x in row.case.split("PSNR ")[1].split(" dB")[0].split(" against ")
    )
    assert better > worse > 20


def test_a_made_cube_is_clean_and_the_same_each_time() -> None:
    cube = cubes.made_cube(SHAPE)
    assert cube.shape == SHAPE
    assert np.array_equal(cube, cubes.made_cube(SHAPE))
    assert 0 < cube.min() < cube.max() == 1
    assert np.linalg.matrix_rank(cube.reshape(-1, SHAPE[2])) <= cubes.MATERIALS
