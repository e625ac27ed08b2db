import io

import numpy as np
import pytest
from PIL import Image

from restore.degradations import luma
from restore.degradations.luma import grey
from restore.errors import RestoreError
from restore.image_sets import catalogue, find
from restore.image_sets.overlap import _coarse, apart, overlap


def stored(folder, **pictures):
    folder.mkdir()
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return find.image_set(str(folder))


@pytest.fixture(scope="module")
def photographs():
    return {item.name: item.load() for item in find.image_set("embedded-train")}


def test_different_photographs_do_not_overlap():
    assert overlap(find.image_set("embedded-train"), [find.image_set("embedded-test")]) == []


def test_every_photograph_overlaps_itself_alone():
    train = find.image_set("embedded-train")
    expected = sorted((item.name, f"embedded-train/{item.name}") for item in train)
    assert sorted(overlap(train, [train])) == expected


def test_disguised_copies_are_found(photographs, tmp_path):
    coffee, china = photographs["coffee"], photographs["china"]
    buffer = io.BytesIO()
    Image.fromarray(china).save(buffer, "JPEG", quality=85)
    train = stored(
        tmp_path / "train",
        luma=luma.luma(coffee),
        grey=grey(coffee),
        crop=grey(coffee)[101:281, 203:383],
        darker=(coffee * 0.7).astype(np.uint8),
        jpeg=np.asarray(Image.open(buffer)),
        other=photographs["astronaut"],
    )
    test = stored(tmp_path / "test", coffee=coffee, china=china)
    assert sorted(overlap(train, [test])) == [
        ("crop", "test/coffee"),
        ("darker", "test/coffee"),
        ("grey", "test/coffee"),
        ("jpeg", "test/china"),
        ("luma", "test/coffee"),
    ]


def test_small_and_flat_images_are_compared_too(tmp_path):
    flat, tiny = np.full((40, 40), 9, np.uint8), np.eye(5, dtype=np.uint8) * 200
    train = stored(tmp_path / "train", flat=flat, tiny=tiny)
    test = stored(tmp_path / "test", flat=flat, tiny=tiny, lighter=flat + 1)
    assert sorted(overlap(train, [test])) == [("flat", "test/flat"), ("tiny", "test/tiny")]


def test_the_coarse_view_never_hides_a_copy(photographs):
    """Noise has hardly anything in the means of fields: there, too, copies stay near."""
    rng = np.random.default_rng(0)
    pictures = [grey(photographs["coffee"]).astype(np.float32), rng.normal(128, 30, (67, 101))]
    for picture in pictures:
        noise = rng.normal(0, picture.std() * 0.04, picture.shape)
        for other in (picture + noise, picture * 0.5 + 9 + noise / 2):
            correlation = np.corrcoef(picture.ravel(), other.ravel())[0, 1]
            apart_ = np.sum((_coarse(picture) - _coarse(other.astype(np.float32))) ** 2)
            assert 0.998 < correlation < 1
            assert apart_ <= 2 * (1 - correlation) + 1e-6
    first, second = (_coarse(pictures[i][:67, :101].astype(np.float32)) for i in (0, 1))
    assert ((first - second) ** 2).sum() > 0.1


@pytest.fixture
def leaking(photographs, tmp_path):
    """Training images, the second of which is cut from a test image."""
    crop = grey(photographs["coffee"])[101:281, 203:383]
    train = stored(tmp_path / "mine", astronaut=photographs["astronaut"], crop=crop)
    return train, stored(tmp_path / "theirs", coffee=photographs["coffee"])


def test_a_training_image_that_shows_a_test_image_is_refused(leaking):
    train, test = leaking
    expected = "training image mine/crop shows the same picture as theirs/coffee: .*`overlap` drop"
    with pytest.raises(RestoreError, match=expected):
        apart([train], [find.image_set("embedded-test"), test])


def test_or_left_out_and_named(leaking, caplog):
    train, test = leaking
    (kept,), left_out = apart([train], [test], "drop")
    assert [item.name for item in kept] == ["astronaut"]
    assert kept.name == "mine"
    assert left_out == ["mine/crop"]
    assert "mine/crop shows the same picture as theirs/coffee; it is left out" in caplog.text


def test_sets_without_overlap_stay_as_they_are(leaking):
    train, _ = leaking
    assert apart([train], [find.image_set("embedded-test")]) == ([train], [])
    assert apart([train], []) == ([train], [])


def test_nothing_left_to_train_on(leaking):
    _, test = leaking
    with pytest.raises(RestoreError, match="every training image shows"):
        apart([test], [test], "drop")
    with pytest.raises(RestoreError, match="overlap: expected refuse or drop, found 'keep'"):
        apart([test], [test], "keep")


@pytest.mark.reference
def test_the_starfish_of_set12_is_in_train400(shared_data):
    root = shared_data / "images"
    train = find.image_set("Train400", root)
    part = find.ImageSet("Train400", train.items[15:25])
    _, left_out = apart([part], [find.image_set("Set12", root)], "drop")
    assert left_out == ["Train400/test_020"]


@pytest.mark.reference
def test_bsd68_lies_in_the_validation_images_only(shared_data):
    root = shared_data / "images"
    few = find.ImageSet("few", find.image_set("BSD68", root).items[::17])
    same = catalogue.PUBLISHED["CBSD68"].subset[::17]
    others = find.image_set("BSDS500-val", root)
    wanted = [item for index, item in enumerate(others) if item.name in same or index % 10 == 0]
    found = overlap(find.ImageSet("validation", tuple(wanted)), [few])
    assert sorted(found) == sorted(zip(same, [f"few/{item.name}" for item in few], strict=True))
    train = find.ImageSet("part", find.image_set("Train400", root).items[::20])
    assert overlap(train, [few]) == []
