"""`hsi classify` as users run it: block by block, killed, interrupted, on a full disk."""

import errno
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from spectral.io import envi as spectral_envi

from engine.artifacts import sha256_file
from engine.tensors import load_tensors, save_tensors
from hsi.classifiers.model import load_model, make_classifier
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.evaluation.score import made_by
from hsi.formats.registry import read
from hsi.maps.classify import classify
from hsi.maps.options import MapOptions
from hsi.scenes.scene import Scene, open_scene, write_scene
from hsi.splits.split import make_split
from tests.hsi.small_maps import parts, run


@pytest.mark.parametrize("suffix", [".npy", ".hdr"])
def test_map_probabilities_and_confidence(small_models, tmp_path, cpu, scene, suffix, caplog):
    found = run(
        small_models, tmp_path / f"m{suffix}", cpu, probabilities=True, confidence=True, block=11
    )
    numbers = np.asarray(read(found.map, "labels").array)
    shares = np.asarray(read(found.probabilities, "cube").array)
    assert numbers.dtype == np.uint8
    assert (shares.shape, shares.dtype) == ((*scene.shape, 3), np.float32)
    assert np.array_equal(numbers, np.array([1, 2, 7])[shares.argmax(axis=2)])
    confidence = np.asarray(read(found.confidence, "labels").array)
    assert np.array_equal(np.squeeze(confidence), shares.max(axis=2))
    assert found.picture.is_file()
    record = json.loads(found.record.read_text())
    assert sum(record["pixels"].values()) == 30 * 27
    assert record["scaling"] == "of the training"
    assert parts(tmp_path) == []
    if suffix == ".hdr":
        image = spectral_envi.open(str(found.map))
        assert image.metadata["file type"] == "ENVI Classification"
        assert image.metadata["class names"][7] == "class 7"
        bands = spectral_envi.open(str(found.probabilities)).metadata["band names"]
        assert bands == ["class 1", "class 2", "class 7"]


def test_georeference_goes_into_the_map(small_models, tmp_path, cpu, scene):
    place = {"map info": ["UTM", "1", "1", "500000", "4480000", "20", "20", "16", "North"]}
    placed = replace(scene, georeference=place)
    found = classify(placed, small_models / "svm.safetensors", tmp_path / "m.hdr", compute=cpu)
    assert read(found.map, "labels").georeference["map info"][3] == "500000"


def test_what_exists_stays_unless_asked(small_models, tmp_path, cpu):
    (tmp_path / "m.png").write_text("mine")
    with pytest.raises(HsiError, match=r"m.npy: found m.png there already; add `overwrite`"):
        run(small_models, tmp_path / "m.npy", cpu)
    assert [path.name for path in tmp_path.iterdir()] == ["m.png"]
    for name in ("o.tif.aux.xml", "o.tif.msk"):  # read together with the map
        (tmp_path / name).write_text("mine")
        with pytest.raises(HsiError, match=rf"o\.tif: found {name} there already"):
            run(small_models, tmp_path / "o.tif", cpu)
        (tmp_path / name).unlink()
    run(small_models, tmp_path / "m.npy", cpu, overwrite=True)
    first = (tmp_path / "m.npy").read_bytes()
    with pytest.raises(HsiError, match=r"found m.npy, m.png, m.json there already"):
        run(small_models, tmp_path / "m.npy", cpu, block=7)
    run(small_models, tmp_path / "m.npy", cpu, overwrite=True, block=7)
    assert (tmp_path / "m.npy").read_bytes() == first


def test_a_map_never_replaces_its_own_scene(small_models, tmp_path, cpu, scene):
    write_scene(tmp_path / "stripes.hdr", scene)
    opened = open_scene(tmp_path / "stripes.img")
    before = (tmp_path / "stripes.img").read_bytes()
    for name in ("stripes.hdr", "other/../stripes.hdr"):
        (tmp_path / "other").mkdir(exist_ok=True)
        with pytest.raises(HsiError, match=r"would replace .*stripes.hdr, which it is made from"):
            classify(
                opened, small_models / "svm.safetensors", tmp_path / name, overwrite=True,
                compute=cpu,
            )  # fmt: skip
    assert (tmp_path / "stripes.img").read_bytes() == before


