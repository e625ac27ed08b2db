"""Maps are written as their scene was: the same pixels, names, colours and place."""

import json

import numpy as np
import pytest
import spectral

from hsi.classifiers.model import make_classifier
from hsi.classifiers.train import train
from hsi.maps.classify import classify
from hsi.maps.rasters import RASTERS, Content
from hsi.scenes.labels import make_labels, open_labels
from hsi.scenes.scene import Scene, open_scene, write_scene
from hsi.splits.split import make_split

rasterio = pytest.importorskip("rasterio")

WHERE = {"crs": "EPSG:32616", "transform": (20.0, 0.0, 5e5, 0.0, -20.0, 4e6)}
GRID = rasterio.Affine(*WHERE["transform"])
RPCS = {
    **dict.fromkeys(("LINE_OFF", "SAMP_OFF", "LINE_SCALE", "SAMP_SCALE"), "15"),
    **dict.fromkeys(("LAT_OFF", "LONG_OFF", "HEIGHT_OFF"), "10"),
    **dict.fromkeys(("LAT_SCALE", "LONG_SCALE", "HEIGHT_SCALE"), "0.5"),
    "LINE_NUM_COEFF": " ".join(["0.5"] * 20), "SAMP_NUM_COEFF": " ".join(["0.25"] * 20),
    "LINE_DEN_COEFF": "1" + " 0" * 19, "SAMP_DEN_COEFF": "1" + " 0" * 19,
}  # fmt: skip
NAMES = ("water, deep", "class 2", "Straße")


@pytest.fixture(scope="module")
def placed(scene) -> Scene:
    """The stripes with a place, and a corner without data."""
    cube = scene.cube.copy()
    cube[:2, :4] = 0
    return Scene("stripes", cube, scene.wavelengths, georeference=WHERE)


@pytest.fixture(scope="module")
def model(placed, labels, cpu, tmp_path_factory):
    named = make_labels("Stripes", labels.ground_truth, ["", NAMES[0], NAMES[1], *"3456", NAMES[2]])
    split = make_split(named, "random:0.1", seed=0, window=9)
    out = tmp_path_factory.mktemp("model") / "svm.safetensors"
    svm = make_classifier("svm")
    train(svm, placed, named, split, out, compute=cpu, schedule="demo", seed=0)
    return out


def test_geotiff_in_geotiff_out(tmp_path, placed, model, cpu):
    write_scene(tmp_path / "scene.tif", placed)
    scene = open_scene(tmp_path / "scene.tif")
    files = classify(scene, model, tmp_path / "m", compute=cpu)
    assert files.map.name == "map.tif"
    written = sorted(path.name for path in files.map.parent.iterdir())
    assert written == ["map.json", "map.png", "map.tif", "map.tif.aux.xml"]
    with rasterio.open(files.map) as map_file:
        assert (map_file.crs.to_epsg(), map_file.transform) == (32616, GRID)
        assert map_file.nodata == 0
        assert json.loads(map_file.tags(1)["class_names"])[7] == NAMES[2]
        numbers = map_file.read(1)
    assert (numbers[:2, :4] == 0).all()
    assert set(np.unique(numbers)) == {0, 1, 2, 7}
    found = open_labels(files.map)
    assert found.class_names == NAMES
    classify(placed, model, tmp_path / "plain.npy", compute=cpu)
    assert np.array_equal(np.load(tmp_path / "plain.npy"), numbers)


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
def test_envi_in_envi_out_whatever_the_interleave(tmp_path, placed, model, cpu, interleave):
    write_scene(tmp_path / "scene.hdr", placed)
    stated = spectral.envi.read_envi_header(tmp_path / "scene.hdr")
    path = tmp_path / "other.hdr"
    kept = {key: stated[key] for key in ("wavelength", "wavelength units", "map info")}
    spectral.envi.save_image(str(path), placed.cube, interleave=interleave, metadata=kept)
    files = classify(open_scene(path), model, tmp_path / "m", compute=cpu)
    assert files.map.name == "map.hdr"
    classify(placed, model, tmp_path / "plain.npy", compute=cpu)
    image = spectral.open_image(str(files.map))
    assert np.array_equal(np.asarray(image.load())[..., 0], np.load(tmp_path / "plain.npy"))
    assert image.metadata["file type"] == "ENVI Classification"
    assert image.metadata["class names"][7] == NAMES[2]
    assert image.metadata["class names"][1] == "water; deep"
    assert image.metadata["map info"][:7] == ["UTM", "1", "1", "500000", "4000000", "20", "20"]
    with rasterio.open(files.map.with_suffix(".img")) as map_file:
        assert (map_file.crs.to_epsg(), map_file.transform) == (32616, GRID)


