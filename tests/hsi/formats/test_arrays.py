"""NumPy and MATLAB files."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from hsi.errors import HsiError
from hsi.scenes.labels import make_labels
from hsi.scenes.scene import open_scene, write_scene


def test_npy_is_read_bands_last(tmp_path, cube):
    np.save(tmp_path / "a.npy", cube)
    scene = open_scene(tmp_path / "a.npy")
    assert np.array_equal(scene.cube, cube)
    assert scene.name == "a"


def test_npy_is_written_as_numpy_reads_it(tmp_path, known):
    write_scene(tmp_path / "a.npy", known)
    assert np.array_equal(np.load(tmp_path / "a.npy"), known.cube)


def test_wavelengths_of_an_npz_are_found_as_elsewhere(tmp_path, caplog):
    cube = np.arange(105.0).reshape(7, 5, 3)
    for index, listed in enumerate(
        ({"Wavelength": [[0.4], [0.5], [0.6]]}, {"lambda": [400, 500, 600]})
    ):
        np.savez(tmp_path / f"{index}.npz", cube=cube, **listed)
        assert open_scene(tmp_path / f"{index}.npz").wavelengths.tolist() == [400, 500, 600]
    np.savez(tmp_path / "text.npz", cube=cube, wavelengths=["blue", "green", "red"])
    assert open_scene(tmp_path / "text.npz").wavelengths is None


def test_npz_says_which_variables_it_has(tmp_path, cube):
    path = tmp_path / "a.npz"
    np.savez(path, one=cube, two=cube)
    with pytest.raises(HsiError, match=r"found several \(one \(7, 5, 4\), two .*:VARIABLE"):
        open_scene(path)
    assert np.array_equal(open_scene(f"{path}:two").cube, cube)
    with pytest.raises(HsiError, match="no variable 'three'"):
        open_scene(f"{path}:three")


def test_bands_first_is_recognised(tmp_path):
    np.savez(tmp_path / "name.npz", cube_chw=np.zeros((3, 7, 5)))
    np.savez(tmp_path / "equal_axes.npz", cube=np.zeros((9, 4, 4)))
    np.savez(tmp_path / "wavelengths.npz", cube=np.zeros((3, 7, 5)), wavelengths=[400, 500, 600])
    assert open_scene(tmp_path / "name.npz").cube.shape == (7, 5, 3)
    assert open_scene(tmp_path / "equal_axes.npz").cube.shape == (4, 4, 9)
    assert open_scene(tmp_path / "wavelengths.npz").cube.shape == (7, 5, 3)


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(HsiError, match="without pickles"):
        open_scene(path)


@pytest.mark.parametrize(
    "name", ["a.npy", "a.npz", "a.mat", "a.hdr", "a.tif", "a.h5", "a.nc", "a.png"]
)
def test_a_file_of_something_else_is_one_clear_line(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"not what it says")
    with pytest.raises(HsiError, match=f"{name}: expected"):
        open_scene(path)


def test_unknown_suffix_says_what_is_read(tmp_path):
    path = tmp_path / "a.xyz"
    Path(path).touch()
    with pytest.raises(HsiError, match=r"expected one of \.npy, .* found '\.xyz'"):
        open_scene(path)


def test_matlab_v5_and_v73_agree(tmp_path, cube):
    scipy.io.savemat(tmp_path / "v5.mat", {"cube": cube, "gt": np.eye(3)})
    with h5py.File(tmp_path / "v73.mat", "w") as file:
        file["cube"] = cube.T  # MATLAB writes its axes in reverse
    for name, version in (("v5.mat", "v5"), ("v73.mat", "v7.3")):
        scene = open_scene(tmp_path / name)
        assert np.array_equal(scene.cube, cube)
        assert scene.provenance["format"] == f"MATLAB {version}"


@pytest.mark.parametrize("turned", [False, True])
def test_matlab_flattened_cube_is_unfolded(tmp_path, cube, turned):
    # As in jasperRidge2: Y (bands, pixels), counted down the columns, with nRow and nCol.
    flat = cube.transpose(2, 1, 0).reshape(4, -1)
    variables = {"Y": flat.T if turned else flat, "nRow": 7, "nCol": 5, "maxValue": 5000}
    scipy.io.savemat(tmp_path / "a.mat", variables | {"SlectBands": np.arange(4)[:, None]})
    scene = open_scene(tmp_path / "a.mat")
    assert np.array_equal(scene.cube, cube)
    assert "flattened column by column" in scene.provenance["layout"]


def test_matlab_with_two_cubes_lists_them(tmp_path, cube):
    scipy.io.savemat(tmp_path / "a.mat", {"raw": cube, "corrected": cube})
    with pytest.raises(HsiError, match=r"several \(raw \(7, 5, 4\), corrected .*a\.mat:VARIABLE"):
        open_scene(tmp_path / "a.mat")


def test_matlab_wavelengths_are_read(tmp_path, cube):
    variables = {"cube": cube, "wavelength": [[0.4, 0.5, 0.6, 0.7]]}
    scipy.io.savemat(tmp_path / "a.mat", variables)
    assert open_scene(tmp_path / "a.mat").wavelengths == pytest.approx([400, 500, 600, 700])


def test_the_name_of_the_file_may_say_that_bands_come_first(tmp_path):
    first = np.arange(3 * 7 * 5).reshape(3, 7, 5)
    cube = np.moveaxis(first, 0, -1)
    stem = tmp_path / "field_bands_first"
    np.save(f"{stem}.npy", first)
    np.savez(f"{stem}.npz", cube=first)
    scipy.io.savemat(f"{stem}.mat", {"cube": first})
    with h5py.File(f"{stem}.h5", "w") as file:
        file["cube"] = first
    for suffix in (".npy", ".npz", ".mat", ".h5"):
        scene = open_scene(f"{stem}{suffix}")
        assert scene.provenance["layout"] == "bands first"
        assert np.array_equal(scene.cube[:], cube)
    with pytest.raises(HsiError, match="would be taken for bands first"):
        write_scene(f"{stem}.npy", scene)


def test_labels_that_fit_other_axes_say_how_to_turn_a_cube(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((3, 7, 5)))
    labels = make_labels("gt", np.tile([1, 2, 0, 1, 2], (7, 1)))
    with pytest.raises(HsiError, match=r"found 7 × 5; if its bands come first, put bands_first"):
        labels.check_fits(open_scene(tmp_path / "a.npy"))
    with pytest.raises(HsiError, match="found 1 × 3; give the labels of this scene"):
        make_labels("gt", np.array([[1, 2, 0]])).check_fits(open_scene(tmp_path / "a.npy"))
