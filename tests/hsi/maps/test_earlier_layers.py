"""Rasters of an earlier map go with it, and are never taken for those of the new one."""

import json

import numpy as np
import pytest

from hsi.evaluation.certainty import layers_beside, score_layers
from hsi.maps.earlier import remove_earlier
from hsi.maps.join import join
from hsi.maps.options import MapOptions, Strip
from hsi.maps.outputs import outputs
from hsi.maps.record import read_record
from hsi.scenes.scene import open_scene
from hsi.splits.split import make_split
from tests.hsi.small_maps import run


@pytest.mark.parametrize("suffix", [".npy", ".hdr", ".tif"])
def test_rasters_that_are_not_made_anew_are_deleted(small_models, tmp_path, cpu, suffix):
    if suffix == ".tif":
        pytest.importorskip("rasterio")
    out = tmp_path / f"m{suffix}"
    found = run(small_models, out, cpu, confidence=True, margin=True, entropy=True)
    assert read_record(out)["layers"] == ["confidence", "entropy", "margin"]
    foreign = tmp_path / f"m_sets{suffix}"  # no map wrote it
    foreign.write_bytes(b"mine")
    run(small_models, out, cpu, "svm", overwrite=True)
    assert read_record(out)["layers"] == []
    for path in (found.confidence, found.entropy, found.margin):
        assert list(tmp_path.glob(f"{path.stem}*")) == []
    assert foreign.read_bytes() == b"mine"
    run(small_models, out, cpu, confidence=True, overwrite=True)
    run(small_models, out, cpu, confidence=True, abstain=0.5, overwrite=True)
    assert found.confidence.is_file()


def test_what_the_map_is_made_from_stays(small_models, tmp_path, cpu, scene):
    found = run(small_models, tmp_path / "m.npy", cpu, confidence=True, margin=True)
    files = outputs(tmp_path / "m.npy", scene)
    remove_earlier(files, MapOptions(), {found.confidence.resolve()})
    assert found.confidence.is_file()
    assert not found.margin.exists()
    found.record.write_text("{")
    remove_earlier(files, MapOptions(), set())
    assert found.confidence.is_file()


def test_only_rasters_that_the_record_names_are_scored(small_models, tmp_path, cpu, caplog):
    found = run(small_models, tmp_path / "m.npy", cpu, confidence=True)
    record = read_record(found.map)
    assert list(layers_beside(found.map, record)) == ["confidence"]
    assert caplog.text == ""
    for stated in ({**record, "layers": []}, {**record, "layers": None}, {}):
        assert layers_beside(found.map, stated) == {}
        assert "m_confidence.npy: not used: the record of m.npy" in caplog.text
        caplog.clear()


def test_records_of_earlier_versions_name_the_sets(tmp_path):
    np.save(tmp_path / "m.npy", np.ones((3, 3), np.uint8))
    np.save(tmp_path / "m_sets.npy", np.ones((3, 3, 2), np.uint8))
    assert list(layers_beside(tmp_path / "m.npy", {"sets": 0.9})) == ["sets"]
    assert layers_beside(tmp_path / "m.npy", {"sets": None}) == {}


def test_curves_of_earlier_scores_are_deleted(tmp_path, labels):
    split = make_split(labels, "random:0.5", window=3)
    right = np.ones(int(split.test.sum()), bool)
    sure = {"confidence": np.full(labels.ground_truth.shape, 0.9, np.float32)}
    score_layers(sure, right, labels, split, tmp_path, "forest")
    score_layers({}, right, labels, split, tmp_path, "svm")
    assert (tmp_path / "coverage.csv").is_file()  # no folder of scores: not ours to delete
    (tmp_path / "scores.json").write_text("{}")
    score_layers({}, right, labels, split, tmp_path, "svm")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]


def test_strips_join_only_what_their_records_name(small_models, tmp_path, cpu, caplog):
    scene = open_scene(small_models / "stripes.hdr")
    strips = [tmp_path / f"s{number}.npy" for number in (1, 2)]
    for number, path in enumerate(strips, 1):
        run(small_models, path, cpu, confidence=True, margin=True, strip=Strip(number, 2))
    weights, out = small_models / "cnn2d.safetensors", tmp_path / "joined.npy"
    join(scene, weights, strips, out)
    assert read_record(out)["layers"] == ["confidence", "margin"]
    record = tmp_path / "s2.json"
    stated = json.loads(record.read_text())
    record.write_text(json.dumps(stated | {"layers": ["margin"]}))
    join(scene, weights, strips, out, overwrite=True)
    assert read_record(out)["layers"] == ["margin"]
    assert not (tmp_path / "joined_confidence.npy").exists()
    assert "s2_confidence.npy: not used" in caplog.text
