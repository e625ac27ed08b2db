"""The readers of `hsi` to fuzz: scenes and labels of all formats."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.errors import UserError
from hsi.formats.registry import files
from hsi.scenes.describe import describe
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import Scene, open_scene, write_scene
from hsi.splits.split import make_split
from tests.fuzz import mutations
from tests.fuzz.reader import Reader, Seeds
from tests.fuzz.seeds import CENTRES, CUBE, LABELS, file_of


def _read_either(path: Path) -> None:
    """Read a file as a scene and as labels; refused are those that are neither."""
    found: list[UserError] = []
    for use in (_use_scene, _use_labels):
        try:
            use(path)
        except UserError as error:
            found.append(error)
    if len(found) == 2:
        raise found[0]


def _use_scene(path: Path) -> None:
    files(path)
    scene = open_scene(path)
    describe(scene)
    scene.no_data(slice(0, 4))
    scene.checksum()
    scene.good_bands.any()


def _use_labels(path: Path) -> None:
    labels = open_labels(path)
    if labels.ground_truth.size < 1e6:
        make_split(labels, "random:0.5", window=5)


_HEADER = """ENVI
description = {a cube}
samples = 10
lines = 12
bands = 6
header offset = 0
file type = ENVI Standard
data type = 12
interleave = bil
byte order = 0
wavelength units = Nanometers
wavelength = {400, 500, 600, 700,
 800.5, 900}
