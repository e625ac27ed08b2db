"""Where NetCDF, HDF5 and Zarr lie on the ground by the CF conventions; which axis runs down."""

import sys
from dataclasses import replace

import h5py
import numpy as np
import pyproj
import pytest
import zarr
from rasterio.crs import CRS
from scipy.io import netcdf_file

from hsi.errors import HsiError
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene


@pytest.mark.parametrize("stated", ["GeoTransform", "coordinates"])
def test_a_cf_grid_mapping_gives_the_place(tmp_path, cube, stated):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["cube"] = np.moveaxis(cube, -1, 0)
        file["cube"].attrs["grid_mapping"] = "utm"
        file["utm"] = 0
        file["utm"].attrs["crs_wkt"] = 'PROJCS["WGS 84 / UTM zone 16N"]'
        if stated == "GeoTransform":
            file["utm"].attrs["GeoTransform"] = "500000 20 0 4000000 0 -20 "
        for axis, (name, values) in enumerate(
            {"band": np.arange(4), "y": 4e6 - 10 - 20.0 * np.arange(7),
             "x": 5e5 + 10 + 20.0 * np.arange(5)}.items()
        ):  # fmt: skip
            file[name] = values
            file[name].make_scale(name)
            file["cube"].dims[axis].attach_scale(file[name])
    scene = open_scene(tmp_path / "a.nc")
    assert np.array_equal(scene.cube, cube)
    assert scene.georeference == {
        "crs": 'PROJCS["WGS 84 / UTM zone 16N"]',
        "transform": (20.0, 0.0, 5e5, 0.0, -20.0, 4e6),
    }


def bottom_up(path, name, values, form):
    """Write an image as GDAL does: the lowest row first, beside the upright one's transform."""
    rows, columns = 4e6 - 130 + 20.0 * np.arange(7), 5e5 + 10 + 20.0 * np.arange(5)
    sides = {"y": rows, "x": columns}
    known = {
        "grid_mapping_name": "transverse_mercator",
        "crs_wkt": CRS.from_epsg(32616).to_wkt(),
        "GeoTransform": "500000 20 0 4000000 0 -20 ",
    }
    if form == "NetCDF-3":
        with netcdf_file(path, "w") as file:
            for side, places in sides.items():
                file.createDimension(side, len(places))
                file.createVariable(side, "f8", (side,))[:] = places
            vars(file.createVariable("utm", "i4", ()))["_attributes"].update(known)
            variable = file.createVariable(name, values.dtype.str[1:], tuple(sides))
            variable[:] = values
            variable.grid_mapping = "utm"
        return
    with h5py.File(path, "w") as file:
        file[name], file["utm"] = values, 0
        file[name].attrs["grid_mapping"] = "utm"
        file["utm"].attrs.update(known)
        for axis, (side, places) in enumerate(sides.items()):
            file[side] = places
            file[side].make_scale(side)
            file[name].dims[axis].attach_scale(file[side])


def test_coordinates_count_where_the_stated_transform_is_of_the_upright_image(tmp_path, cube):
    bottom_up(tmp_path / "a.nc", "cube", cube, "NetCDF-4")
    scene = open_scene(tmp_path / "a.nc")
    assert np.array_equal(scene.cube, cube)
    assert scene.georeference["transform"] == (20.0, 0.0, 5e5, 0.0, 20.0, 4e6 - 140)


@pytest.mark.parametrize("form", ["NetCDF-3", "NetCDF-4"])
def test_labels_upside_down_are_not_taken_for_those_of_a_scene(tmp_path, cube, form):
    bottom_up(tmp_path / "scene.nc", "cube", cube, "NetCDF-4")
    truth = (np.arange(35).reshape(7, 5) % 3).astype(np.int16)
    bottom_up(tmp_path / "gt.nc", "gt", truth, form)
    labels = open_labels(tmp_path / "gt.nc")
    assert labels.georeference["transform"] == (20.0, 0.0, 5e5, 0.0, 20.0, 4e6 - 140)
    labels.check_fits(open_scene(tmp_path / "scene.nc"))
    upright = {"crs": labels.georeference["crs"], "transform": (20.0, 0.0, 5e5, 0.0, -20.0, 4e6)}
    with pytest.raises(HsiError, match="expected the place of scene scene, found a corner"):
        labels.check_fits(replace(open_scene(tmp_path / "scene.nc"), georeference=upright))


