"""Strips of a scene make up the map of the whole, and nothing else passes for it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.tiling import Tiling
from hsi.classifiers.model import make_classifier
from hsi.classifiers.train import train
from hsi.errors import HsiError
from hsi.formats.registry import read
from hsi.maps.classify import classify
from hsi.maps.join import join
from hsi.maps.options import MapOptions, Strip
from hsi.scenes.scene import open_scene, write_scene
from hsi.splits.split import make_split

PLACE = {"map info": ["UTM", "1", "1", "500000", "4480000", "20", "20", "16", "North"]}


@pytest.fixture(scope="module")
def files(tmp_path_factory, scene, labels, cpu):
    folder = tmp_path_factory.mktemp("strips")
    write_scene(folder / "stripes.hdr", replace(scene, georeference=PLACE))
    (folder / "quick.yaml").write_text("steps: 12\nbatch_size: 16\nlearning_rate: 0.005\n")
    split = make_split(labels, "random:0.1", seed=0, window=9)
    network = {"window": 9, "components": 5, "settings": {"hidden": "8,6", "dropout": "0"}}
    for name, how in (("cnn2d", network), ("boxmean-svm", {})):
        train(
            make_classifier(name, **how), scene, labels, split, folder / f"{name}.safetensors",
            compute=cpu, schedule=str(folder / "quick.yaml"),
        )  # fmt: skip
    return folder


def mapped(files, folder, cpu, count, model="cnn2d", **options):
    scene, paths = open_scene(files / "stripes.hdr"), []
    for number in range(1, count + 1):
        path = folder / f"s{number}.npy"
        how = MapOptions(strip=Strip(number, count), **options)
        classify(scene, files / f"{model}.safetensors", path, how, compute=cpu)
        paths.append(path)
    return scene, paths


@pytest.mark.parametrize(("model", "shares"), [("cnn2d", True), ("boxmean-svm", False)])
def test_joined_strips_are_the_map_of_a_single_run(files, tmp_path, cpu, model, shares):
    options = {"probabilities": shares, "confidence": shares, "block": 7}
    scene, strips = mapped(files, tmp_path, cpu, 4, model, **options)
    weights = files / f"{model}.safetensors"
    whole = classify(scene, weights, tmp_path / "whole.hdr", MapOptions(**options), compute=cpu)
    found = join(scene, weights, strips[::-1], tmp_path / "joined.hdr")
    assert np.array_equal(read(found, "labels").array, read(whole.map, "labels").array)
    if shares:
        for name in ("probabilities", "confidence"):
            one, two = (
                np.asarray(read(tmp_path / f"{stem}_{name}.hdr", "cube").array)
                for stem in ("joined", "whole")
            )
            assert np.abs(one - two).max() < 1e-5
    one, two = (json.loads(path.with_suffix(".json").read_text()) for path in (found, whole.map))
    assert one["pixels"] == two["pixels"]
    assert one["strips"] == 4
    assert "map info" in found.read_text()
    assert found.with_suffix(".png").is_file()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_rows_that_are_missing_or_there_twice_are_named(files, tmp_path, cpu):
    scene, strips = mapped(files, tmp_path, cpu, 3)
    weights = files / "cnn2d.safetensors"
    with pytest.raises(HsiError, match="rows 10 to 19 are missing"):
        join(scene, weights, [strips[0], strips[2]], tmp_path / "joined.npy")
    with pytest.raises(HsiError, match="rows 20 to 29 are missing"):
        join(scene, weights, strips[:2], tmp_path / "joined.npy")
    with pytest.raises(HsiError, match="rows 0 to 9 are there twice"):
        join(scene, weights, [strips[0], *strips], tmp_path / "joined.npy")
    assert not (tmp_path / "joined.npy").exists()


def test_strips_of_something_else_are_refused(files, tmp_path, cpu):
    scene, strips = mapped(files, tmp_path, cpu, 2)
    other = files / "boxmean-svm.safetensors"
    with pytest.raises(HsiError, match=r"s1\.npy: made by another model"):
        join(scene, other, strips, tmp_path / "joined.npy")
    weights = files / "cnn2d.safetensors"
    with pytest.raises(HsiError, match="expected strips of elsewhere, found stripes"):
        join(replace(scene, name="elsewhere"), weights, strips, tmp_path / "joined.npy")
    join(scene, weights, strips, tmp_path / "joined.npy")
    with pytest.raises(HsiError, match="expected a map of hsi classify --strip"):
        join(scene, weights, [tmp_path / "joined.npy"], tmp_path / "again.npy")
    with pytest.raises(HsiError, match=r"joined\.npy, .* there already; add `overwrite`"):
        join(scene, weights, strips, tmp_path / "joined.npy")
    join(scene, weights, strips, tmp_path / "joined.npy", overwrite=True)
    with pytest.raises(HsiError, match=r"expected a strip's name to end with \.npy"):
        classify(scene, weights, tmp_path / "s.hdr", MapOptions(strip=Strip(1, 2)), compute=cpu)


def test_strips_of_another_scene_of_that_name_are_refused(files, tmp_path, cpu, caplog):
    scene, strips = mapped(files, tmp_path, cpu, 2, "boxmean-svm")
    weights = files / "boxmean-svm.safetensors"
    for name, change in (("mount", 0), ("other", 1)):
        (tmp_path / name).mkdir()
        there = tmp_path / name / "stripes.hdr"
        write_scene(there, replace(scene, cube=np.asarray(scene.cube[:]) + change))
        how = MapOptions(strip=Strip(2, 2))
        classify(open_scene(there), weights, tmp_path / name / "s2.npy", how, compute=cpu)
    other = tmp_path / "other/s2.npy"
    with pytest.raises(HsiError, match=r"other/s2\.npy: expected a strip of .*stripes\.hdr, found"):
        join(scene, weights, [strips[0], other], tmp_path / "joined.npy")
    with pytest.raises(HsiError, match=r"s1\.npy: expected a strip of .*other/stripes\.hdr"):
        join(open_scene(tmp_path / "other/stripes.hdr"), weights, strips, tmp_path / "joined.npy")
    # The same scene, mounted elsewhere by another machine.
    join(scene, weights, [strips[0], tmp_path / "mount/s2.npy"], tmp_path / "joined.npy")
    assert "one scene" not in caplog.text
    record = other.with_suffix(".json")
    stated = json.loads(record.read_text())
    del stated["sample_sha256"]  # as earlier versions wrote it
    record.write_text(json.dumps(stated))
    join(scene, weights, [strips[0], other], tmp_path / "joined.npy", overwrite=True)
    assert "do not say whether these are one scene" in caplog.text


def test_strips_cover_all_rows_once():
    for height, count in ((30, 4), (7, 7), (101, 10)):
        rows = [Strip(number, count).rows(height) for number in range(1, count + 1)]
        assert [r for s in rows for r in range(s.start, s.stop)] == list(range(height))
    with pytest.raises(HsiError, match="expected at most 3 strips"):
        Strip(1, 4).rows(3)
    assert Strip.parse("3/10") == Strip(3, 10)
    for text in ("0/3", "4/3", "3", "a/b"):
        with pytest.raises(HsiError, match=f"`strip` {text}: expected K/N"):
            Strip.parse(text)


def test_halo_of_a_strip_reaches_into_its_neighbours():
    tiling = Tiling((30, 8), (4, 8), 3, slice(10, 20))
    assert len(tiling) == 3
    assert tiling.pixels == 80
    first, *_, last = tiling
    assert (first.rows, first.around[0], first.beyond[0]) == (slice(10, 14), slice(7, 17), (0, 0))
    assert (last.rows, last.around[0]) == (slice(18, 20), slice(15, 23))
