import logging

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.image_sets import catalogue, fetch, find, inventory


@pytest.fixture(autouse=True)
def _nothing_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "downloads", lambda: tmp_path / "downloads")
    monkeypatch.delenv(catalogue.VARIABLE, raising=False)


def fill(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        Image.new("L", (4, 3), index).save(folder / name)
    return folder


def test_embedded_sets_load_as_8_bit():
    shapes = {
        item.name: item.load().shape
        for name in ("embedded-train", "embedded-test")
        for item in find.image_set(name)
    }
    assert shapes["astronaut"] == (512, 512, 3)
    assert shapes["brick"] == (512, 512)
    assert shapes["ascent"] == shapes["aero"] == shapes["camera"] == (512, 512)
    assert len(shapes) == 15


def test_a_folder_gives_its_images_in_order_and_nothing_else(tmp_path):
    folder = fill(tmp_path / "mine", "b.png", "a.PNG", "c.bmp", ".hidden.png")
    (folder / "notes.txt").write_text("x")
    (folder / "d.png").mkdir()
    found = find.image_set(str(folder))
    assert [item.name for item in found] == ["a", "b", "c"]
    assert [item.load()[0, 0] for item in found] == [1, 0, 2]
    assert len(found) == 3


def test_equal_stems_keep_their_suffix(tmp_path):
    found = find.image_set(str(fill(tmp_path / "mine", "a.png", "a.bmp", "b.png")))
    assert [item.name for item in found] == ["a.bmp", "a.png", "b"]


def test_empty_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(RestoreError, match=r"expected images .* found none"):
        find.image_set(str(tmp_path))
    with pytest.raises(RestoreError, match="no such folder, and not one of embedded-train"):
        find.image_set("Set99")


def test_an_image_that_cannot_be_used_is_named(tmp_path):
    Image.fromarray(np.zeros((3, 3), np.float32)).save(tmp_path / "a.tif")
    (tmp_path / "b.png").write_bytes(b"")
    one, two = find.image_set(str(tmp_path))
    with pytest.raises(RestoreError, match=r"a\.tif: expected 8 or 16 bit"):
        one.load()
    with pytest.raises(RestoreError, match=r"b\.png: the file is empty"):
        two.load()


def test_data_root_comes_before_the_variable_and_before_downloads(tmp_path, monkeypatch):
    names = [f"{index}.png" for index in range(5)]
    for place in ("downloads", "variable", "root"):
        fill(tmp_path / place / "Set5", *names)
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path / "variable"))
    assert find.find("Set5", tmp_path / "root") == tmp_path / "root/Set5"
    assert find.find("Set5") == tmp_path / "variable/Set5"
    monkeypatch.delenv(catalogue.VARIABLE)
    assert find.image_set("Set5").items[0].path == tmp_path / "downloads/Set5/0.png"


def test_a_missing_set_is_not_fetched_where_that_is_not_wanted():
    with pytest.raises(RestoreError, match="Set5 is not here; fetch it, or set RESTORE_DATA"):
        find.image_set("Set5", fetch=False)


def test_an_incomplete_set_is_said(tmp_path, caplog):
    fill(tmp_path / "Set12", "01.png")
    with caplog.at_level(logging.WARNING):
        assert len(find.image_set("Set12", tmp_path)) == 1
    assert "Set12: expected 12 images, found 1" in caplog.text


def test_cbsd68_is_part_of_bsds500(tmp_path):
    fill(tmp_path / "BSDS500/val", "101085.png", "3096.png", "999.png")
    found = find.image_set("CBSD68", tmp_path)
    assert [item.name for item in found] == ["101085", "3096"]
    assert len(set(catalogue.PUBLISHED["CBSD68"].subset)) == 68


def test_description_names_size_origin_and_terms(tmp_path):
    fill(tmp_path / "Set5", "a.png")
    lines = {line.name: line for line in inventory.describe(tmp_path)}
    assert tuple(lines) == catalogue.names()
    assert lines["Set5"].state == "local"
    assert lines["BSD68"].state == "to be fetched"
    assert lines["Set14"].state == "to be copied"
    assert lines["embedded-test"].state == "embedded"
    assert lines["Train400"].images == 400
    assert 8 < lines["Train400"].megabytes < 10
    assert (lines["PolyU"].state, lines["PolyU"].images) == ("to be fetched", 100)
    assert "not to train on" in lines["PolyU"].terms
    assert all(line.terms for line in lines.values())


def test_every_published_set_has_its_sums():
    for name, known in catalogue.PUBLISHED.items():
        expected = {"Set14": 0, "CBSD68": 100, "PolyU": 200}.get(name, known.images)
        assert len(fetch.checksums(name)) == expected


@pytest.mark.reference
def test_the_real_sets_are_found_whole(shared_data, caplog):
    root = shared_data / "images"
    for name, known in catalogue.PUBLISHED.items():
        if name != "Set14":
            assert len(find.image_set(name, root, fetch=False)) == known.images
    assert "expected" not in caplog.text


@pytest.mark.reference
def test_cbsd68_shows_the_pictures_of_bsd68_in_their_order(shared_data):
    from restore.degradations.luma import grey

    root = shared_data / "images"
    subset = catalogue.PUBLISHED["CBSD68"].subset
    order = sorted(subset, key=subset.index)
    colour = {item.name: item for item in find.image_set("CBSD68", root)}
    for name, item in list(zip(order, find.image_set("BSD68", root), strict=True))[::9]:
        difference = grey(colour[name].load()).astype(int) - item.load()
        assert np.abs(difference).mean() < 1
