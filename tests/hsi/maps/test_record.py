"""The record beside a map is read back; what is none is not taken for one."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.maps.classify import classify
from hsi.maps.record import read_record, read_strip_record
from tests.hsi.small_maps import run


def test_a_record_is_read_back(small_models, tmp_path, cpu):
    found = run(small_models, tmp_path / "m.npy", cpu, "svm")
    record = read_record(found.map)
    assert (record["classifier"], record["scene"]) == ("svm", "stripes")
    with pytest.raises(HsiError, match=r"m\.npy: expected a map of hsi classify --strip"):
        read_strip_record(found.map)


def test_other_files_are_no_record(tmp_path, caplog):
    assert read_record(tmp_path / "m.npy") == {}
    with pytest.raises(HsiError, match=r"m\.json: expected the record of a strip"):
        read_strip_record(tmp_path / "m.npy")
    (tmp_path / "m.json").write_text(json.dumps([1]))
    assert read_record(tmp_path / "m.npy") == {}
    assert "no record of hsi classify" in caplog.text
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(HsiError, match=r"m\.json: expected the record of hsi classify"):
        read_record(tmp_path / "m.npy")


@pytest.mark.parametrize("bands", [[4, 5], slice(None)])
def test_a_map_of_nothing_is_refused_where_bands_are_to_blame(
    small_models, tmp_path, cpu, scene, bands, caplog
):
    cube = scene.cube.astype(np.int32)
    cube[..., bands] = -9999
    holed = replace(scene, cube=cube, ignore_value=-9999)
    out = tmp_path / "m.npy"
    if isinstance(bands, list):
        with pytest.raises(HsiError, match=r"in 2 of 16 bands \(5, 6, counted from 1\)"):
            classify(holed, small_models / "svm.safetensors", out, compute=cpu)
        assert not out.exists()
    else:  # no band is to blame: a map of zeros, and it is said
        classify(holed, small_models / "svm.safetensors", out, compute=cpu)
        assert not np.load(out).any()
        assert "810 pixels hold no data: 0 in the map" in caplog.text
