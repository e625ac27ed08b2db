"""Zarr stores as scenes and labels: cubes of named and unnamed axes, as xarray writes them too."""

import sys

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.formats.registry import files
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene, write_scene

zarr = pytest.importorskip("zarr", reason="the extra `zarr` is not installed")

H, W, B = 20, 24, 6
WL = [450.0, 550.0, 650.0, 850.0, 1600.0, 2200.0]
CUBE = (
    100 * (1 + np.arange(B)) + np.arange(H)[:, None, None] * 10 + np.arange(W)[None, :, None]
).astype("i2")


def as_xarray(path, version, *, stated=True):
    """Write a cube (wavelength, y, x) with coordinates and a grid mapping, as xarray does."""
    root = zarr.open_group(str(path), mode="w", zarr_format=version)

    def add(name, values, dims, **attributes):
        known = {"dimension_names": dims} if version == 3 else {}
        if version == 2:
            attributes["_ARRAY_DIMENSIONS"] = list(dims)
        values = np.asarray(values)
        root.create_array(name, data=values, attributes=attributes, fill_value=0, **known)

    values = CUBE.copy()
    values[:5] = -9999
    add("reflectance", np.moveaxis(values, -1, 0), ("wavelength", "y", "x"), scale_factor=1e-4,
        _FillValue=-9999, grid_mapping="spatial_ref")  # fmt: skip
    add("wavelength", np.array(WL) / 1e3, ("wavelength",), units="um")
    add("y", 4e6 - 10 - 20 * np.arange(H), ("y",))
    add("x", 5e5 + 10 + 20 * np.arange(W), ("x",))
    add("spatial_ref", 0, (), crs_wkt="EPSG:32616" if stated else "")
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_a_cube_as_xarray_writes_it(version, tmp_path):
    scene = open_scene(as_xarray(tmp_path / "a.zarr", version))
    assert scene.shape == (H, W)
    assert scene.wavelengths == pytest.approx(WL)
    assert scene.scale == pytest.approx([1e-4] * B)
    assert scene.pixels_without_data() == 120
    assert np.array_equal(scene.cube[7:9, 3:6], CUBE[7:9, 3:6])
    assert scene.georeference["transform"] == (20.0, 0.0, 5e5, 0.0, -20.0, 4e6)
    assert scene.left_out == ()
    assert any(file.parent.name == "wavelength" for file in files(tmp_path / "a.zarr"))
    write_scene(tmp_path / "b.hdr", scene)
    again = open_scene(tmp_path / "b.hdr")
    assert np.array_equal(again.cube[5:], CUBE[5:])
    assert again.pixels_without_data() == 120


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plain_cube_with_wavelengths_in_its_attributes(axis, tmp_path):
    data = np.moveaxis(CUBE, -1, axis)
    attributes = {"wavelengths": WL, "wavelength_units": "nm"}
    zarr.create_array(str(tmp_path / "a.zarr"), data=data, chunks=(3, 5, 4), attributes=attributes)
    scene = open_scene(tmp_path / "a.zarr")
    assert np.array_equal(scene.cube, CUBE)
    assert scene.wavelengths == pytest.approx(WL)
    assert np.array_equal(scene.cube[2:5, :, [1, 4]], CUBE[2:5, :, [1, 4]])


def test_variables_and_labels(tmp_path):
    root = zarr.open_group(str(tmp_path / "store"), mode="w")
    for name in ("a", "b"):
        root.create_array(name, data=CUBE)
    labels = (CUBE[..., 0] % 3).astype("u1")
    root.create_array("gt", data=labels)
    with pytest.raises(HsiError, match=r"found several \(.*name one as .*store:VARIABLE"):
        open_scene(tmp_path / "store")
    assert np.array_equal(open_scene(f"{tmp_path / 'store'}:b").cube, CUBE)
    assert np.array_equal(open_labels(f"{tmp_path / 'store'}:gt").ground_truth, labels)


def test_what_cannot_be_read_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(HsiError, match="expected a Zarr store, found none of"):
        open_scene(tmp_path / "empty.zarr")
    path = as_xarray(tmp_path / "a.zarr", 3)
    chunk = next((path / "reflectance" / "c").rglob("0"))
    while chunk.is_dir():
        chunk = chunk / "0"
    chunk.write_bytes(b"broken")
    with pytest.raises(HsiError, match="reflectance cannot be read") as error:
        open_scene(path).cube[:]
    assert "\n" not in str(error.value)
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(HsiError, match=r"restore-hsi\[zarr\]"):
        open_scene(path)
