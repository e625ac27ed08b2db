"""The record beside a map is read back; what is none is not taken for one."""

import json

import pytest

from hsi.errors import HsiError
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