fwhm = {10, 10, 10, 10, 10, 10}
bbl = {1, 1, 0, 1, 1, 1}
band names = {a, b, c, d, e, f}
default bands = {3, 2, 1}
data ignore value = 0
reflectance scale factor = 10000
map info = {UTM, 1, 1, 500000, 4000000, 30, 30, 16, North, WGS-84, units=Meters}
"""
_CLASSES = """ENVI
samples = 10
lines = 12
bands = 1
header offset = 0
file type = ENVI Classification
data type = 1
interleave = bsq
byte order = 0
classes = 4
class names = {none, a, b, c}
class lookup = {0,0,0, 255,0,0, 0,255,0, 0,0,255}
"""


def _envi(_: Path) -> Seeds:
    yield _HEADER.encode(), ".hdr"
    yield _CLASSES.encode(), ".hdr"


def _read_envi(path: Path) -> None:
    data = LABELS if b"Classification" in path.read_bytes() else CUBE.transpose(0, 2, 1)
    path.with_suffix(".img").write_bytes(data.tobytes())
    _read_either(path)


def _npy(array: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **more)
    return file.getvalue()


def _npys(_: Path) -> Seeds:
    yield _npy(CUBE), ".npy"
    yield _npy(LABELS), ".npy"
    yield _npy(np.asfortranarray(CUBE.astype("f4"))), ".npy"


def _npz(packed: bool = False, **arrays: Any) -> tuple[bytes, str]:
    file = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(file, **arrays)
    return file.getvalue(), ".npz"


def _npzs(_: Path) -> Seeds:
    yield _npz(cube=CUBE, wavelengths=CENTRES)
    yield _npz(packed=True, cube=CUBE, gt=LABELS)
    yield _npz(gt=LABELS)


def _matlab(folder: Path) -> Seeds:
    from scipy.io import savemat

    def saved(form: str = "5", packed: bool = False, **arrays: Any) -> tuple[bytes, str]:
        return file_of(
            folder, ".mat",
            lambda path: savemat(path, arrays, format=form, do_compression=packed),
        )  # fmt: skip

    yield saved(cube=CUBE, wavelength=CENTRES)
    cell = np.array([1, "a"], object)
    yield saved(packed=True, gt=LABELS, note="text", cell=cell, st={"x": 1, "y": LABELS})
    yield saved(x=CUBE.reshape(120, 6).T, nRow=12.0, nCol=10.0)
    yield saved(hsi={"cube": CUBE, "complex": CUBE[0] * 1j})
    yield saved("4", y=LABELS)


def _hdf5(folder: Path) -> Seeds:
    import h5py

    def of_matlab(path: Path, **arrays: Any) -> None:
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, array in arrays.items():
                file[name] = array
        with path.open("r+b") as raw:
            raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")

    def plain(path: Path, packed: bool = False) -> None:
        with h5py.File(path, "w") as file:
            how = {"chunks": (6, 5, 3), "compression": "gzip"} if packed else {}
            cube = file.create_dataset("a/cube", data=CUBE, **how)
            cube.attrs["_FillValue"] = 0
            cube.attrs["scale_factor"] = [0.5]
            file["a/wavelength"] = CENTRES
            file["a/wavelength"].attrs["units"] = "nm"
            file["gt"] = LABELS

    def emit(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["reflectance"] = CUBE.astype("f4")
            file["sensor_band_parameters/wavelengths"] = CENTRES
            file["sensor_band_parameters/good_wavelengths"] = np.ones(6)

    def prisma(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for sensor in ("Vnir", "Swir"):
                place = f"HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/{sensor.upper()}_Cube"
                file[place] = CUBE.transpose(0, 2, 1)
                file.attrs[f"List_Cw_{sensor}"] = np.array([900.0, 800, 700, 600, 500, 0])

    def grid(path: Path) -> None:
        with h5py.File(path, "w", libver="latest") as file:
            file["x"], file["y"] = np.arange(10.0), np.arange(12.0)
            file["cube"] = CUBE
            for axis, name in ((0, "y"), (1, "x")):
                file[name].make_scale(name)
                file["cube"].dims[axis].attach_scale(file[name])
            file["cube"].attrs["grid_mapping"] = "crs"
            file.create_dataset("crs", data=0).attrs["crs_wkt"] = "x"

    yield file_of(folder, ".mat", lambda path: of_matlab(path, cube=CUBE, wavelength=CENTRES))
    yield file_of(folder, ".mat", lambda path: of_matlab(path, gt=LABELS))
    yield file_of(folder, ".h5", plain)
    yield file_of(folder, ".h5", lambda path: plain(path, packed=True))
    yield file_of(folder, ".nc", emit)
    yield file_of(folder, ".he5", prisma)
    yield file_of(folder, ".nc", grid)


def _netcdf3(folder: Path) -> Seeds:
    from scipy.io import netcdf_file

    def make(path: Path) -> None:
        with netcdf_file(str(path), "w") as file:
            for name, size in (("y", 12), ("x", 10), ("band", 6)):
                file.createDimension(name, size)
            cube = file.createVariable("cube", "i2", ("y", "x", "band"))
            cube[:] = CUBE
            cube._FillValue = 0
            file.createVariable("wavelength", "f8", ("band",))[:] = CENTRES

    yield file_of(folder, ".nc", make)


def _geotiff(folder: Path) -> Seeds:
    scene = Scene("a", CUBE, CENTRES, ignore_value=0, mask=LABELS > 0)
    yield file_of(folder, ".tif", lambda path: write_scene(path, scene))
    yield file_of(folder, ".tif", lambda path: Image.fromarray(LABELS).save(path))


def _png_labels(_: Path) -> Seeds:
    for image in (
        Image.fromarray(LABELS),
        Image.fromarray(LABELS).convert("P"),
        Image.fromarray(LABELS.astype(np.uint16) * 300),
    ):
        file = io.BytesIO()
        image.save(file, "PNG")
        yield file.getvalue(), ".png"


READERS: dict[str, Reader] = {
    "ENVI": Reader(_envi, mutations.of_text, _read_envi),
    "npy": Reader(_npys, mutations.of_npy, _read_either),
    "npz": Reader(_npzs, mutations.of_zip, _read_either),
    "MATLAB": Reader(_matlab, mutations.of_bytes, _read_either),
    "HDF5": Reader(_hdf5, mutations.of_bytes, _read_either),
    "NetCDF 3": Reader(_netcdf3, mutations.of_bytes, _read_either),
    "GeoTIFF": Reader(_geotiff, mutations.of_bytes, _read_either),
    "labels as PNG": Reader(_png_labels, mutations.of_png, _read_either),
}
