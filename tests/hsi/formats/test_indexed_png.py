import numpy as np
import pytest
from PIL import Image

from hsi.errors import HsiError
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene

CLASSES = np.array([[0, 1, 2], [2, 1, 3]], np.uint8)


def test_palette_index_is_the_class(tmp_path):
    image = Image.fromarray(CLASSES, "L")
    image.putpalette([0, 0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
    assert image.mode == "P"
    image.save(tmp_path / "gt.png", bits=2)
    labels = open_labels(tmp_path / "gt.png")
    assert np.array_equal(labels.ground_truth, CLASSES)
    assert labels.colours.tolist() == [[10, 20, 30], [40, 50, 60], [70, 80, 90]]


def test_grey_levels_are_classes(tmp_path):
    Image.fromarray(CLASSES).save(tmp_path / "gt.png")
    assert np.array_equal(open_labels(tmp_path / "gt.png").ground_truth, CLASSES)


def test_pictures_are_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "rgb.png")
    with pytest.raises(HsiError, match=r"expected an indexed PNG, .* found a picture in colours"):
        open_labels(tmp_path / "rgb.png")
    with pytest.raises(HsiError, match="expected a cube of spectra, found a picture"):
        open_scene(tmp_path / "rgb.png")


def test_a_file_cut_short_is_one_line(tmp_path):
    path = tmp_path / "gt.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 9, (99, 99), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(HsiError, match=r"gt\.png: expected a whole PNG"):
        open_labels(path)
