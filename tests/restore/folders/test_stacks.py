"""Zarr stores are denoised plane by plane into stores of the same form, whole or not at all."""

import contextlib
import json
import shutil

import numpy as np
import pytest

from engine.errors import Partial
from restore.errors import RestoreError
from restore.folders import stacks
from restore.folders.folder import denoise_folder
from restore.folders.journal import JOURNAL
from restore.images.zarr import layout, store

zarr = pytest.importorskip("zarr", reason="the extra `zarr` is not installed")

N = 48
Y, X = np.mgrid[:N, :N]
CLEAN = 128 + 60 * np.sin(X / 9) + 40 * np.cos(Y / 7)


def noisy(count, seed=0):
    noise = np.random.default_rng(seed).normal(0, 25, (count, N, N))
    return np.clip(CLEAN + noise, 0, 255)


def psnr(found):
    return 10 * np.log10(255**2 / np.square(found - CLEAN).mean())


@pytest.fixture
def denoise(tmp_path):
    def run(source, target, **options):
        settings = {"device": "cpu", "precision": "float32", "sigma": 25.0} | options
        with contextlib.suppress(Partial):
            denoise_folder(source, target, "dncnn-s-25", **settings)
        folder = target.parent if layout.is_store(source) else target
        lines = (folder / JOURNAL).read_text().splitlines()
        return {record["file"]: record for record in map(json.loads, lines)}

    return run


def ome(path, version=2):
    """Write an OME-Zarr (c, z, y, x) of 16 bits with a reduced copy, labels and a table."""
    root = zarr.open_group(str(path), mode="w", zarr_format=version)
    axes = [{"name": name} for name in "czyx"]
    known = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]}
    root.attrs.update(known if version == 2 else {"ome": known})
    data = np.rint(noisy(4) * 257).astype("u2").reshape(2, 2, N, N)
    inner = {"chunks": (1, 2, 24, 24)} | ({} if version == 2 else {"shards": (1, 2, 48, 48)})
    root.create_array("0", data=data, **inner)
    root.create_array("1", data=data[..., ::2, ::2].copy(), chunks=(1, 1, 24, 24))
    masks = root.create_group("labels").create_group("cells")
    masks.attrs["image-label"] = {}
    masks.create_array("0", data=data // 8000, chunks=(1, 1, 48, 48))
    (path / "notes.txt").write_text("kept")
    return data


def metadata(path):
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and (file.name in layout.METADATA or "labels" in file.parts)
    }


@pytest.mark.parametrize("version", [2, 3])
def test_an_ome_zarr_keeps_its_form_axes_and_labels(version, tmp_path, denoise):
    source, target = tmp_path / "a.ome.zarr", tmp_path / "out" / "b.ome.zarr"
    data = ome(source, version)
    record = denoise(source, target)["a.ome.zarr"]
    assert (record["status"], record["output"], record["planes"]) == ("done", "b.ome.zarr", 4)
    assert metadata(target) == metadata(source)
    assert (target / "notes.txt").read_text() == "kept"
    (image,) = layout.images(target)
    found = image.array[:]
    assert (found.shape, found.dtype) == (data.shape, data.dtype)
    planes = found.reshape(-1, N, N) / 257
    assert min(psnr(plane) for plane in planes) > 32 > 22 > psnr(noisy(1)[0])
    assert not np.array_equal(planes[0], planes[1])
    reduced = store.opened(target, "1")[:]
    means = found.astype(float).reshape(2, 2, 24, 2, 24, 2).mean((3, 5))
    assert np.abs(reduced - means).max() <= 0.5
    assert not list(tmp_path.rglob(".part-*"))
    assert (target.stat().st_mode & 0o777) == (tmp_path / "out").stat().st_mode & 0o777


