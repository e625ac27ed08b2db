import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.labels import make_labels, open_labels
from hsi.splits.masks import LABELS_OF, MASKS
from hsi.splits.split import load_split, make_split


@pytest.fixture(scope="module")
def pines():
    return open_labels("IndianPines")


def test_mask_file_gives_both_sides(tmp_path, labels):
    train = np.zeros(labels.ground_truth.shape, np.uint8)
    train[:15] = 1
    path = tmp_path / "dase.npz"
    np.savez(path, train=train, test=1 - train)
    split = make_split(labels, f"mask:{path}")
    assert split.how == "mask:dase"
    assert np.array_equal(split.train, (train > 0) & (labels.ground_truth > 0))
    np.savez(path, a=train, b=1 - train)
    named = make_split(labels, f"mask:{path}:a,b", name="mask:mine")
    assert named.how == "mask:mine"
    assert np.array_equal(named.test, split.test)
    with pytest.raises(HsiError, match="expected the masks train and test or train_disjoint"):
        make_split(labels, f"mask:{path}")
    rest = make_split(labels, f"mask:{path}:a")  # the training side alone
    np.save(tmp_path / "plane.npy", train)
    for alone in (rest, make_split(labels, f"mask:{tmp_path / 'plane.npy'}")):
        assert np.array_equal(alone.train, split.train)
        assert np.array_equal(alone.test, split.test)


def test_overlapping_mask_is_refused(tmp_path, labels):
    ones = np.ones(labels.ground_truth.shape, np.uint8)
    np.savez(tmp_path / "m.npz", train=ones, test=ones)
    with pytest.raises(
        HsiError, match=r"m\.npz:train and .*m.npz:test: 810 pixels are in both, expected none"
    ):
        make_split(labels, f"mask:{tmp_path / 'm.npz'}")


def test_mask_may_count_classes_in_another_order(tmp_path, labels, caplog):
    remapped = np.select([labels.ground_truth == c for c in (1, 2, 7)], [3, 1, 2])
    train = np.zeros_like(remapped)
    train[:15] = remapped[:15]
    train[3, 3] = 1  # of class 1 in the labels, where 1 is their class 2
    train[0, 0] = 2  # unlabelled
    np.savez(tmp_path / "m.npz", train=train, test=remapped * (train == 0))
    with caplog.at_level("INFO"):
        split = make_split(labels, f"mask:{tmp_path / 'm.npz'}")
    assert split.report["class_order"] == {"1": 2, "2": 7, "3": 1}
    assert split.report["other_class_in_mask"] == 1
    assert split.report["unlabelled_in_mask"] == 1
    assert "in another order: 1 is 2, 2 is 7, 3 is 1" in caplog.text
    assert np.array_equal(split.train | split.test, labels.ground_truth > 0)


@pytest.mark.parametrize("side", ["train on", "test"])
def test_one_sided_mask_is_refused(tmp_path, labels, side):
    ones = np.ones(labels.ground_truth.shape, np.uint8)
    masks = {"train": ones, "test": 0 * ones}
    if side == "train on":
        masks = {"train": 0 * ones, "test": ones}
    np.savez(tmp_path / "m.npz", **masks)
    with pytest.raises(HsiError, match=f"to train on and to test, found none to {side}"):
        make_split(labels, f"mask:{tmp_path / 'm.npz'}")


def test_mask_with_nan_is_refused(tmp_path, labels):
    train = np.zeros(labels.ground_truth.shape)
    train[0, 0] = np.nan
    np.savez(tmp_path / "m.npz", train=train, test=train)
    with pytest.raises(HsiError, match="train: expected 0 where a pixel does not belong"):
        make_split(labels, f"mask:{tmp_path / 'm.npz'}")


def own_mask(labels):
    """A mask in another order of classes: one pixel of another class, one unlabelled pixel."""
    remapped = np.select([labels.ground_truth == c for c in (1, 2, 7)], [3, 1, 2])
    train = np.zeros_like(remapped)
    train[:15] = remapped[:15]
    train[3, 3], train[0, 0] = 1, 2
    return train, remapped * (train == 0)


def test_mask_may_bring_its_own_classes(tmp_path, labels):
    train, test = own_mask(labels)
    np.savez(tmp_path / "m.npz", train=train, test=test)
    split = make_split(labels, f"mask:{tmp_path / 'm.npz'}", labels_of="mask")
    split.save(tmp_path / "split.npz")
    split = load_split(tmp_path / "split.npz")
    assert split.report["labels_of"] == "mask"
    assert np.array_equal(split.train, train > 0)  # the unlabelled pixel, too
    own = split.own_labels(labels)
    assert (labels.ground_truth[3, 3], own.ground_truth[3, 3], own.ground_truth[0, 0]) == (1, 2, 7)
    changed = np.argwhere(own.ground_truth != labels.ground_truth).tolist()
    assert changed == [[0, 0], [3, 3]]
    assert own.class_names == labels.class_names
    assert split.report["train_pixels"]["7"] == int((own.ground_truth[:15] == 7).sum())
    assert split.own_labels(own) is own
    usual = make_split(labels, f"mask:{tmp_path / 'm.npz'}")
    assert usual.own_labels(labels) is labels
    for made in (split, usual):
        assert made.report["unlabelled_in_mask"] == made.report["unlabelled_in_train"] == 1
        assert made.report["other_class_in_mask"] == 1


