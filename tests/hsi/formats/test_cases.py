"""Files as people have them: each came out wrong once, with its siblings."""

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file, savemat

from hsi.errors import HsiError
from hsi.formats.registry import files
from hsi.scenes.describe import describe
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene, write_scene

H, W, B = 20, 24, 6
WL = [450.0, 550.0, 650.0, 850.0, 1600.0, 2200.0]
LISTED = "wavelength = {450, 550, 650, 850, 1600, 2200}\n"
WLINE = LISTED + "wavelength units = Nanometers\n"
PLANES = np.arange(H)[:, None, None] * 10 + np.arange(W)[None, :, None]
CUBE = (100 * (1 + np.arange(B)) + PLANES).astype("<i2")
FIRST = [100, 200, 300, 400, 500, 600]


def envi(folder, name, extra="", data=None, suffix=".img", **keys):
    stated = {
        "samples": W, "lines": H, "bands": B, "header offset": 0, "file type": "ENVI Standard",
        "data type": 2, "interleave": "bip", "byte order": 0,
    } | keys  # fmt: skip
    text = "ENVI\n" + "".join(f"{key} = {value}\n" for key, value in stated.items()) + extra
    (folder / f"{name}.hdr").write_text(text)
    (folder / f"{name}{suffix}").write_bytes(CUBE.tobytes() if data is None else data)
    return folder / f"{name}.hdr"


def geotiff(path, array, **options):
    rasterio = pytest.importorskip("rasterio")
    array = array if array.ndim == 3 else array[..., None]
    settings = {"height": array.shape[0], "width": array.shape[1], "count": array.shape[2]}
    settings |= {"crs": "EPSG:32616", "transform": rasterio.Affine(20, 0, 5e5, 0, -20, 4e6)}
    with rasterio.open(
        path, "w", driver="GTiff", dtype=array.dtype.name, **settings | options
    ) as file:
        file.write(np.moveaxis(array, -1, 0))
    return path


def missing(scene):
    return scene.pixels_without_data()


# ---- H1: frames -------------------------------------------------------------------------------
@pytest.mark.parametrize("interleave", ["bip", "bil", "bsq"])
@pytest.mark.parametrize("major", [(0, 0), (64, 0), (3, 5)])
@pytest.mark.parametrize("minor", [(0, 0), (0, 4), (7, 1)])
def test_bytes_between_frames_are_skipped(tmp_path, interleave, major, minor):
    axes = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}[interleave]
    data = b"".join(
        b"\xff" * major[0]
        + b"".join(b"\xee" * minor[0] + part.tobytes() + b"\xdd" * minor[1] for part in frame)
        + b"\xcc" * major[1]
        for frame in CUBE.transpose(axes)
    )
    offsets = f"major frame offsets = {{{major[0]}, {major[1]}}}\n"
    offsets += f"minor frame offsets = {{{minor[0]}, {minor[1]}}}\n"
    scene = open_scene(envi(tmp_path, "a", WLINE + offsets, data, interleave=interleave))
    assert np.asarray(scene.cube[0, 0]).tolist() == FIRST
    assert np.array_equal(scene.cube, CUBE)


def test_frame_offsets_that_are_no_numbers_are_refused(tmp_path):
    header = envi(tmp_path, "a", "major frame offsets = {many, 0}\n")
    with pytest.raises(HsiError, match="frame offsets: "):
        open_scene(header)


# ---- H2, H10: which header belongs to which file ----------------------------------------------
@pytest.fixture
def twins(tmp_path):
    """Two ENVI pairs of which one is called as the other, and more."""
    envi(tmp_path, "x.int", WLINE, suffix="")
    other = CUBE[..., :3].astype("<f4") + 0.5
    envi(tmp_path, "x.int.mph", "", other.tobytes(), "", bands=3, **{"data type": 4})
    return tmp_path


@pytest.mark.parametrize(
    ("name", "bands"),
    [("x.int", 6), ("x.int.hdr", 6), ("x.int.mph", 3), ("x.int.mph.hdr", 3)],
)
def test_the_header_of_the_full_name_comes_first(twins, name, bands):
    assert open_scene(twins / name).cube.shape == (H, W, bands)
    assert [file.name for file in files(twins / name)] == (
        ["x.int.hdr", "x.int"] if bands == 6 else ["x.int.mph.hdr", "x.int.mph"]
    )


def test_a_header_of_another_file_is_not_used(twins):
    (twins / "x.int.mph.hdr").unlink()
    with pytest.raises(HsiError, match=r"x\.int\.mph: expected one of \.npy, .*, found '\.mph'"):
        files(twins / "x.int.mph")


