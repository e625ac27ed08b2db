from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from hsi.errors import HsiError
from hsi.formats import envi
from hsi.labels import open_labels
from hsi.scene import Scene, open_scene, write_scene


@pytest.fixture
def cube() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 5000, (7, 5, 4)).astype(np.uint16)


def test_npy_is_read_bands_last(tmp_path, cube):
    np.save(tmp_path / "a.npy", cube)
    scene = open_scene(tmp_path / "a.npy")
    assert np.array_equal(scene.cube, cube)
    assert scene.name == "a"


def test_npz_says_which_variables_it_has(tmp_path, cube):
    path = tmp_path / "a.npz"
    np.savez(path, one=cube, two=cube)
    with pytest.raises(HsiError, match=r"found several \(one \(7, 5, 4\), two .*:VARIABLE"):
        open_scene(path)
    assert np.array_equal(open_scene(f"{path}:two").cube, cube)
    with pytest.raises(HsiError, match="no variable 'three'"):
        open_scene(f"{path}:three")


def test_bands_first_is_recognised_by_name_and_by_equal_axes(tmp_path):
    square = np.zeros((9, 4, 4))
    np.savez(tmp_path / "a.npz", cube_chw=np.zeros((3, 7, 5)))
    np.savez(tmp_path / "b.npz", cube=square)
    assert open_scene(tmp_path / "a.npz").cube.shape == (7, 5, 3)
    assert open_scene(tmp_path / "b.npz").cube.shape == (4, 4, 9)


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(HsiError, match="without pickles"):
        open_scene(path)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat"])
def test_a_file_of_something_else_is_one_clear_line(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"not what it says")
    with pytest.raises(HsiError, match=name):
        open_scene(path)


def test_matlab_v5_and_v73_agree(tmp_path, cube):
    scipy.io.savemat(tmp_path / "v5.mat", {"cube": cube, "gt": np.eye(3)})
    with h5py.File(tmp_path / "v73.mat", "w") as file:
        file["cube"] = cube.T  # MATLAB writes its axes in reverse
    for name, version in (("v5.mat", "v5"), ("v73.mat", "v7.3")):
        scene = open_scene(tmp_path / name)
        assert np.array_equal(scene.cube, cube)
        assert scene.provenance["format"] == f"MATLAB {version}"


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
def test_envi_interleaves_are_equal(tmp_path, cube, interleave):
    from spectral.io import envi as spectral_envi

    path = tmp_path / "a.hdr"
    spectral_envi.save_image(str(path), cube, interleave=interleave, byteorder="big")
    scene = open_scene(path)
    assert np.array_equal(scene.cube, cube)
    assert isinstance(scene.cube, np.memmap)
    assert np.array_equal(open_scene(path.with_suffix(".img")).cube, cube)


def test_envi_round_trip_keeps_what_is_known(tmp_path, cube):
    georeference = {"map info": ["UTM", "1", "1", "5e5", "4e6", "20", "20", "16", "North"]}
    written = Scene(
        "a",
        cube,
        np.array([450.5, 550.0, 650.0, 2200.25]),
        np.array([False, True, False, False]),
        georeference,
    )
    write_scene(tmp_path / "a.hdr", written)
    read = open_scene(tmp_path / "a.hdr")
    assert np.array_equal(read.cube, cube)
    assert read.wavelengths.tolist() == [450.5, 550.0, 650.0, 2200.25]
    assert read.bad_bands.tolist() == [False, True, False, False]
    assert read.georeference == georeference
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.hdr", "a.img"]


def test_micrometres_become_nanometres(tmp_path, cube):
    write_scene(tmp_path / "a.hdr", Scene("a", cube, np.array([0.45, 0.55, 0.65, 2.2])))
    header = tmp_path / "a.hdr"
    header.write_text(header.read_text().replace("Nanometers", "Micrometers"))
    assert open_scene(header).wavelengths == pytest.approx([450, 550, 650, 2200])


def test_truncated_envi_data_is_told_in_bytes(tmp_path, cube):
    write_scene(tmp_path / "a.hdr", Scene("a", cube))
    data = tmp_path / "a.img"
    data.write_bytes(data.read_bytes()[:-10])
    with pytest.raises(HsiError, match=r"expected 280 bytes .* found 270; the file is cut short"):
        open_scene(tmp_path / "a.hdr")


def test_envi_header_without_lines_is_refused(tmp_path, cube):
    write_scene(tmp_path / "a.hdr", Scene("a", cube))
    header = tmp_path / "a.hdr"
    kept = [line for line in header.read_text().splitlines() if not line.startswith("lines")]
    header.write_text("\n".join(kept))
    with pytest.raises(HsiError, match=r"a\.hdr: expected a whole ENVI header"):
        open_scene(header)


def test_envi_classification_round_trip(tmp_path):
    classes = np.array([[1, 2, 0], [2, 1, 1]], np.uint8)
    colours = np.array([[0, 0, 0], [10, 20, 30], [40, 50, 60]], np.uint8)
    path = tmp_path / "map.hdr"
    envi.write_classification(
        path, classes, class_names=["Unclassified", "oak", "pine, dry"], colours=colours
    )
    labels = open_labels(path)
    assert np.array_equal(labels.ground_truth, classes)
    assert labels.class_names == ("oak", "pine; dry")
    assert np.array_equal(labels.colours, colours[1:])


def test_unknown_suffix_says_what_is_read(tmp_path):
    path = tmp_path / "a.tif"
    Path(path).touch()
    with pytest.raises(HsiError, match=r"expected one of \.npy, .* found '\.tif'"):
        open_scene(path)
