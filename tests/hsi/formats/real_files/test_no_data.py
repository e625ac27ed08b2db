"""Pixels without data: numbers that stand for them, masks, and class 0 beside them."""

import h5py
import numpy as np
import pytest

from hsi.formats.registry import files
from hsi.scenes.describe import describe
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene, write_scene
from tests.hsi.formats.real_files.samples import CUBE, WL, WLINE, B, H, W, envi, geotiff


def missing(scene):
    return scene.pixels_without_data()


# ---- H3, H13: what stands for no data ---------------------------------------------------------
@pytest.mark.parametrize(
    "told",
    [
        {"Data_Ignore_Value": -9999.0}, {"_FillValue": np.int16([-9999])}, {"NoData": "-9999"},
        {"missing_value": b"-9999"}, {"no_data_value": np.array(["-9999"], object)},
        {"fill_value": "{-9999.0}"}, {"DATA IGNORE VALUE": "-9.999e3"},
        {"_FillValue": np.int16(-32768), "missing_value": -9999}, {"nodata": [-1, -9999]},
    ],
)  # fmt: skip
def test_no_data_in_the_words_of_all(tmp_path, told):
    cube = CUBE.copy()
    cube[:5] = -9999
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/cube"] = cube
        file["group/cube"].attrs.update(told)
    scene = open_scene(tmp_path / "a.h5")
    assert missing(scene) == 120
    assert describe(scene)["pixels without data"] == "120 of 480"
    if len(told) > 1:
        return
    with h5py.File(tmp_path / "b.h5", "w") as file:  # on the folder
        file["group/cube"] = cube
        file["group"].attrs.update(told)
    assert missing(open_scene(tmp_path / "b.h5")) == 120


def test_the_fill_value_of_hdf5_counts(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("cube", CUBE.shape, "i2", fillvalue=-1, chunks=(5, W, B))
        made[5:] = CUBE[5:]
        file.create_dataset("other/plain", data=CUBE[0])
    assert missing(open_scene(tmp_path / "a.h5")) == 120


def test_neon_has_a_factor_a_place_and_windows(tmp_path):
    cube = CUBE.copy()
    cube[:5] = -9999
    info = "UTM, 1, 1, 500000.0, 4000000.0, 1.0, 1.0, 16, North, WGS-84, units=Meters"
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("SITE/Reflectance/Reflectance_Data", data=cube)
        made.attrs.update({"Data_Ignore_Value": -9999.0, "Scale_Factor": 10000.0})
        spectral = "SITE/Reflectance/Metadata/Spectral_Data"
        file[f"{spectral}/Wavelength"], file[f"{spectral}/FWHM"] = np.array(WL), np.full(B, 5.5)
        file[f"{spectral}/Wavelength"].attrs["Units"] = "nanometers"
        file["SITE/Reflectance/Metadata/Coordinate_System/Map_Info"] = info
        file["SITE/Reflectance"].attrs["Band_Window_1_Nanometers"] = [800, 900]
        file["SITE/Reflectance/Metadata/Logs/angles"] = np.ones((3, 4))
    scene = open_scene(tmp_path / "a.h5")
    assert scene.scale == pytest.approx(np.full(B, 1e-4))
    assert scene.provenance["product"] == "NEON"
    assert scene.wavelengths.tolist() == WL
    assert scene.fwhm == pytest.approx(np.full(B, 5.5))
    assert np.flatnonzero(scene.bad_bands).tolist() == [3]
    assert scene.georeference["map info"][:4] == ["UTM", "1", "1", "500000.0"]
    assert missing(scene) == 120
    assert "SITE/Reflectance/Metadata/Logs/angles" in describe(scene)["left out"]


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("-3.40282e+38", "<f4"), ("-3.4028235e38", "<f4"), ("-3.40282346638529e+38", "<f4"),
        ("{-3.403e+38}", "<f4"), ("-3.40282e+38", "<f8"), ("-1.79769e+308", "<f8"),
        ("-9999", "<f4"), ("-0.1", "<f4"), ("1.e+20", "<f4"), ("9.96921e+36", "<f4"),
        ("nan", "<f4"),
    ],
)  # fmt: skip
def test_shortened_numbers_are_still_no_data(tmp_path, text, dtype):
    cube, value = CUBE.astype(dtype), float(text.strip("{}"))
    if abs(value) > 1e38 and np.isfinite(value):
        value = float(np.finfo("f8" if value < -1e300 else "f4").min)
    cube[:5] = {9.96921e36: 9.969209968386869e36}.get(value, value)
    extra = f"data ignore value = {text}\n"
    code = {"<f4": 4, "<f8": 5}[dtype]
    scene = open_scene(envi(tmp_path, "a", extra, cube.tobytes(), **{"data type": code}))
    assert missing(scene) == (0 if text.startswith("{-3.403") else 120)
    write_scene(tmp_path / "b.hdr", scene)
    assert missing(open_scene(tmp_path / "b.hdr")) == missing(scene)


