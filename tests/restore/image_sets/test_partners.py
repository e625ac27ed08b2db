"""Noisy images and their ground truth belong together by name, or a line says which do not."""

import re

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.image_sets import catalogue, fetch, find
from restore.image_sets.overlap import apart, overlap
from restore.image_sets.partners import SAME, Rule, rule_for


def fill(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        Image.new("L", (4, 3), index).save(folder / name)
    return folder


@pytest.mark.parametrize(
    ("noisy", "truth", "rule"),
    [
        (["a", "b"], ["a", "b"], "same"),
        (["a_noisy"], ["a_clean"], "_noisy=_clean"),
        (["a_noisy"], ["a_gt"], "_noisy=_gt"),
        (["plug_11_real"], ["plug_11_mean"], "_real=_mean"),
        (["1_NOISY_SRGB_010"], ["1_GT_SRGB_010"], "NOISY=GT"),
        (["a"], ["b"], "same"),  # the error names what is missing
    ],
)
def test_the_rule_is_found_from_the_names(noisy, truth, rule):
    found = rule_for(noisy, truth)
    assert str(found) == rule
    assert Rule.parse(rule) == found


def test_in_one_folder_the_same_names_mean_nothing():
    names = ["a_clean", "a_noisy"]
    assert rule_for(names, names) == SAME
    assert str(rule_for(names, names, together=True)) == "_noisy=_clean"


@pytest.mark.parametrize("names", ["", "x", "=", "a=", "=b", "a=a"])
def test_another_form_is_refused(names):
    with pytest.raises(RestoreError, match=re.escape(f"`names` {names}: expected auto, same or")):
        rule_for(["a"], ["a"], names)


def test_folders_are_paired_whatever_their_suffixes(tmp_path):
    noisy = fill(tmp_path / "shots/noisy", "b.JPG", "a.jpg")
    truth = fill(tmp_path / "shots/mean", "a.png", "b.png")
    found = find.paired(noisy, truth)
    assert found.name == "noisy"
    assert [item.name for item in found] == [item.name for item in found.noisy] == ["a", "b"]
    assert [item.path.parent for item in (found.items[0], found.noisy[0])] == [truth, noisy]
    assert find.paired(noisy, truth, "same", "night").name == "night"


def test_one_folder_may_hold_both(tmp_path):
    folder = fill(tmp_path / "both", "x_1_noisy.png", "x_1_clean.png", "x_11_noisy.png",
                  "x_11_clean.png", "sheet.png")  # fmt: skip
    found = find.paired(folder, folder)
    assert [item.name for item in found] == ["x_1", "x_11"]
    assert [item.path.name for item in found.noisy] == ["x_1_noisy.png", "x_11_noisy.png"]


def test_missing_partners_are_named(tmp_path):
    noisy = fill(tmp_path / "noisy", "a.png", "b.png", "c.png")
    truth = fill(tmp_path / "truth", "a.png")
    expected = r"noisy/b\.png: expected a ground truth that belongs to it.*\(2 of 3 have none\)"
    with pytest.raises(RestoreError, match=expected):
        find.paired(noisy, truth)
    expected = r"noisy/b\.png: expected a noisy image that belongs to it.*\(2 of 3 have none\)"
    with pytest.raises(RestoreError, match=expected):
        find.paired(truth, noisy)
    with pytest.raises(RestoreError, match=r"noisy/a\.png: expected a ground truth.*3 of 3"):
        find.paired(noisy, truth, "_noisy=_clean")


@pytest.mark.parametrize("how", ["same path", "another path", "link"])
def test_a_truth_folder_that_is_the_noisy_one_is_refused(tmp_path, how):
    noisy = truth = fill(tmp_path / "noisy", "a.png")
    if how == "another path":
        truth = noisy / ".." / "noisy"
    elif how == "link":
        truth = tmp_path / "truth"
        truth.symlink_to(noisy)
    with pytest.raises(RestoreError, match="is the folder of the noisy images; name that of"):
        find.paired(noisy, truth)


def test_a_missing_folder_is_named_by_its_argument(tmp_path):
    noisy = fill(tmp_path / "noisy", "a.png")
    with pytest.raises(RestoreError, match=r"`truth` .*none: expected a folder of images"):
        find.paired(noisy, tmp_path / "none")
    with pytest.raises(RestoreError, match=r"`images` .*none: expected a folder of images"):
        find.paired(tmp_path / "none", noisy)


def test_polyu_is_found_in_both_of_its_layouts(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv(catalogue.VARIABLE, raising=False)
    monkeypatch.setattr(fetch, "downloads", lambda: tmp_path / "downloads")
    fill(tmp_path / "downloads/PolyU", "x_1_real.JPG", "x_1_mean.JPG")
    fill(tmp_path / "data/PolyU/noisy", "x_1.JPG")
    fill(tmp_path / "data/PolyU/mean", "x_1.JPG")
    fetched, kept = find.image_set("PolyU"), find.image_set("PolyU", tmp_path / "data")
    assert [item.name for item in fetched] == [item.name for item in kept] == ["x_1"]
    assert fetched.noisy[0].path.name == "x_1_real.JPG"
    assert kept.noisy[0].path == tmp_path / "data/PolyU/noisy/x_1.JPG"
    assert "PolyU: expected 100 images, found 1" in caplog.text


def test_pairs_are_never_trained_on_and_both_images_count_as_test_images(tmp_path):
    camera, coins = (item.load() for item in find.image_set("embedded-test").items[:2])
    for name, pixels in (("noisy", coins), ("truth", camera)):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "a.png")
    pairs = find.paired(tmp_path / "noisy", tmp_path / "truth", name="night")
    with pytest.raises(RestoreError, match="night: its pairs are to judge by, not to train on"):
        apart([pairs], [])
    train = tmp_path / "train"
    train.mkdir()
    Image.fromarray(coins[20:200, 30:230]).save(train / "of_noisy.png")
    Image.fromarray(camera[100:300, 90:300]).save(train / "of_truth.png")
    Image.fromarray(np.arange(40 * 40, dtype=np.uint8).reshape(40, 40)).save(train / "other.png")
    found = overlap(find.image_set(train), [pairs])
    assert sorted(found) == [("of_noisy", "night/a"), ("of_truth", "night/a")]


@pytest.mark.reference
def test_the_real_files_are_those_of_the_checksums(shared_data):
    from engine.artifacts import sha256_file

    known = {entry.file: entry.sha256 for entry in fetch.checksums("PolyU")}
    found = find.image_set("PolyU", shared_data / "images")
    for items, ending in ((found.noisy, "_real.JPG"), (found.items, "_mean.JPG")):
        assert {
            item.name + ending: sha256_file(item.path) for item in items
        }.items() <= known.items()
    assert len(known) == 200