def test_a_full_disk_is_one_line_and_leaves_nothing(small_models, tmp_path, cpu, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(HsiError, match="MiB more than the disk has left"):
        run(small_models, tmp_path / "m.npy", cpu)
    assert list(tmp_path.iterdir()) == []


def test_other_trouble_with_the_disk_is_one_line(small_models, tmp_path, cpu, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("hsi.maps.rasters.NumPyRaster.flush", broken)
    with pytest.raises(HsiError, match=r"m.npy: not written: Input/output error"):
        run(small_models, tmp_path / "m.npy", cpu)
    assert not (tmp_path / "m.npy").exists()


def test_confidence_and_probabilities_are_refused_where_there_are_none(small_models, tmp_path, cpu):
    with pytest.raises(HsiError, match="`confidence`: needs probabilities, and svm has none"):
        run(small_models, tmp_path / "m.npy", cpu, "svm", confidence=True)
    with pytest.raises(HsiError, match="`probabilities`: svm has none"):
        run(small_models, tmp_path / "m.npy", cpu, "svm", probabilities=True)


def test_bands_in_another_order_give_the_same_map(small_models, tmp_path, cpu, scene):
    order = np.random.default_rng(0).permutation(16)
    mixed = Scene("mixed", scene.cube[..., order], scene.wavelengths[order])
    found = classify(mixed, small_models / "cnn2d.safetensors", tmp_path / "m.npy", compute=cpu)
    plain = run(small_models, tmp_path / "plain.npy", cpu)
    assert np.array_equal(np.load(found.map), np.load(plain.map))
    assert json.loads(found.record.read_text())["bands"]["matched_by"] == "wavelength"


def test_other_bands_are_interpolated_and_scaling_refitted_only_where_asked(
    small_models, tmp_path, cpu, scene, caplog
):
    between = np.linspace(400, 2400, 46)
    cube = np.stack([np.interp(between, scene.wavelengths, s) for s in scene.cube.reshape(-1, 16)])
    cube, between = np.delete(cube, 9, axis=1), np.delete(between, 9)
    finer = Scene("finer", cube.reshape(*scene.shape, 45) * 2.0, between)
    model = small_models / "cnn2d.safetensors"
    with pytest.raises(HsiError, match="`resample_bands` interpolates"):
        classify(finer, model, tmp_path / "m.npy", compute=cpu)
    options = MapOptions(resample_bands=True, refit_scaling=True)
    with caplog.at_level("INFO"):
        found = classify(finer, model, tmp_path / "m.npy", options, compute=cpu)
    record = json.loads(found.record.read_text())
    assert record["bands"] == {"count": 16, "matched_by": "interpolated"}
    assert record["scaling"] == "refitted on this scene"
    assert "mean and standard deviation are refitted on this scene" in caplog.text
    again = classify(scene, model, tmp_path / "n.npy", MapOptions(refit_scaling=True), compute=cpu)
    assert (np.load(found.map) == np.load(again.map)).mean() > 0.9


def test_memory_is_planned_and_said(small_models, tmp_path, cpu, caplog):
    with pytest.raises(HsiError, match=r"`memory` 2 MiB: expected at least .* are held already"):
        run(small_models, tmp_path / "m.npy", cpu, memory=2 * 2**20)
    with pytest.raises(HsiError, match=r"`block` 30: takes about .* more than `memory` 2 MiB"):
        run(small_models, tmp_path / "m.npy", cpu, memory=2 * 2**20, block=30)
    assert list(tmp_path.iterdir()) == []
    with caplog.at_level("INFO"):
        run(small_models, tmp_path / "m.npy", cpu, memory=64 * 2**30)
    assert "blocks of 30 × 27 pixels, peak about" in caplog.text
    assert "of 64.0 GiB" in caplog.text


def test_a_finished_map_is_kept(small_models, tmp_path, cpu, caplog):
    found = run(small_models, tmp_path / "m.npy", cpu)
    times = [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())]
    with caplog.at_level("INFO"):
        assert run(small_models, tmp_path / "m.npy", cpu) == found
    assert "m.npy: holds exactly this map already; nothing to do" in caplog.text
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())] == times
    found.record.write_text("[]")  # no record of ours
    with pytest.raises(HsiError, match="there already"):
        run(small_models, tmp_path / "m.npy", cpu)


def test_equal_trainings_make_maps_of_one_hash(small_models, tmp_path, cpu, scene, labels):
    other, quick = tmp_path / "again.safetensors", str(small_models / "quick.yaml")
    split = make_split(labels, "random:0.1", seed=0, window=9)
    train(make_classifier("svm"), scene, labels, split, other, compute=cpu, schedule=quick)
    tensors, described = load_tensors(other)
    save_tensors(other, tensors, described | {"seconds_train": 99.0})
    first = small_models / "svm.safetensors"
    assert sha256_file(other) != sha256_file(first)
    assert load_model(other).sha256 == load_model(first).sha256
    found = classify(scene, other, tmp_path / "m.npy", compute=cpu)
    assert json.loads(found.record.read_text())["model_sha256"] == load_model(first).sha256
    made_by(found.map, labels, first)  # takes one for the other


def test_a_name_that_ends_with_a_slash_is_a_folder(small_models, tmp_path, cpu):
    files = run(small_models, f"{tmp_path}/maps.npy/", cpu)
    assert files.map == tmp_path / "maps.npy" / "map.hdr"
    assert files.map.is_file()