# ---- H4: masks --------------------------------------------------------------------------------
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("compress", [None, "deflate"])
def test_masks_count_and_are_kept(tmp_path, inside, compress):
    rasterio = pytest.importorskip("rasterio")
    mask = np.full((H, W), 255, "u1")
    mask[:5] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside):
        path = geotiff(tmp_path / "a.tif", CUBE, compress=compress)
        with rasterio.open(path, "r+") as file:
            file.write_mask(mask)
    assert (tmp_path / "a.tif.msk").exists() is not inside
    scene = open_scene(path)
    assert describe(scene)["no data"] == "a mask"
    assert missing(scene) == 120
    assert len(files(path)) == (1 if inside else 2)
    for name in ("b.tif", "b.hdr"):
        write_scene(tmp_path / name, scene)
        again = open_scene(tmp_path / name)
        assert np.array_equal(again.cube, CUBE)
        assert np.array_equal(again.mask[:], mask > 0)
        assert np.array_equal(again.mask[3:7, 2:9], mask[3:7, 2:9] > 0)
    write_scene(tmp_path / "c.tif", open_scene(tmp_path / "b.hdr"))
    assert missing(open_scene(tmp_path / "c.tif")) == 120


def test_an_alpha_band_is_a_mask_and_a_band_of_values_is_none(tmp_path, caplog):
    rasterio = pytest.importorskip("rasterio")
    rng = np.random.default_rng(0)
    rgb = rng.integers(1, 200, (H, W, 4), np.uint8)
    alpha = np.full((H, W), 255, np.uint8)
    alpha[:5] = 0
    marked = {"photometric": "RGB", "ALPHA": "YES"}
    path = geotiff(tmp_path / "a.tif", np.dstack([rgb[..., :3], alpha]), **marked)
    with rasterio.open(path) as file:
        assert file.colorinterp[3].name == "alpha"
    scene = open_scene(path)
    assert np.array_equal(scene.cube, rgb[..., :3])
    assert missing(scene) == 120
    scene = open_scene(geotiff(tmp_path / "b.tif", rgb, **marked))
    assert np.array_equal(scene.cube, rgb)
    assert missing(scene) == 0
    assert "band 4 is marked as alpha, but holds values of all kinds" in caplog.text


def test_an_older_mask_is_not_taken_for_that_of_a_new_file(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False):
        path = geotiff(tmp_path / "a.tif", CUBE)
        with rasterio.open(path, "r+") as file:
            file.write_mask(np.zeros((H, W), "u1"))
    write_scene(path, open_scene(envi(tmp_path, "s", WLINE)))
    assert not (tmp_path / "a.tif.msk").exists()
    assert missing(open_scene(path)) == 0


# ---- H14: class 0 beside another number for no data ---------------------------------------------
@pytest.mark.parametrize("form", ["tif", "envi", "h5"])
def test_class_0_beside_no_data_is_told(tmp_path, form, caplog):
    truth = np.full((H, W), 255, "u1")
    truth[6:, :8], truth[6:, 8:16], truth[6:, 16:] = 0, 1, 2
    if form == "tif":
        source = geotiff(tmp_path / "a.tif", truth, nodata=255)
    elif form == "envi":
        extra = "data ignore value = 255\n"
        source = envi(tmp_path, "a", extra, truth.tobytes(), bands=1, **{"data type": 1})
    else:
        source = tmp_path / "a.h5"
        with h5py.File(source, "w") as file:
            file["gt"] = truth
            file["gt"].attrs["no_data"] = "255"
    labels = open_labels(source)
    assert labels.classes.tolist() == [1, 2]
    assert "class 0 counts as unlabelled here (112 pixels); if it is a class, add 1" in caplog.text
    assert caplog.text.count("\n") == 1


def test_an_unclassified_class_0_is_none(tmp_path, caplog):
    truth = np.tile(np.array([0, 1, 2, 255], "u1"), (H, W // 4))
    extra = "data ignore value = 255\nclass names = {Unclassified, oak, pine}\n"
    open_labels(envi(tmp_path, "a", extra, truth.tobytes(), bands=1, **{"data type": 1}))
    assert not caplog.text
