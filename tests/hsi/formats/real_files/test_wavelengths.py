"""Wavelengths in any unit, and where files tell them: lists, texts, names, structs, headers."""

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file, savemat

from hsi.errors import HsiError
from hsi.formats.registry import files
from hsi.formats.units import nanometres
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene
from tests.hsi.formats.real_files.samples import CUBE, LISTED, WL, WLINE, B, H, W, envi, geotiff


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


@pytest.mark.parametrize(("unit", "values"), [("um", WL), ("nm", np.array(WL) / 1e3)])
def test_a_unit_that_makes_no_light_is_doubted(unit, values, caplog):
    found = nanometres(np.array(values, float), unit, "a.hdr")
    assert found == pytest.approx(np.array(values) * (1e3 if unit == "um" else 1))
    assert f"a.hdr: the unit '{unit}' makes wavelengths of" in caplog.text


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
