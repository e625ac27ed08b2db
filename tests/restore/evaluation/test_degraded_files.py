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


@pytest.mark.parametrize("text", ["noise:25", "jpeg:10", "bicubic:3"])
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


@pytest.mark.parametrize("text", ["noise:25", "jpeg:10", "bicubic:3"])
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
    Image.fromarray(ITEMS[0].image).save(tmp_path / "a.jpg")
    before = (tmp_path / "a.jpg").read_bytes()
    items = find.image_set(str(tmp_path)).items
    with pytest.raises(RestoreError, match=r"a\.jpg: is one of the images"):
        degraded_files.write_folder(items, tmp_path, degrade.parse("jpeg:10"), 0, overwrite=True)
    assert (tmp_path / "a.jpg").read_bytes() == before


def test_two_images_of_one_name_and_none_are_refused(tmp_path):
    with pytest.raises(RestoreError, match="two images are called grey"):
        degraded_files.write_folder([ITEMS[0]] * 2, tmp_path, degrade.parse("noise:5"), 0)
    with pytest.raises(RestoreError, match="found none"):
        degraded_files.write_folder([], tmp_path, degrade.parse("noise:5"), 0)


def test_an_image_that_cannot_be_degraded_is_named(tmp_path):
    with pytest.raises(RestoreError, match=r"set/grey\.png: a colour degradation was asked for"):
        degraded_files.write_folder(ITEMS[::-1], tmp_path, degrade.parse("noise:5"), 0, colour=True)
    assert not list(tmp_path.iterdir())  # the good image before it was not begun
