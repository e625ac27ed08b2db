import subprocess
import sys

import numpy as np
import pytest
import torch

from engine.artifacts import sha256_arrays
from hsi.errors import HsiError
from hsi.scenes.labels import make_labels, open_labels
from hsi.scenes.scene import Scene, open_scene, write_scene


def test_indian_pines_is_embedded_bands_last():
    scene = open_scene("IndianPines")
    assert scene.cube.shape == (145, 145, 200)
    assert (scene.cube.min(), scene.cube.max()) == (955, 9604)
    assert scene.provenance["source"] == "IndianPines"


def test_tensorly_is_never_imported():
    code = (
        "import sys, hsi.scenes.scene as s, hsi.scenes.labels as l; s.open_scene('IndianPines');"
        "l.open_labels('IndianPines'); assert 'tensorly' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_indian_pines_labels_have_the_usual_counts_and_names():
    labels = open_labels("IndianPines")
    counts = np.bincount(labels.ground_truth.ravel())
    assert counts[1:].sum() == 10_249
    assert counts[[1, 9, 11, 16]].tolist() == [46, 20, 2455, 93]
    assert labels.class_names[0] == "Alfalfa"
    assert labels.class_names[15] == "Stone-Steel-Towers"
    assert labels.colours.shape == (16, 3)


@pytest.mark.reference
def test_shared_scene_equals_the_embedded_one(shared_data):
    path = shared_data / "scenes" / "IndianPines.npz"
    assert np.array_equal(open_scene(path).cube, open_scene("IndianPines").cube)
    assert open_labels(path).checksum() == open_labels("IndianPines").checksum()
    mat = shared_data / "scenes" / "Indian_pines_gt.mat"
    assert open_labels(mat).checksum() == open_labels("IndianPines").checksum()
    assert open_labels(mat).class_names == open_labels("IndianPines").class_names


@pytest.mark.reference
def test_flattened_bands_first_cube_is_unfolded(shared_data):
    scene = open_scene(shared_data / "scenes" / "jasperRidge2_R198.mat")
    assert scene.cube.shape == (100, 100, 198)
    # Neighbouring pixels look alike only if rows and columns were unfolded in the right order.
    cube = scene.cube.astype(float)
    assert np.abs(np.diff(cube, axis=0)).mean() < 0.3 * cube.std()
    assert np.abs(np.diff(cube, axis=1)).mean() < 0.3 * cube.std()


@pytest.mark.parametrize("shape", [(4, 5), (0, 5, 6)])
def test_what_is_no_cube_is_refused(shape):
    with pytest.raises(HsiError, match=r"expected a cube \(rows, columns, bands\)"):
        Scene("x", np.zeros(shape))


def test_what_a_masked_array_hides_has_no_data():
    values = np.arange(24, dtype=np.int16).reshape(3, 2, 4)
    values[0] = -9999
    cube = np.ma.masked_equal(values, -9999)
    cube[1, 1, 2] = np.ma.masked  # one band is enough: a part of a spectrum cannot be classified
    scene = Scene("x", cube)
    assert type(scene.cube) is np.ndarray
    assert scene.no_data(slice(0, 3)).tolist() == [[True, True], [False, True], [False, False]]
    told = Scene("x", cube, mask=np.array([[True, True], [True, True], [True, False]]))
    assert told.no_data(slice(2, 3)).tolist() == [[False, True]]
    plain = Scene("x", np.ma.array(values.clip(1)))
    assert plain.pixels_without_data() == 0


def test_masked_labels_are_no_labels():
    numbers = np.ma.masked_equal(np.array([[1, 2, 255], [2, 1, 1]], np.uint8), 255)
    assert make_labels("x", numbers).ground_truth.tolist() == [[1, 2, 0], [2, 1, 1]]


@pytest.mark.parametrize("cube", [[[[1.0]]], torch.ones(2, 2, 2), None])
def test_a_cube_that_is_no_array_is_named(cube):
    with pytest.raises(HsiError, match=r"x: expected an array \(rows, columns, bands\), found"):
        Scene("x", cube)


def test_there_is_one_wavelength_per_band():
    with pytest.raises(HsiError, match="expected 3 wavelengths, one per band, found 2"):
        Scene("x", np.zeros((2, 2, 3)), wavelengths=np.array([1.0, 2.0]))


def test_a_wavelength_that_is_no_number_makes_all_unknown(tmp_path, caplog):
    cube = np.zeros((4, 5, 3), np.float32)
    np.savez(tmp_path / "a.npz", cube=cube, wavelengths=[400.0, np.nan, 600.0])
    assert open_scene(tmp_path / "a.npz").wavelengths is None
    assert "1 of 3 bands have no wavelength; bands are taken by their position" in caplog.text
    with pytest.raises(HsiError, match="expected a wavelength for every band, found NaN"):
        Scene("a", cube, np.array([400.0, np.nan, 600.0]))


def test_types_that_no_format_holds_are_refused():
    with pytest.raises(HsiError, match="at most 64 bits, found float128"):
        Scene("a", np.zeros((2, 2, 2), np.longdouble))


def test_what_would_be_read_turned_is_not_written(tmp_path):
    square = Scene("a", np.zeros((50, 30, 30), np.float32))
    with pytest.raises(HsiError, match=r"50 × 30 × 30 values in a \.npy would be taken for bands"):
        write_scene(tmp_path / "a.npy", square)
    assert not list(tmp_path.iterdir())
    write_scene(tmp_path / "a.hdr", square)
    assert open_scene(tmp_path / "a.hdr").cube.shape == (50, 30, 30)


def test_bad_bands_are_left_out():
    scene = Scene("x", np.zeros((2, 2, 3)), bad_bands=np.array([False, True, False]))
    assert scene.good_bands.tolist() == [0, 2]


def test_pixels_without_data_are_known():
    cube = np.full((1, 6, 3), 5.0, np.float32)
    cube[0, 1] = 0  # all zero
    cube[0, 2, 2] = 0  # one zero is a measurement
    cube[0, 3, 0] = np.nan
    cube[0, 4] = -9999
    cube[0, 5, 1] = np.inf
    scene = Scene("x", cube, ignore_value=-9999.0)
    expected = [False, True, False, True, True, True]
    assert scene.no_data(slice(0, 1)).tolist() == [expected]


def test_bad_bands_do_not_decide_about_data():
    cube = np.full((1, 2, 3), 7, np.int16)
    cube[0, 0, 1] = -32768
    cube[0, 1, 0] = -32768
    scene = Scene("x", cube, bad_bands=np.array([False, True, False]), ignore_value=-32768.0)
    assert scene.no_data(slice(0, 1)).tolist() == [[False, True]]


@pytest.mark.parametrize("ignored", [-1.0, 0.5, 70000.0, np.nan, np.inf, 0.0])
def test_an_ignore_value_that_the_type_cannot_hold_ignores_nothing(ignored):
    scene = Scene("x", np.array([[[1, 0], [65535, 3]]], np.uint16), ignore_value=ignored)
    assert not scene.no_data(slice(0, 1)).any()


def test_unknown_source_is_one_clear_line():
    with pytest.raises(HsiError, match="Pavia: no such file, and no embedded scene of that name"):
        open_scene("Pavia")


def test_checksum_is_that_of_the_whole_array(monkeypatch, scene):
    monkeypatch.setattr("hsi.scenes.scene.CHECKSUM_BYTES", 27 * 16 * 2 * 4)
    assert scene.checksum() == sha256_arrays(scene.cube)
    turned = Scene("x", np.asfortranarray(scene.cube.transpose(1, 0, 2)))
    assert turned.checksum() == sha256_arrays(turned.cube)
