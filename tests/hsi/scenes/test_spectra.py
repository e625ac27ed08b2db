import mmap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import memory
from hsi.errors import HsiError
from hsi.scenes import spectra
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import refuse_empty_bands, refuse_without_data


def test_what_holds_no_data():
    cube = np.full((1, 6, 3), 5.0)
    cube[0, 1] = 0
    cube[0, 2, 1] = np.nan
    cube[0, 3, 0] = 0
    cube[0, 4, 2] = -np.inf
    found = Scene("x", cube).no_data(slice(None))
    assert found[0].tolist() == [False, True, True, False, True, False]


def test_the_value_for_missing_data_is_missing():
    # A part of a spectrum cannot be classified.
    values = np.array([[[-9999, -9999], [-9999, 3], [2, 3], [2, 4]]])
    scene = Scene("x", values, ignore_value=-9999)
    assert scene.no_data(slice(0, 1)).tolist() == [[True, True, False, False]]
    masked = Scene("x", values, ignore_value=-9999, mask=np.array([[True, True, True, False]]))
    assert masked.no_data(slice(0, 1)).tolist() == [[True, True, False, True]]
    assert masked.pixels_without_data() == 3
    _, valid = spectra.read(masked, slice(0, 1), slice(2, 4), Bands(np.arange(2)))
    assert valid.tolist() == [[True, False]]
    assert scene.checksum() != masked.checksum()


@pytest.mark.parametrize("order", ["bip", "bil", "bsq"])
def test_parts_of_a_file_are_read_in_strips(tmp_path, monkeypatch, order):
    cube = np.random.default_rng(0).integers(1, 999, (13, 7, 5)).astype(np.int16)
    axes = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}[order]
    np.save(tmp_path / "x.npy", cube.transpose(axes))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r").transpose(np.argsort(axes))
    scene = Scene("x", mapped)
    monkeypatch.setattr(spectra, "READ_BYTES", 7 * 5 * 8 * 3)
    bands = Bands(np.array([4, 0, 2]))
    found, valid = spectra.prepared(
        scene, slice(2, 12), slice(1, 6), bands, lambda values, _: values * 2
    )
    assert np.array_equal(found, 2 * cube[2:12, 1:6][..., [4, 0, 2]])
    assert valid.all()


@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="tells mapped pages on Linux")
def test_pages_of_a_file_are_given_back(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((64, 64, 64)))
    cube = np.load(tmp_path / "x.npy", mmap_mode="r")

    def held() -> int:
        text = Path("/proc/self/smaps").read_text().partition("x.npy")[2]
        return int(text.partition("Rss:")[2].split()[0])

    assert cube.sum() == 64**3
    assert held() > 1000
    memory.release(cube[3:5, 2:])
    assert held() == 0
    assert cube[1, 2, 3] == 1
    assert isinstance(cube._mmap, mmap.mmap)


@pytest.mark.parametrize(
    ("value", "kind", "ignored"),
    [(np.nan, float, None), (-9999, int, -9999), (-9999, float, -9999)],
)
def test_bands_without_data_anywhere_are_named(scene, value, kind, ignored):
    cube = scene.cube.astype(kind)
    whole = replace(scene, cube=cube, ignore_value=ignored)
    refuse_empty_bands(whole)
    cube[..., [4, 5]] = value
    with pytest.raises(HsiError, match=r"in 2 of 16 bands \(5, 6, counted from 1\)"):
        refuse_empty_bands(whole)
    with pytest.raises(HsiError, match="in 2 of 16 bands"):
        refuse_without_data(whole)
    cube[0, 0, [4, 5]] = 7  # one pixel is enough
    refuse_empty_bands(whole)
    cube[:] = value  # then no band is to blame
    refuse_empty_bands(whole)
