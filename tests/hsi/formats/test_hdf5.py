"""HDF5 and NetCDF, with the products that are recognised."""

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file

from hsi.errors import HsiError
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene


def test_the_only_cube_is_found_or_named(tmp_path, cube):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data/cube"] = cube
        file["data/cube"].attrs["_FillValue"] = np.uint16(7)
        file["data/cube"].attrs["scale_factor"] = 1e-4
        file["data/wavelengths"] = [0.45, 0.55, 0.65, 2.2]
    scene = open_scene(tmp_path / "a.h5")
    assert np.array_equal(scene.cube, cube)
    assert scene.wavelengths == pytest.approx([450, 550, 650, 2200])
    assert scene.ignore_value == 7
    assert scene.scale == pytest.approx(np.full(4, 1e-4))
    assert scene.provenance["variable"] == "data/cube"


def test_several_cubes_are_listed_and_one_can_be_named(tmp_path, cube):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data/cube"], file["data/other"] = cube, cube + 1
    with pytest.raises(HsiError, match=r"found several \(data/cube \(7, 5, 4\), .*a\.h5:VARIABLE"):
        open_scene(tmp_path / "a.h5")
    assert np.array_equal(open_scene(f"{tmp_path}/a.h5:/data/other").cube, cube + 1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_bands_are_found_by_the_name_of_their_axis(tmp_path, cube, axis):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["cube"] = np.moveaxis(cube, -1, axis)
        file["cube"].dims[axis].label = "wavelength"
    scene = open_scene(tmp_path / "a.nc")
    assert np.array_equal(scene.cube, cube)
    assert np.array_equal(scene.cube[2:5, 1, ::2], cube[2:5, 1, ::2])


@pytest.mark.parametrize("folder", ["hyperspectral", "bands20m"])
def test_the_name_of_a_folder_names_no_axis(tmp_path, cube, folder):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        data = file.create_group(folder)
        data["cube"] = cube
        for axis, name in enumerate(("y", "x", "wavelength")):
            data[name] = np.arange(cube.shape[axis]) * 1.0 + 400
            data[name].make_scale(name)
            data["cube"].dims[axis].attach_scale(data[name])
    assert np.array_equal(open_scene(tmp_path / "a.nc").cube, cube)


def test_labels_are_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["gt"] = np.array([[1, 2], [2, -1]], np.int16)
        file["gt"].attrs["_FillValue"] = np.int16(-1)
    assert open_labels(tmp_path / "a.h5").ground_truth.tolist() == [[1, 2], [2, 0]]


def test_emit_is_recognised(tmp_path, cube):
    with h5py.File(tmp_path / "EMIT_L2A_RFL.nc", "w") as file:
        file["reflectance"] = cube.astype(np.float32)
        file["reflectance"].attrs["_FillValue"] = np.float32([-9999])
        file["sensor_band_parameters/wavelengths"] = np.float32([400, 500, 600, 700])
        file["sensor_band_parameters/good_wavelengths"] = np.float32([1, 0, 1, 1])
        file["location/elev"] = np.zeros((7, 5))
    scene = open_scene(tmp_path / "EMIT_L2A_RFL.nc")
    assert np.array_equal(scene.cube, cube)
    assert scene.wavelengths.tolist() == [400, 500, 600, 700]
    assert scene.bad_bands.tolist() == [False, True, False, False]
    assert scene.ignore_value == -9999
    assert scene.provenance["product"] == "EMIT"


@pytest.fixture
def prisma(tmp_path):
    """A product of 6 × 5 pixels: VNIR of 4 bands, one unused, SWIR of 3, one unused."""
    rng = np.random.default_rng(1)
    vnir, swir = (rng.integers(1, 65535, (6, bands, 5)).astype(np.uint16) for bands in (4, 3))
    vnir[0, :, 0] = swir[0, :, 0] = 0
    with h5py.File(tmp_path / "PRS_L2D.he5", "w") as file:
        fields = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"
        file[f"{fields}/VNIR_Cube"], file[f"{fields}/SWIR_Cube"] = vnir, swir
        file.attrs["List_Cw_Vnir"] = np.float32([0, 1000, 900, 800])
        file.attrs["List_Cw_Swir"] = np.float32([1100, 950, 0])
        file.attrs["L2ScaleVnirMin"], file.attrs["L2ScaleVnirMax"] = 0.0, 1.0
        file.attrs["L2ScaleSwirMin"], file.attrs["L2ScaleSwirMax"] = 0.1, 0.6
        file.attrs["Epsg_Code"] = 32633
        corners = {"UL": (5e5, 4e6), "LR": (5e5 + 4 * 30, 4e6 - 5 * 30)}
        for corner, (east, north) in corners.items():
            file.attrs[f"Product_{corner}corner_easting"] = east
            file.attrs[f"Product_{corner}corner_northing"] = north
    return tmp_path / "PRS_L2D.he5", vnir, swir


def test_prisma_joins_both_sensors_with_rising_bands(prisma):
    path, vnir, swir = prisma
    scene = open_scene(path)
    assert scene.wavelengths.tolist() == [800, 900, 1000, 950, 1100]
    expected = np.concatenate(
        [vnir[:, [3, 2, 1]] / 65535, 0.1 + swir[:, [1, 0]] / 65535 * 0.5], axis=1
    ).transpose(0, 2, 1)
    expected[0, 0] = 0
    assert np.asarray(scene.cube) == pytest.approx(expected, abs=1e-6)
    for band in range(5):
        assert scene.cube[1:3, :, band] == pytest.approx(expected[1:3, :, band], abs=1e-6)
    assert scene.cube[4, 2, 1:4] == pytest.approx(expected[4, 2, 1:4], abs=1e-6)


def test_prisma_is_placed_by_its_corner_pixels(prisma):
    scene = open_scene(prisma[0])
    assert scene.georeference == {
        "crs": "EPSG:32633",
        "transform": (30.0, 0.0, 5e5 - 15, 0.0, -30.0, 4e6 + 15),
    }
    assert scene.no_data(slice(0, 2)).tolist() == [[True] + [False] * 4, [False] * 5]


def test_radiance_of_level_1_has_a_factor_and_an_offset(prisma):
    path, vnir, _ = prisma
    with h5py.File(path, "a") as file:
        file.move("HDFEOS/SWATHS/PRS_L2D_HCO", "HDFEOS/SWATHS/PRS_L1_HCO")
        for sensor in ("Vnir", "Swir"):
            del file.attrs[f"L2Scale{sensor}Max"]
            file.attrs[f"ScaleFactor_{sensor}"], file.attrs[f"Offset_{sensor}"] = 100.0, 2.0
    scene = open_scene(path)
    assert scene.cube[1:, :, 0] == pytest.approx(vnir[1:, 3] / 100 - 2, abs=1e-4)
    assert scene.provenance["product"] == "PRISMA PRS_L1_HCO"


def test_classic_netcdf_is_read(tmp_path, cube):
    with netcdf_file(tmp_path / "a.nc", "w") as file:
        for name, size in zip(("band", "y", "x"), (4, 7, 5), strict=True):
            file.createDimension(name, size)
        file.createVariable("wavelength", "f4", ("band",))[:] = [450, 550, 650, 2200]
        variable = file.createVariable("cube", "i2", ("band", "y", "x"))
        variable[:] = np.moveaxis(cube, -1, 0)
        variable._FillValue = np.int16(-1)
    scene = open_scene(tmp_path / "a.nc")
    assert np.array_equal(scene.cube, cube)
    assert scene.wavelengths == pytest.approx([450, 550, 650, 2200])
    assert scene.ignore_value == -1
    data = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "a.nc").write_bytes(data[:60])
    with pytest.raises(HsiError, match=r"a\.nc: expected a whole NetCDF file"):
        open_scene(tmp_path / "a.nc")


def test_truncated_file_is_one_clear_line(tmp_path, cube):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = cube
    data = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(data[:-200])
    with pytest.raises(HsiError, match=r"a\.h5: expected a whole HDF5 .* cut short"):
        open_scene(tmp_path / "a.h5")


def test_stated_wavelengths_decide_where_columns_equal_bands(tmp_path):
    cube = np.random.default_rng(0).integers(0, 99, (9, 6, 6)).astype(np.uint16)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"], file["wavelengths"] = cube, np.linspace(400, 900, 6)
    scene = open_scene(tmp_path / "a.h5")
    assert np.array_equal(scene.cube, cube)
    assert scene.wavelengths == pytest.approx(np.linspace(400, 900, 6))
