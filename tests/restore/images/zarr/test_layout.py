"""Which arrays of a Zarr store are images, and which axes are rows and columns."""

import base64
import shutil
import struct
import sys

import numpy as np
import pytest

from restore.errors import RestoreError
from restore.images import files
from restore.images.zarr import layout, store

zarr = pytest.importorskip("zarr", reason="the extra `zarr` is not installed")

FORMATS = pytest.mark.parametrize("version", [2, 3])


def group(path, version, attributes):
    """Make a group with attributes where the version of OME-Zarr has them."""
    made = zarr.open_group(str(path), mode="w", zarr_format=version)
    made.attrs.update(attributes if version == 2 else {"ome": attributes})
    return made


def scales(axes, *paths):
    return {"multiscales": [{"axes": axes, "datasets": [{"path": path} for path in paths]}]}


@FORMATS
@pytest.mark.parametrize("form", ["named", "texts", "systems"])
def test_ome_names_the_image_its_axes_and_its_reduced_copies(version, form, tmp_path):
    axes = {"named": [{"name": n} for n in "czyx"], "texts": list("czyx")}.get(form)
    attributes = scales(axes, "full", "half")
    if form == "systems":
        del attributes["multiscales"][0]["axes"]
        systems = [{"name": "s", "axes": [{"name": name} for name in "czyx"]}]
        attributes["multiscales"][0]["coordinateSystems"] = systems
    root = group(tmp_path / "a.zarr", version, attributes)
    root.create_array("full", shape=(2, 3, 8, 10), dtype="u2", chunks=(1, 1, 8, 10))
    root.create_array("half", shape=(2, 3, 4, 5), dtype="u2", chunks=(1, 1, 4, 5))
    masks = root.create_group("labels").create_group("cells")
    masks.attrs.update(scales(axes or list("czyx"), "0"))
    masks.create_array("0", shape=(2, 3, 8, 10), dtype="u2", chunks=(1, 1, 8, 10))
    (found,) = layout.images(tmp_path / "a.zarr")
    assert (found.name, found.rows, found.columns, found.reduced) == ("full", 2, 3, ("half",))
    assert (found.planes, found.colours) == (6, None)
    assert [found.channel(place) for place in ((0, 2), (1, 0))] == [0, 1]


def test_old_stores_and_all_series_are_found(tmp_path):
    root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    for series in ("0", "1"):
        made = root.create_group(series)
        made.attrs["multiscales"] = [{"version": "0.1", "datasets": [{"path": "0"}]}]
        made.create_array("0", shape=(1, 2, 3, 4, 5), dtype="u1", chunks=(1, 1, 1, 4, 5))
    found = layout.images(tmp_path / "a.zarr")
    assert [image.name for image in found] == ["0/0", "1/0"]
    assert found[0].axes == tuple("tczyx")


@pytest.mark.parametrize(
    ("shape", "names", "expected"),
    [
        ((6, 7), None, (0, 1, None)),
        ((4, 6, 7), None, (1, 2, None)),
        ((6, 7, 3), None, (0, 1, 2)),
        ((2, 6, 7, 4), None, (1, 2, 3)),
        ((6, 7, 5), None, (1, 2, None)),
        ((6, 7, 5), ["y", "x", "band"], (0, 1, None)),
        ((7, 6, 5), ["x", "y", "time"], (1, 0, None)),
        ((5, 6, 3), ["time", "lat", "lon"], (1, 2, None)),
        ((5, 6, 3), ["lat", "lon", "band"], (0, 1, 2)),
    ],
)
@FORMATS
def test_axes_of_a_plain_array(shape, names, expected, version, tmp_path):
    options = {"zarr_format": version}
    if names and version == 3:
        options["dimension_names"] = names
    elif names:
        options["attributes"] = {"_ARRAY_DIMENSIONS": names}
    zarr.create_array(str(tmp_path / "a.zarr"), shape=shape, dtype="u1", **options)
    (found,) = layout.images(tmp_path / "a.zarr")
    assert (found.rows, found.columns, found.colours) == expected


def test_the_one_array_of_a_plain_group_is_the_image(tmp_path):
    root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    root.create_array("x", shape=(7,), dtype="f8")
    root.create_array("below/stack", shape=(2, 6, 7), dtype="f4")
    (found,) = layout.images(tmp_path / "a.zarr")
    assert found.name == "below/stack"
    root.create_array("other", shape=(6, 7), dtype="f4")
    with pytest.raises(
        RestoreError, match=r"found 2 \(below/stack.*other.*name one as STORE/ARRAY"
    ):
        layout.images(tmp_path / "a.zarr")
    (found,) = layout.images(tmp_path / "a.zarr" / "other")
    assert found.array.shape == (6, 7)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-9999, -9999),
        ("-9999", -9999),
        (base64.b64encode(struct.pack("<d", -9999.0)).decode(), -9999),
        ("none", None),
    ],
)
def test_no_data_in_attributes(value, expected, tmp_path):
    attributes = {"_FillValue": value}
    zarr.create_array(str(tmp_path / "a.zarr"), shape=(6, 7), dtype="f4", attributes=attributes)
    assert layout.images(tmp_path / "a.zarr")[0].no_data == expected