def test_mask_of_two_files(tmp_path, labels):
    train, test = own_mask(labels)
    np.save(tmp_path / "TR.npy", train)
    np.savez(tmp_path / "TS.npz", TSLabel=test)
    for side in ("TS.npz", "TS.npz:TSLabel"):
        split = make_split(labels, f"mask:{tmp_path / 'TR.npy'},{tmp_path / side}")
        assert split.how == "mask:TR"
        assert np.array_equal(split.test, (test > 0) & (labels.ground_truth > 0))
    with pytest.raises(HsiError, match=r"none\.npy: no such file"):
        make_split(labels, f"mask:{tmp_path / 'TR.npy'},{tmp_path / 'none.npy'}")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda m: (m > 0).astype(int), "expected class numbers for `labels_of` mask, found one"),
        (lambda m: np.where(m == 3, 3 + (np.arange(27) % 2), m), "found 3 and 4 to be mostly its"),
    ],
)
def test_own_classes_that_cannot_be_matched_are_refused(tmp_path, labels, changed, message):
    train, test = own_mask(labels)
    np.savez(tmp_path / "m.npz", train=changed(train), test=changed(test))
    with pytest.raises(HsiError, match=message):
        make_split(labels, f"mask:{tmp_path / 'm.npz'}", labels_of="mask")


def test_class_of_a_mask_outside_the_ground_truth_is_refused(tmp_path, labels):
    train, test = own_mask(labels)
    train[0] = 5
    np.savez(tmp_path / "m.npz", train=train, test=test)
    with pytest.raises(HsiError, match="found none in its class 5; leave out `labels_of`"):
        make_split(labels, f"mask:{tmp_path / 'm.npz'}", labels_of="mask")


def test_labels_of_is_for_masks(labels):
    with pytest.raises(
        HsiError, match=r"expected `how` mask:FILE, found random:0\.1; leave it out"
    ):
        make_split(labels, "random:0.1", labels_of="mask")
    with pytest.raises(HsiError, match="`labels_of` map: expected ground-truth or mask"):
        make_split(labels, "random:0.1", labels_of="map")


def houston():
    """Two rasters with the published pixels of each class, as the masks of Houston 2013."""
    sides = np.zeros((2, 349 * 1905), np.uint8)
    start = 0
    for side, wanted in zip(sides, MASKS["houston2013"], strict=True):
        for number, count in enumerate(wanted, start=1):
            side[start : start + count] = number
            start += count
    return sides.reshape(2, 349, 1905)


def test_houston_2013_has_the_published_pixels(tmp_path):
    train, test = houston()
    for name, side in (("TR", train), ("TS", test)):
        np.save(tmp_path / f"{name}.npy", side)
    both = make_labels("Houston", train + test)
    how = f"houston2013:{tmp_path / 'TR.npy'},{tmp_path / 'TS.npy'}"
    split = make_split(both, how)
    assert (split.how, split.train.sum(), split.test.sum()) == ("houston2013", 2832, 12197)
    # The training raster alone as labels: the mask brings the classes of the test pixels.
    alone = make_split(make_labels("TR", train), how, labels_of="mask")
    assert np.array_equal(alone.own_labels(make_labels("TR", train)).ground_truth, train + test)
    swapped = f"houston2013:{tmp_path / 'TS.npy'},{tmp_path / 'TR.npy'}"
    with pytest.raises(
        HsiError, match=r"TS\.npy: expected the 2,832 pixels of houston2013, found 12,"
    ):
        make_split(both, swapped)
    train[train == 15], train[0, 0] = 14, 15
    np.save(tmp_path / "TR.npy", train)
    with pytest.raises(HsiError, match=r"TR\.npy: expected 198 pixels of class 1 as published"):
        make_split(both, how)
    with pytest.raises(HsiError, match=r"expected both sides, houston2013:TRAIN\.mat,TEST\.mat"):
        make_split(both, f"houston2013:{tmp_path / 'TR.npy'}")


@pytest.mark.reference
def test_published_masks_with_their_own_classes(pines, shared_data):
    scenes = shared_data / "scenes"
    published = scenes / "mhaut_indianpines_disjoint_dset.mat"
    usual, own = (make_split(pines, f"mask:{published}", labels_of=whose) for whose in LABELS_OF)
    assert own.train.sum() == usual.train.sum() + 151
    assert (usual.report["train_pixels"]["7"], usual.report["test_pixels"]["7"]) == (26, 2)
    assert own.report["train_pixels"]["7"] == 16
    pavia = open_labels(scenes / "PaviaU_gt.mat")
    how = f"mask:{scenes / 'mhaut_TRpavia_fixed.mat'},{scenes / 'mhaut_TSpavia_fixed.mat'}"
    usual, own = (make_split(pavia, how, labels_of=whose) for whose in LABELS_OF)
    assert (usual.train.sum(), own.train.sum()) == (3921 - 1147, 3921)
    assert usual.report["unlabelled_in_train"] == own.report["unlabelled_in_train"] == 1147
    assert usual.test.sum() == own.test.sum() == 40002


@pytest.mark.reference
def test_dase_mask_has_the_published_counts(pines, shared_data):
    split = make_split(pines, f"mask:{shared_data / 'scenes' / 'IndianPines.npz'}")
    assert (split.train.sum(), split.test.sum()) == (5538, 4711)
    published = "mhaut_indianpines_disjoint_dset.mat"  # training side, classes in another order
    same = make_split(pines, f"mask:{shared_data / 'scenes' / published}")
    assert np.array_equal(same.train, split.train)
    assert np.array_equal(same.test, split.test)
    assert same.report["unlabelled_in_mask"] == 151
    assert same.report["other_class_in_mask"] == 10
    order = (2, 3, 5, 6, 8, 10, 11, 12, 14, 1, 4, 7, 9, 13, 15, 16)
    assert same.report["class_order"] == {str(n): c for n, c in enumerate(order, start=1)}