def test_gaps_colours_and_empty_planes(tmp_path, denoise):
    folder = tmp_path / "in"
    folder.mkdir()
    values = (noisy(2) / 255).astype("f4")
    values[0, 10:20, 10:20] = np.nan
    values = np.concatenate([values, np.full((1, N, N), np.nan, "f4")])
    zarr.create_array(str(folder / "gaps.zarr"), data=values, zarr_format=2, chunks=(2, 20, 20))
    colours = np.rint(noisy(3, 1)).astype("u1").transpose(1, 2, 0)
    zarr.create_array(str(folder / "colour.zarr"), data=colours)
    zarr.create_array(str(folder / "signed.zarr"), data=colours.astype("i2"))
    zarr.create_array(str(folder / "yes.zarr"), data=colours[..., 0] > 9)
    (folder / "broken.zarr").mkdir()
    records = denoise(folder, tmp_path / "out")
    assert records["gaps.zarr"]["no_data"] == 100
    found = zarr.open_array(str(tmp_path / "out" / "gaps.zarr"), mode="r")[:]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    assert psnr(found[1] * 255) > 32
    found = zarr.open_array(str(tmp_path / "out" / "colour.zarr"), mode="r")[:]
    assert found.shape == (N, N, 3)
    assert all(psnr(found[..., channel]) > 32 for channel in range(3))
    assert "16-bit signed" in records["signed.zarr"]["reason"]
    assert "a mask of yes and no" in records["yes.zarr"]["reason"]
    assert "none of zarr.json" in records["broken.zarr"]["reason"]
    assert all("\n" not in record.get("reason", "") for record in records.values())


def test_a_second_run_skips_and_only_a_store_is_replaced(tmp_path, denoise, caplog):
    source, target = tmp_path / "a.zarr", tmp_path / "out" / "b.zarr"
    zarr.create_array(str(source), data=np.rint(noisy(2)).astype("u1"))
    first = denoise(source, target)["a.zarr"]
    with caplog.at_level("INFO"):
        assert denoise(source, target)["a.zarr"] == first
    assert "1 skipped" in caplog.text
    zarr.create_array(str(source), data=np.rint(noisy(2, 5)).astype("u1"), overwrite=True)
    assert "--refresh" in denoise(source, target)["a.zarr"]["reason"]
    again = denoise(source, target, refresh=True)["a.zarr"]
    assert again["status"] == "done"
    assert again["input_sha256"] != first["input_sha256"]
    shutil.rmtree(target)
    target.mkdir()
    (target / "mine.txt").write_text("x")
    record = denoise(source, target, overwrite=True)["a.zarr"]
    assert "exists and is no Zarr store" in record["reason"]
    assert (target / "mine.txt").read_text() == "x"


def test_nothing_is_half_written(tmp_path, denoise, monkeypatch):
    source, target = tmp_path / "a.zarr", tmp_path / "out" / "b.zarr"
    zarr.create_array(str(source), data=np.rint(noisy(3)).astype("u1"), chunks=(1, N, N))
    written = store.write

    def full(image, array, key, planes):
        if key[0].start:
            raise OSError(28, "No space left on device")
        return written(image, array, key, planes)

    monkeypatch.setattr(stacks.store, "write", full)
    record = denoise(source, target)["a.zarr"]
    assert "No space left" in record["reason"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [JOURNAL]
    monkeypatch.setattr(stacks.store, "write", written)
    assert denoise(source, target)["a.zarr"]["status"] == "done"


def test_codecs_that_round_are_told(tmp_path, denoise):
    numcodecs = pytest.importorskip("numcodecs")
    filters = [numcodecs.Quantize(digits=1, dtype="f4")]
    zarr.create_array(
        str(tmp_path / "a.zarr"), data=(noisy(1) / 255).astype("f4"), zarr_format=2, filters=filters
    )
    record = denoise(tmp_path / "a.zarr", tmp_path / "out" / "b.zarr")["a.zarr"]
    assert "codec rounds" in record["lost"][0]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("b.png", {}, "expected a name ending in .zarr"),
        ("out", {"form": "png"}, "expected auto or same as `form` of a Zarr store"),
        ("a.zarr", {}, "is, holds or lies in the input"),
        ("a.zarr/b.zarr", {}, "is, holds or lies in the input"),
    ],
)
def test_outputs_that_cannot_be_are_refused(target, options, message, tmp_path, denoise):
    zarr.create_array(str(tmp_path / "a.zarr"), data=np.zeros((8, 8), "u1"))
    with pytest.raises(RestoreError, match=message):
        denoise(tmp_path / "a.zarr", tmp_path / target, **options)


def test_stores_without_a_suffix_are_found_in_sub_folders(tmp_path, denoise):
    (tmp_path / "in" / "day").mkdir(parents=True)
    zarr.create_array(str(tmp_path / "in" / "day" / "cells"), data=np.rint(noisy(1)).astype("u1"))
    compare = tmp_path / "sheet.html"
    records = denoise(tmp_path / "in", tmp_path / "out", recursive=True, compare=compare)
    assert records["day/cells"]["status"] == "done"
    assert layout.is_store(tmp_path / "out" / "day" / "cells")
    assert compare.read_text().count("<figcaption>day/cells<") == 1
