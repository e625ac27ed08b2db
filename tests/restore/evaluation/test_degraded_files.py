import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restore.degradations import degradation as degrade
from restore.errors import RestoreError
from restore.evaluation import degraded_files, pairs
from restore.image_sets import find

RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Item:
    name: str
    image: np.ndarray

    @property
    def path(self):
        return Path("set") / f"{self.name}.png"

    def load(self):
        return self.image


ITEMS = [
    Item("grey", RNG.integers(0, 256, (25, 30), dtype=np.uint8)),
    Item("colour ü", RNG.integers(0, 256, (26, 31, 3), dtype=np.uint8)),
]


@pytest.mark.parametrize("text", ["noise:25", "jpeg:10", "bicubic:3", "camera:1600"])
def test_files_give_exactly_the_pair_of_memory(text, tmp_path):
    degradation = degrade.parse(text)
    done = []
    degraded_files.write_folder(ITEMS, tmp_path, degradation, 5, advance=lambda: done.append(1))
    assert len(done) == 2
    for item in ITEMS:
        expected = pairs.pair(item.image, degradation, seed=5, name=item.name)
        found = degraded_files.read_observed(tmp_path, item.name, item.image, degradation)
        assert np.array_equal(found.target, expected.target)
        assert np.array_equal(found.observed, expected.observed)
        assert (found.border, found.quantised) == (expected.border, expected.quantised)


@pytest.mark.parametrize("text", ["noise:25", "jpeg:10", "bicubic:3", "camera:1600"])
def test_in_colour_too(text, tmp_path):
    degradation = degrade.parse(text)
    degraded_files.write_folder(ITEMS[1:], tmp_path, degradation, 0, colour=True)
    image = ITEMS[1].image
    expected = pairs.pair(image, degradation, seed=0, name="colour ü", colour=True)
    found = degraded_files.read_observed(tmp_path, "colour ü", image, degradation, colour=True)
    assert np.array_equal(found.observed, expected.observed)


def test_manifest_names_what_was_made(tmp_path):
    path = degraded_files.write_folder(ITEMS, tmp_path, degrade.parse("jpeg:10"), 0)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content == degraded_files.manifest(tmp_path)
    assert content["degradation"] == "jpeg:10"
    assert content["files"]["grey"]["file"] == "grey.jpg"
    assert {file.name for file in tmp_path.iterdir()} == {
        "degraded.json",
        "grey.jpg",
        "colour ü.jpg",
    }


def test_another_degradation_source_or_file_is_refused(tmp_path):
    jpeg10 = degrade.parse("jpeg:10")
    degraded_files.write_folder(ITEMS, tmp_path, jpeg10, 0)
    image = ITEMS[0].image
    with pytest.raises(RestoreError, match="expected jpeg:20 with colour False, found jpeg:10"):
        degraded_files.read_observed(tmp_path, "grey", image, degrade.parse("jpeg:20"))
    with pytest.raises(RestoreError, match="no image other"):
        degraded_files.read_observed(tmp_path, "other", image, jpeg10)
    with pytest.raises(RestoreError, match="made of another image"):
        degraded_files.read_observed(tmp_path, "grey", 255 - image, jpeg10)
    (tmp_path / "grey.jpg").write_bytes(b"")
    with pytest.raises(RestoreError, match="missing or changed"):
        degraded_files.read_observed(tmp_path, "grey", image, jpeg10)


def test_missing_or_foreign_manifest_is_refused(tmp_path):
    with pytest.raises(RestoreError, match="no such file; make it with restore degrade"):
        degraded_files.manifest(tmp_path)
    for text in ("[]", "{}", "not json"):
        (tmp_path / "degraded.json").write_text(text)
        with pytest.raises(RestoreError, match="not a manifest"):
            degraded_files.manifest(tmp_path)