def test_what_is_no_store_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    zarr.create_array(str(path), data=np.zeros((6, 7), "u1"))
    with pytest.raises(RestoreError, match="found a Zarr store; `restore denoise` takes it"):
        files.read(path)
    (path / "zarr.json").write_text("{")
    with pytest.raises(RestoreError, match="expected a whole Zarr store") as error:
        layout.images(path)
    assert "\n" not in str(error.value)
    (tmp_path / "a.png").write_bytes(b"PK\3\4" + bytes(40))
    with pytest.raises(RestoreError, match="found a ZIP"):
        files.read(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(RestoreError, match=r"restore-hsi\[zarr\]"):
        layout.images(path)


def test_axes_that_do_not_fit_are_refused(tmp_path):
    root = group(tmp_path / "a.zarr", 2, scales(list("zyx"), "0"))
    root.create_array("0", shape=(6, 7), dtype="u1")
    with pytest.raises(RestoreError, match="expected the 2 axes of the array with y and x"):
        layout.images(tmp_path / "a.zarr")


# ---- planes -----------------------------------------------------------------------------------
@pytest.mark.parametrize("chunks", [(1, 1, 4, 4), (2, 2, 3, 9), (2, 3, 8, 10)])
@pytest.mark.parametrize("limit", [1, 400, 2**28])
def test_slabs_hold_every_plane_once(chunks, limit, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SLAB_BYTES", limit)
    data = np.arange(480, dtype="u2").reshape(2, 3, 8, 10)
    zarr.create_array(str(tmp_path / "a.zarr"), data=data, chunks=chunks)
    (image,) = layout.images(tmp_path / "a.zarr")
    seen = {}
    for key in store.slabs(image):
        planes = store.read(image, image.array, key)
        seen |= dict(zip(store.places(image, key), planes, strict=True))
    assert sorted(seen) == list(np.ndindex(2, 3))
    assert all(np.array_equal(plane, data[place]) for place, plane in seen.items())


def test_planes_of_any_order_are_written_where_they_were_read(tmp_path):
    data = np.random.default_rng(0).integers(0, 9, (5, 7, 4, 6)).astype("u1")
    names = ["x", "t", "y", "z"]
    zarr.create_array(str(tmp_path / "a.zarr"), data=data, dimension_names=names)
    (image,) = layout.images(tmp_path / "a.zarr")
    shutil.copytree(tmp_path / "a.zarr", tmp_path / "b.zarr")
    target = store.opened(tmp_path / "b.zarr", "")
    for key in store.slabs(image):
        planes = store.read(image, image.array, key)
        assert planes.shape[1:] == (4, 5)
        assert store.write(image, target, key, planes + np.uint8(1))
    np.testing.assert_array_equal(target[:], data + 1)


@pytest.mark.parametrize(
    ("size", "small", "expected"),
    [
        ((4, 4), (2, 2), [[2, 4], [10, 12]]),  # of 0, 1, 2, ... by rows: means
        ((5, 4), (3, 2), [[2, 4], [10, 12], [16, 18]]),  # the last row stands for itself
        ((5, 4), (2, 2), [[2, 4], [10, 12]]),
        ((5, 5), (4, 4), [[0, 1, 3, 4], [5, 6, 8, 9], [15, 16, 18, 19], [20, 21, 23, 24]]),
    ],
)
def test_reduced_copies_are_means(size, small, expected, tmp_path):
    root = group(tmp_path / "a.zarr", 2, scales(list("yx"), "0", "1"))
    root.create_array("0", data=np.arange(size[0] * size[1], dtype="u1").reshape(size))
    root.create_array("1", shape=small, dtype="u1")
    (image,) = layout.images(tmp_path / "a.zarr")
    store.reduce(image, tmp_path / "a.zarr")
    found = store.opened(tmp_path / "a.zarr", "1")[:]
    assert np.abs(found.astype(int) - expected).max() <= 1, found


def test_reduced_copies_leave_out_what_has_no_data(tmp_path):
    root = group(tmp_path / "a.zarr", 2, scales(list("zyx"), "0", "1"))
    data = np.ones((2, 4, 4), "f4")
    data[0, :2, :3] = np.nan
    data[1, :2, :2] = np.nan
    root.create_array("0", data=data)
    root.create_array("1", shape=(1, 2, 2), dtype="f4")
    (image,) = layout.images(tmp_path / "a.zarr")
    store.reduce(image, tmp_path / "a.zarr")
    np.testing.assert_array_equal(
        store.opened(tmp_path / "a.zarr", "1")[:], [[[np.nan, 1], [1, 1]]]
    )