def across_first(path, name, values, form, coordinates=True):
    """Write an image (x, y, …) with its place, as NetCDF, HDF5 or Zarr."""
    sides = {"x": 5e5 + 10 + 20.0 * np.arange(5), "y": 4e6 - 10 - 20.0 * np.arange(7)}
    names = ("x", "y", "band")[: values.ndim]
    known = {"crs_wkt": CRS.from_epsg(32616).to_wkt()}
    if form == "NetCDF-3":
        values = values.astype(np.int16)  # it has no unsigned ones
        with netcdf_file(path, "w") as file:
            for side, length in zip(names, values.shape, strict=True):
                file.createDimension(side, length)
            for side, places in sides.items() if coordinates else ():
                file.createVariable(side, "f8", (side,))[:] = places
            vars(file.createVariable("utm", "i4", ()))["_attributes"].update(known)
            variable = file.createVariable(name, values.dtype.str[1:], names)
            variable[:] = values
            variable.grid_mapping = "utm"
    elif form == "NetCDF-4":
        with h5py.File(path, "w") as file:
            file[name], file["utm"] = values, 0
            file[name].attrs["grid_mapping"] = "utm"
            file["utm"].attrs.update(known)
            for axis, side in enumerate(names):
                file[name].dims[axis].label = side
            for axis, (side, places) in enumerate(sides.items() if coordinates else ()):
                file[side] = places
                file[side].make_scale(side)
                file[name].dims[axis].attach_scale(file[side])
    else:
        group = zarr.create_group(path)
        stored = {name: (values, names, {"grid_mapping": "utm"}), "utm": (np.int32(0), (), known)}
        if coordinates:
            stored |= {side: (places, (side,), {}) for side, places in sides.items()}
        for key, (array, dimensions, attributes) in stored.items():
            made = np.asarray(array)
            group.create_array(key, data=made, dimension_names=dimensions, attributes=attributes)


FORMS = {"NetCDF-3": "a.nc", "NetCDF-4": "a.nc", "Zarr": "a.zarr"}


@pytest.mark.parametrize("form", FORMS)
def test_axes_in_the_order_of_x_and_y_are_turned_where_coordinates_tell(
    tmp_path, cube, caplog, form
):
    across_first(tmp_path / FORMS[form], "cube", cube.swapaxes(0, 1), form)
    scene = open_scene(tmp_path / FORMS[form])
    assert np.array_equal(scene.cube[:], cube)
    assert np.array_equal(scene.cube[2:5, 1, ::2], cube[2:5, 1, ::2])
    assert scene.georeference["transform"] == (20.0, 0.0, 5e5, 0.0, -20.0, 4e6)
    assert "its axes are x and y in this order; it is turned, so that y runs down" in caplog.text
    truth = (np.arange(35).reshape(7, 5) % 3).astype(np.int16)
    labels = tmp_path / f"labels_{FORMS[form]}"
    across_first(labels, "gt", truth.T, form)
    found = open_labels(labels)
    assert np.array_equal(found.ground_truth, truth)
    assert found.georeference["transform"] == scene.georeference["transform"]


@pytest.mark.parametrize("form", FORMS)
def test_without_coordinates_x_and_y_stay_rows_and_columns_and_it_is_said(
    tmp_path, cube, caplog, form
):
    across_first(tmp_path / FORMS[form], "cube", cube, form, coordinates=False)
    scene = open_scene(tmp_path / FORMS[form])
    assert np.array_equal(scene.cube[:], cube)
    assert scene.georeference is None
    assert "without coordinates; they are taken as rows and columns" in caplog.text


def parameters(path, cube, **stated):
    """Write a cube whose grid mapping has no crs_wkt."""
    with h5py.File(path, "w") as file:
        file["cube"], file["utm"] = cube, 0
        file["cube"].attrs["grid_mapping"] = "utm"
        file["utm"].attrs["GeoTransform"] = "500000 20 0 4000000 0 -20 "
        file["utm"].attrs.update(stated)


def test_a_grid_mapping_by_parameters_alone_gives_the_coordinate_system(tmp_path, cube, caplog):
    known = pyproj.CRS.from_epsg(32616).to_cf()
    known.pop("crs_wkt")
    parameters(tmp_path / "a.nc", cube, **known)
    found = open_scene(tmp_path / "a.nc").georeference
    assert found["transform"] == (20.0, 0.0, 5e5, 0.0, -20.0, 4e6)
    assert CRS.from_wkt(found["crs"]).to_dict() == CRS.from_epsg(32616).to_dict()
    assert not caplog.records


def test_an_ellipsoid_that_is_not_stated_is_said(tmp_path, cube, caplog):
    parameters(tmp_path / "a.nc", cube, grid_mapping_name="latitude_longitude")
    assert CRS.from_wkt(open_scene(tmp_path / "a.nc").georeference["crs"]).is_geographic
    assert "latitude_longitude states no ellipsoid; that of WGS 84 is taken" in caplog.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "has no crs_wkt and no name"),
        ("no_such_projection", "no_such_projection has no crs_wkt and is not understood"),
        ("transverse_mercator", "transverse_mercator has no crs_wkt and is not understood"),
    ],
)
def test_a_grid_mapping_that_states_no_coordinate_system_is_said(
    tmp_path, cube, caplog, name, said
):
    parameters(tmp_path / "a.nc", cube, grid_mapping_name=name)
    assert open_scene(tmp_path / "a.nc").georeference is None
    assert said in caplog.text


def test_parameters_without_pyproj_are_said(tmp_path, cube, caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyproj", None)
    parameters(tmp_path / "a.nc", cube, grid_mapping_name="transverse_mercator")
    assert open_scene(tmp_path / "a.nc").georeference is None
    assert "its parameters need pyproj: pip install" in caplog.text