def test_nothing_is_replaced_that_was_not_made(tmp_path):
    noise = degrade.parse("noise:25")
    (tmp_path / "grey.tif").write_bytes(b"mine")
    with pytest.raises(RestoreError, match=r"grey\.tif: exists, and was not made"):
        degraded_files.write_folder(ITEMS, tmp_path, noise, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["grey.tif"]
    assert (tmp_path / "grey.tif").read_bytes() == b"mine"
    degraded_files.write_folder(ITEMS, tmp_path, noise, 0, overwrite=True)
    degraded_files.write_folder(ITEMS, tmp_path, noise, 1)  # its own


def test_images_are_never_replaced_by_themselves(tmp_path):
    folder, elsewhere = tmp_path / "set", tmp_path / "out"
    folder.mkdir()
    elsewhere.mkdir()
    Image.fromarray(ITEMS[0].image).save(folder / "a.jpg")
    before = (folder / "a.jpg").read_bytes()
    (elsewhere / "a.jpg").symlink_to(folder / "a.jpg")
    items = find.image_set(str(folder)).items
    with pytest.raises(RestoreError, match=r"a\.jpg: is one of the images"):
        degraded_files.write_folder(items, elsewhere, degrade.parse("jpeg:10"), 0, overwrite=True)
    assert (folder / "a.jpg").read_bytes() == before


@pytest.mark.parametrize("degradation", ["jpeg:10", "noise:25", "bicubic:2"])
def test_a_set_does_not_take_in_what_was_made_of_it(tmp_path, degradation):
    Image.fromarray(ITEMS[0].image).save(tmp_path / "a.png")
    (tmp_path / "link").symlink_to(tmp_path)
    items = find.image_set(str(tmp_path)).items
    for out in (tmp_path, tmp_path / "link"):
        with pytest.raises(RestoreError, match="holds the images, to whose set what is written"):
            degraded_files.write_folder(items, out, degrade.parse(degradation), 0, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "link"}


def test_two_images_of_one_name_and_none_are_refused(tmp_path):
    with pytest.raises(RestoreError, match="two images are called grey"):
        degraded_files.write_folder([ITEMS[0]] * 2, tmp_path, degrade.parse("noise:5"), 0)
    with pytest.raises(RestoreError, match="found none"):
        degraded_files.write_folder([], tmp_path, degrade.parse("noise:5"), 0)


def test_an_image_that_cannot_be_degraded_is_named(tmp_path):
    with pytest.raises(RestoreError, match=r"set/grey\.png: a colour degradation was asked for"):
        degraded_files.write_folder(ITEMS[::-1], tmp_path, degrade.parse("noise:5"), 0, colour=True)
    assert not list(tmp_path.iterdir())  # the good image before it was not begun


def test_a_stopped_call_goes_on_and_does_nothing_twice(tmp_path, monkeypatch):
    noise, out = degrade.parse("noise:25"), tmp_path / "out"
    whole = degraded_files.write_folder(ITEMS, tmp_path / "whole", noise, 0)
    made = []
    write = degraded_files._write

    def stopping(path, *rest, **more):
        made.append(path.name)
        if len(made) == 2:
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        write(path, *rest, **more)

    monkeypatch.setattr(degraded_files, "_write", stopping)
    with pytest.raises(KeyboardInterrupt):
        degraded_files.write_folder(ITEMS, out, noise, 0)
    with (out / degraded_files.JOURNAL).open("a") as journal:
        journal.write('{"file": "grey')  # a kill in the middle of a line
    manifest = degraded_files.write_folder(ITEMS, out, noise, 0)
    assert made == ["grey.tif", "colour ü.tif", "colour ü.tif"]
    assert manifest.read_bytes() == whole.read_bytes()
    names = {"grey.tif", "colour ü.tif", degraded_files.MANIFEST}
    assert {path.name for path in out.iterdir()} == names
    for name in names:
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_after_a_stop_foreign_files_are_protected_and_other_settings_begin_anew(
    tmp_path, monkeypatch
):
    noise = degrade.parse("noise:25")
    with monkeypatch.context() as patch:
        patch.setattr(degraded_files, "_write", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            degraded_files.write_folder(ITEMS, tmp_path, noise, 0)
    (tmp_path / "extra.tif").write_bytes(b"mine")
    more = [*ITEMS, Item("extra", ITEMS[0].image)]
    with pytest.raises(RestoreError, match=r"extra\.tif: exists, and was not made"):
        degraded_files.write_folder(more, tmp_path, noise, 0)
    assert (tmp_path / "extra.tif").read_bytes() == b"mine"
    degraded_files.write_folder(ITEMS, tmp_path, noise, 5)
    assert degraded_files.manifest(tmp_path)["seed"] == 5


def test_what_another_call_made_is_not_left_beside(tmp_path):
    small, noise = degrade.parse("bicubic:3"), degrade.parse("noise:25")
    degraded_files.write_folder(ITEMS, tmp_path, small, 0)
    with pytest.raises(RestoreError, match=r"made colour ü\.png of bicubic:3 there, .*`overwrite`"):
        degraded_files.write_folder(ITEMS, tmp_path, noise, 0)
    assert degraded_files.manifest(tmp_path)["degradation"] == "bicubic:3"
    (tmp_path / "mine.png").write_bytes(b"mine")
    degraded_files.write_folder(ITEMS, tmp_path, noise, 0, overwrite=True)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"grey.tif", "colour ü.tif", "mine.png", degraded_files.MANIFEST}


def test_depth_and_alpha_that_are_left_out_are_said(tmp_path, caplog):
    deep = np.full((30, 30), 40_000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(np.full((30, 30, 4), 90, np.uint8), "RGBA").save(tmp_path / "veil.png")
    items = find.image_set(str(tmp_path)).items
    degraded_files.write_folder(items, tmp_path / "out", degrade.parse("noise:25"), 0)
    assert "deep.png: more than 8 bits left out, as in all tests (and likewise of 1 more)" in (
        caplog.text
    )