@pytest.mark.parametrize("suffix", [".tif", ".hdr"])
def test_probabilities_are_bands_named_after_classes(tmp_path, suffix):
    values = np.random.default_rng(0).random((5, 4, 2), np.float32)
    content = Content(values.shape, values.dtype, ("oak", "pine"), None, WHERE)
    raster = RASTERS[suffix](tmp_path / f"p{suffix}", content)
    work = tmp_path / "work"
    work.mkdir()
    raster.open(work, resume=False)
    raster.write(slice(3, 5), slice(0, 4), values[3:])
    raster.flush()
    again = RASTERS[suffix](tmp_path / f"p{suffix}", content)  # as after a kill
    assert again.is_in(work)
    again.open(work, resume=True)
    again.write(slice(0, 3), slice(0, 4), values[:3])
    again.close()
    again.close()
    assert list(work.iterdir()) == []
    with rasterio.open(tmp_path / ("p.tif" if suffix == ".tif" else "p.img")) as file:
        assert np.array_equal(np.moveaxis(file.read(), 0, -1), values)
        assert file.descriptions == ("oak", "pine")
        assert (file.crs.to_epsg(), file.transform) == (32616, GRID)


def test_a_scene_of_hdf5_with_a_place_gets_a_geotiff(tmp_path, placed, model, cpu):
    scene = Scene("s", placed.cube, placed.wavelengths, georeference=WHERE)
    assert classify(scene, model, tmp_path / "m", compute=cpu).map.suffix == ".tif"


POINTS = ((0.0, 0.0, 10.0, 50.0, 0.0), (0.0, 27.0, 10.1, 50.0, 0.0), (30.0, 0.0, 10.0, 49.9, 3.0),
          (30.0, 27.0, 10.1, 49.9, 0.0), (9.5, 4.25, 10.02, 49.97, 0.0))  # fmt: skip


@pytest.mark.parametrize("suffix", [".tif", ".hdr"])
def test_masked_pixels_are_0_and_points_are_kept(tmp_path, placed, model, cpu, suffix):
    mask = np.ones(placed.shape, bool)
    mask[20:, 3:9] = False
    where = {"gcps": POINTS, "gcps crs": "EPSG:4326", "rpcs": RPCS}
    masked = Scene("s", placed.cube, placed.wavelengths, georeference=where, mask=mask)
    write_scene(tmp_path / f"s{suffix}", masked)
    scene = open_scene(tmp_path / f"s{suffix}")
    files = classify(scene, model, tmp_path / "m", compute=cpu)
    assert files.map.suffix == suffix
    numbers = open_labels(files.map).ground_truth
    assert not numbers[20:, 3:9].any()
    empty = masked.no_data(slice(None))
    assert np.array_equal(numbers == 0, empty)
    with rasterio.open(files.map if suffix == ".tif" else files.map.with_suffix(".img")) as file:
        points, system = file.gcps
        found = tuple((p.row, p.col, p.x, p.y, p.z) for p in points)
        coefficients = file.tags(ns="RPC")
    assert found == POINTS
    assert system.to_epsg() == 4326
    assert float(coefficients["LINE_OFF"]) == 15
    assert [float(v) for v in coefficients["LINE_NUM_COEFF"].split()] == [0.5] * 20