def test_candidates_are_judged_by_size(tmp_path):
    header = envi(tmp_path, "s", WLINE, suffix=".raw")
    (tmp_path / "s.img").write_bytes(b"of another kind")
    (tmp_path / "s.txt").write_bytes(CUBE.tobytes())
    assert files(header) == [header, tmp_path / "s.raw"]
    (tmp_path / "s.raw.hdr").write_text("ENVI\nnot whole\n")
    assert files(tmp_path / "s.raw") == [header, tmp_path / "s.raw"]


@pytest.mark.parametrize(
    ("header", "data"), [("s.hdr", "s.pix"), ("U.HDR", "U.IMG"), ("u.Hdr", "u"), ("v.hdr", "V.DAT")]
)
def test_names_of_any_suffix_and_case_are_found(tmp_path, header, data):
    envi(tmp_path, "a", WLINE).rename(tmp_path / header)
    (tmp_path / "a.img").rename(tmp_path / data)
    for name in (header, data):
        assert np.array_equal(open_scene(tmp_path / name).cube, CUBE)


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


# ---- H5, H6, H11, H15, H16, H17, H18: wavelengths, and where they are told ----------------------
@pytest.mark.parametrize(
    ("unit", "values"),
    [
        ("angstrom", np.array(WL) * 10), ("Å", np.array(WL) * 10), ("m", np.array(WL) * 1e-9),
        ("meters", np.array(WL) * 1e-9), ("cm-1", 1e7 / np.array(WL)),
        ("cm^-1", 1e7 / np.array(WL)),
        ("cm⁻¹", 1e7 / np.array(WL)), ("1/cm", 1e7 / np.array(WL)), ("um", np.array(WL) / 1e3),
        ("micrometre", np.array(WL) / 1e3), ("µm", np.array(WL) / 1e3), ("nm", np.array(WL)),
        ("THz", 299792.458 / np.array(WL)), ("", np.array(WL) * 1e-9), ("", np.array(WL) / 1e3),
        (None, np.array(WL)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["nc4", "nc3", "envi"])
def test_wavelengths_in_any_unit(tmp_path, unit, values, form):
    if form == "nc4":
        with h5py.File(tmp_path / "a.nc", "w") as file:
            file["wavelength"] = values
            if unit is not None:
                file["wavelength"].attrs["units"] = unit
            file["reflectance"] = np.moveaxis(CUBE, -1, 0).astype("f4")
        scene = open_scene(tmp_path / "a.nc")
    elif form == "nc3":
        with netcdf_file(tmp_path / "a.nc", "w") as file:
            for name, size in (("b", B), ("y", H), ("x", W)):
                file.createDimension(name, size)
            listed = file.createVariable("wavelength", "f8", ("b",))
            listed[:] = values
            if unit is not None:
                listed.units = unit.encode()
            file.createVariable("cube", "i2", ("b", "y", "x"))[:] = np.moveaxis(CUBE, -1, 0)
        scene = open_scene(tmp_path / "a.nc")
    else:
        stated = f"wavelength = {{{', '.join(map(repr, values.tolist()))}}}\n"
        stated += "" if unit is None else f"wavelength units = {unit}\n"
        scene = open_scene(envi(tmp_path, "a", stated))
    assert scene.wavelengths == pytest.approx(WL)
    assert np.array_equal(scene.cube, CUBE)


def test_angstroms_without_a_unit_are_doubted(tmp_path, caplog):
    listed = ", ".join(f"{10 * value:g}" for value in WL)
    scene = open_scene(envi(tmp_path, "a", f"wavelength = {{{listed}}}\n"))
    assert scene.wavelengths == pytest.approx(10 * np.array(WL))
    assert "4500 to 22000 are taken as nanometres; if they are ångström, state it" in caplog.text
    caplog.clear()
    open_scene(envi(tmp_path, "b", f"wavelength units = nm\nwavelength = {{{listed}}}\n"))
    open_scene(envi(tmp_path, "c", LISTED))
    assert "taken as nanometres" not in caplog.text


@pytest.mark.parametrize("place", ["texts", "cube", "root"])
def test_wavelengths_as_texts_or_in_attributes(tmp_path, place):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        cube = file.create_dataset("data/cube", data=CUBE)
        if place == "texts":
            file["data/wavelength"] = np.array([f"{value / 1e3:g}" for value in WL], dtype="S")
            file["data/wavelength"].attrs["units"] = "um"
        else:
            holder = cube if place == "cube" else file
            holder.attrs["wavelengths"] = np.array(WL) / 1e3
            holder.attrs["wavelength_units"] = "um"
            holder.attrs["fwhm"] = np.full(B, 0.01)
            holder.attrs["sensor"] = ["a", "b", "c", "d", "e", "f"]
    scene = open_scene(tmp_path / "a.h5")
    assert scene.wavelengths == pytest.approx(WL)
    if place != "texts":
        assert scene.fwhm == pytest.approx([10.0] * B)
    assert not any("wavelength" in words for words in scene.left_out)


def test_wavelengths_as_texts_in_npz(tmp_path):
    np.savez(tmp_path / "a.npz", cube=CUBE, wavelengths_nm=np.array([str(value) for value in WL]))
    assert open_scene(tmp_path / "a.npz").wavelengths == pytest.approx(WL)


NAMED = {
    "Band {n} ({w},5 nm)": [w + 0.5 for w in WL],
    "{w:.4e} nm": WL,
    "FWHM 10 nm at {w} nm": WL,
    "{w} nm (FWHM: 10 nm)": WL,
    "{w} nm, 10 nm wide": WL,
    "B{n} {w}nm": WL,
    "band_{w}nm": WL,
    "Band {n} - {w} nm": WL,
    "{w} nm (0.01 um bandwidth)": WL,
    "{um} Micrometers": WL,
    "FWHM 10 nm": None,
    "10 nm steps, band {n}": None,
    "Band {n}": None,
    "{w} nm or {um} nm": None,
}


@pytest.mark.parametrize("form", ["tif", "envi"])
@pytest.mark.parametrize(("template", "expected"), NAMED.items())
def test_wavelengths_in_names_are_centres_or_not_stated(tmp_path, template, expected, form):
    names = [template.format(n=n, w=int(w), um=w / 1e3) if "e}" not in template
             else template.format(w=w) for n, w in enumerate(WL, 1)]  # fmt: skip
    if form == "tif":
        rasterio = pytest.importorskip("rasterio")
        path = geotiff(tmp_path / "a.tif", CUBE)
        with rasterio.open(path, "r+") as file:
            file.descriptions = names
    else:
        path = envi(tmp_path, "a", f"band names = {{{', '.join(names)}}}\n")
    found = open_scene(path).wavelengths
    assert (found is None) if expected is None else found == pytest.approx(expected)


def test_a_single_time_is_passed_over(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["wavelength"] = np.array(WL)
        file["reflectance"] = np.moveaxis(CUBE, -1, 0)[None].astype("f4")
        file["gt"] = np.ones((1, H, W), "u1") + (np.arange(W) > 9)
    scene = open_scene(f"{tmp_path}/a.nc:reflectance")
    assert scene.wavelengths.tolist() == WL
    assert np.array_equal(scene.cube, CUBE)
    assert np.array_equal(scene.cube[2:4, 3, 1:4], CUBE[2:4, 3, 1:4])
    assert open_labels(f"{tmp_path}/a.nc:gt").ground_truth.shape == (H, W)
    np.savez(tmp_path / "a.npz", cube=CUBE[None], wavelength_um=np.array(WL) / 1e3)
    scene = open_scene(tmp_path / "a.npz")
    assert np.array_equal(scene.cube, CUBE)
    assert scene.wavelengths == pytest.approx(WL)
    with h5py.File(tmp_path / "b.nc", "w") as file:
        file["reflectance"] = np.moveaxis(np.stack([CUBE, CUBE]), -1, 1)
    with pytest.raises(HsiError, match=r"found none \(reflectance \(2, 6, 20, 24\)"):
        open_scene(tmp_path / "b.nc")


def test_the_list_of_the_right_length_counts(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["wavelength"] = np.linspace(340, 2260, 8)
        file["sensor_band_parameters/wavelength_3d"] = np.array(WL)
        file["sensor_band_parameters/fwhm"] = np.full(B, 5.0)
        file["sensor_band_parameters/good_wavelengths"] = np.ones(B)
        file["geophysical_data/Rrs"] = CUBE.astype("f4")
    scene = open_scene(tmp_path / "a.nc")
    assert scene.wavelengths.tolist() == WL
    assert scene.fwhm.tolist() == [5.0] * B


def test_structs_of_matlab_are_looked_into(tmp_path):
    inner = {"Data": CUBE, "info": {"wavelength": np.array(WL), "fwhm": np.full(B, 4.0)}}
    savemat(tmp_path / "a.mat", {"hsi": inner | {"nodata": -1.0}, "gt": np.ones((H, W))})
    for source in (tmp_path / "a.mat", f"{tmp_path}/a.mat:hsi.Data"):
        scene = open_scene(source)
        assert np.array_equal(scene.cube, CUBE)
        assert scene.wavelengths.tolist() == WL
        assert scene.fwhm.tolist() == [4.0] * B
        assert scene.ignore_value == -1
    with h5py.File(tmp_path / "b.mat", "w") as file:  # as version 7.3
        file["hsi/Data"], file["hsi/info/wavelength"] = CUBE.T, np.array([WL])
        file["big"] = np.zeros((2, 2))
    scene = open_scene(tmp_path / "b.mat")
    assert np.array_equal(scene.cube, CUBE)
    assert scene.wavelengths.tolist() == WL
    assert scene.left_out == ("variables big",)


@pytest.mark.parametrize("name", ["a.hdr", "a.tif.hdr"])
def test_an_envi_header_beside_a_tiff_fills_what_is_missing(tmp_path, name):
    geotiff(tmp_path / "a.tif", CUBE)
    text = f"samples = {W}\nlines = {H}\nbands = {B}\nfile type = TIFF\ndata type = 2\n"
    text += f"interleave = bip\n{WLINE}bbl = {{1, 1, 0, 1, 1, 1}}\ndata ignore value = 100\n"
    (tmp_path / name).write_text(f"ENVI\n{text}")
    for source in (tmp_path / "a.tif", tmp_path / name):
        scene = open_scene(source)
        assert scene.wavelengths.tolist() == WL
        assert np.flatnonzero(scene.bad_bands).tolist() == [2]
        assert scene.ignore_value == 100
        assert scene.provenance["header"].endswith(name)
        assert files(source) == [tmp_path / "a.tif", tmp_path / name]


def test_a_header_of_other_data_is_not_that_of_a_tiff(tmp_path):
    geotiff(tmp_path / "a.tif", CUBE)
    envi(tmp_path, "a", WLINE)
    assert open_scene(tmp_path / "a.tif").wavelengths is None
    assert files(tmp_path / "a.tif") == [tmp_path / "a.tif"]
    assert open_scene(tmp_path / "a.hdr").provenance["format"] == "ENVI bip"


# ---- H7: pages --------------------------------------------------------------------------------
def test_pages_are_bands(tmp_path, caplog):
    pytest.importorskip("rasterio")
    import tifffile

    for band in range(B):
        tifffile.imwrite(
            tmp_path / "a.tif", CUBE[..., band].astype("u2"), photometric="minisblack",
            metadata=None, append=band > 0,
        )  # fmt: skip
    assert np.array_equal(open_scene(tmp_path / "a.tif").cube, CUBE)
    planes = np.moveaxis(CUBE, -1, 0).astype("u2")
    settings = {"imagej": True, "metadata": {"axes": "ZYX"}}
    tifffile.imwrite(tmp_path / "b.tif", planes, truncate=True, **settings)
    scene = open_scene(tmp_path / "b.tif")
    assert np.array_equal(scene.cube, CUBE)
    assert "tifftag_imagedescription" in describe(scene)["left out"]
    for name in ("d.tif", "d.hdr", "e.tif"):  # a copy is no stack of ImageJ's any more
        write_scene(tmp_path / name, scene)
        scene = open_scene(tmp_path / name)
        assert np.array_equal(scene.cube, CUBE)
    tifffile.imwrite(tmp_path / "c.tif", CUBE[..., 0].astype("u2"), metadata=None)
    tifffile.imwrite(tmp_path / "c.tif", CUBE[:3, :, 0].astype("u2"), metadata=None, append=True)
    scene = open_scene(tmp_path / "c.tif")
    assert scene.cube.shape == (H, W, 1)
    assert "1 other pages of the TIFF (3 × 24 × 1)" in describe(scene)["left out"]
    assert "the first page is read" in caplog.text
    with pytest.raises(HsiError, match="labels: expected one band of class numbers, found 6"):
        open_labels(tmp_path / "a.tif")


# ---- H9: lists ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("extra", "bad"),
    [
        ("wavelength = {450, 550, 650, 850, 1600, 2200,}\nwavelength units = nm\n", None),
        ("wavelength = {450 550 650 850 1600 2200}\n", None),
        ("wavelength = {450,\n 550, 650, 850,\n 1600, 2200\n}\n", None),
        ("wavelength = {450 nm, 550 nm, 650 nm, 850 nm, 1.6 um, 2.2 um}\n", None),
        (WLINE + "bbl = {True, True, False, True, True, True}\n", [2]),
        (WLINE + "bbl = {1.0, 1, 0.0, yes, good, 1,}\n", [2]),
        (WLINE + "bbl = {1 1 0 1 1 1}\n", [2]),
        (WLINE + "fwhm = {10, 10}\ndefault bands = {a}\n", None),
    ],
)
def test_lists_as_programs_write_them(tmp_path, extra, bad):
    scene = open_scene(envi(tmp_path, "a", extra))
    assert scene.wavelengths.tolist() == WL
    assert (None if bad is None else np.flatnonzero(scene.bad_bands).tolist()) == bad


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
