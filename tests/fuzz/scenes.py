"""The readers of `hsi` to fuzz: scenes and labels of all formats, models, splits, components."""

import io
import json
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from engine.device import Compute
from engine.errors import UserError
from hsi.blockwise.journal import BlockJournal
from hsi.classifiers.model import make_classifier
from hsi.classifiers.train import train
from hsi.features.components import ComponentsFile, load_components
from hsi.features.pca import fit_pca
from hsi.formats.registry import files
from hsi.maps.classify import classify
from hsi.maps.record import read_record, read_strip_record
from hsi.scenes.describe import describe
from hsi.scenes.labels import make_labels, open_labels
from hsi.scenes.scene import Scene, open_scene, write_scene
from hsi.splits.split import load_split, make_split
from tests.fuzz import mutations
from tests.fuzz.reader import Reader, Seeds

_R = np.random.default_rng(0)
_CUBE = _R.integers(1, 200, (12, 10, 6)).astype("<u2")
_LABELS = (np.add.outer(np.arange(12) // 4, np.arange(10) // 5 * 3) % 4).astype(np.uint8)
_CENTRES = np.arange(6) * 100 + 400.0
_CPU = Compute(torch.device("cpu"), "float32", "test")
_KEY = {"scene": 1}


def _made(folder: Path, suffix: str, make: Callable[[Path], object]) -> tuple[bytes, str]:
    path = folder / f"made{suffix}"
    make(path)
    return path.read_bytes(), suffix


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
    data = _LABELS if b"Classification" in path.read_bytes() else _CUBE.transpose(0, 2, 1)
    path.with_suffix(".img").write_bytes(data.tobytes())
    _read_either(path)


def _npy(array: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **more)
    return file.getvalue()


def _npys(_: Path) -> Seeds:
    yield _npy(_CUBE), ".npy"
    yield _npy(_LABELS), ".npy"
    yield _npy(np.asfortranarray(_CUBE.astype("f4"))), ".npy"


def _npz(packed: bool = False, **arrays: Any) -> tuple[bytes, str]:
    file = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(file, **arrays)
    return file.getvalue(), ".npz"


def _npzs(_: Path) -> Seeds:
    yield _npz(cube=_CUBE, wavelengths=_CENTRES)
    yield _npz(packed=True, cube=_CUBE, gt=_LABELS)
    yield _npz(gt=_LABELS)


def of_npy(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Damage an array: bytes, or the text of its header under its right length."""
    if r.random() < 0.5 or len(data) < 12:
        return mutations.of_bytes(r, data, others)
    size = struct.unpack("<H", data[8:10])[0]
    text = mutations.of_text(r, data[10 : 10 + size].rstrip(), others)[:60_000] + b"\n"
    return data[:8] + struct.pack("<H", len(text)) + text + data[10 + size :]


def of_zip(r: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Damage an archive: bytes, or one of its members packed anew."""
    if r.random() < 0.3:
        return mutations.of_bytes(r, data, others)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    name, how = r.choice(list(held)), r.randrange(5)
    if how == 0:
        del held[name]
    elif how == 1:
        held[name + r.choice(["x", "/../../x", ".npy"])] = held.pop(name)
    elif how == 2:
        held[name] = held[r.choice(list(held))]
    else:
        held[name] = of_npy(r, held[name], list(held.values()))
    file = io.BytesIO()
    with zipfile.ZipFile(
        file, "w", r.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    ) as archive:
        for key, content in held.items():
            archive.writestr(key, content)
    return file.getvalue()


def _matlab(folder: Path) -> Seeds:
    from scipy.io import savemat

    def saved(form: str = "5", packed: bool = False, **arrays: Any) -> tuple[bytes, str]:
        return _made(
            folder, ".mat",
            lambda path: savemat(path, arrays, format=form, do_compression=packed),
        )  # fmt: skip

    yield saved(cube=_CUBE, wavelength=_CENTRES)
    cell = np.array([1, "a"], object)
    yield saved(packed=True, gt=_LABELS, note="text", cell=cell, st={"x": 1, "y": _LABELS})
    yield saved(x=_CUBE.reshape(120, 6).T, nRow=12.0, nCol=10.0)
    yield saved(hsi={"cube": _CUBE, "complex": _CUBE[0] * 1j})
    yield saved("4", y=_LABELS)


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
            cube = file.create_dataset("a/cube", data=_CUBE, **how)
            cube.attrs["_FillValue"] = 0
            cube.attrs["scale_factor"] = [0.5]
            file["a/wavelength"] = _CENTRES
            file["a/wavelength"].attrs["units"] = "nm"
            file["gt"] = _LABELS

    def emit(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["reflectance"] = _CUBE.astype("f4")
            file["sensor_band_parameters/wavelengths"] = _CENTRES
            file["sensor_band_parameters/good_wavelengths"] = np.ones(6)

    def prisma(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for sensor in ("Vnir", "Swir"):
                place = f"HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/{sensor.upper()}_Cube"
                file[place] = _CUBE.transpose(0, 2, 1)
                file.attrs[f"List_Cw_{sensor}"] = np.array([900.0, 800, 700, 600, 500, 0])

    def grid(path: Path) -> None:
        with h5py.File(path, "w", libver="latest") as file:
            file["x"], file["y"] = np.arange(10.0), np.arange(12.0)
            file["cube"] = _CUBE
            for axis, name in ((0, "y"), (1, "x")):
                file[name].make_scale(name)
                file["cube"].dims[axis].attach_scale(file[name])
            file["cube"].attrs["grid_mapping"] = "crs"
            file.create_dataset("crs", data=0).attrs["crs_wkt"] = "x"

    yield _made(folder, ".mat", lambda path: of_matlab(path, cube=_CUBE, wavelength=_CENTRES))
    yield _made(folder, ".mat", lambda path: of_matlab(path, gt=_LABELS))
    yield _made(folder, ".h5", plain)
    yield _made(folder, ".h5", lambda path: plain(path, packed=True))
    yield _made(folder, ".nc", emit)
    yield _made(folder, ".he5", prisma)
    yield _made(folder, ".nc", grid)


def _netcdf3(folder: Path) -> Seeds:
    from scipy.io import netcdf_file

    def make(path: Path) -> None:
        with netcdf_file(str(path), "w") as file:
            for name, size in (("y", 12), ("x", 10), ("band", 6)):
                file.createDimension(name, size)
            cube = file.createVariable("cube", "i2", ("y", "x", "band"))
            cube[:] = _CUBE
            cube._FillValue = 0
            file.createVariable("wavelength", "f8", ("band",))[:] = _CENTRES

    yield _made(folder, ".nc", make)


def _geotiff(folder: Path) -> Seeds:
    scene = Scene("a", _CUBE, _CENTRES, ignore_value=0, mask=_LABELS > 0)
    yield _made(folder, ".tif", lambda path: write_scene(path, scene))
    yield _made(folder, ".tif", lambda path: Image.fromarray(_LABELS).save(path))


def _png_labels(_: Path) -> Seeds:
    for image in (
        Image.fromarray(_LABELS),
        Image.fromarray(_LABELS).convert("P"),
        Image.fromarray(_LABELS.astype(np.uint16) * 300),
    ):
        file = io.BytesIO()
        image.save(file, "PNG")
        yield file.getvalue(), ".png"


_SCENE = Scene("a", np.tile(_CUBE, (2, 2, 1)), _CENTRES)
_TRUTH = make_labels("a", np.tile(_LABELS, (2, 2)))


def _models(folder: Path) -> Seeds:
    split = make_split(_TRUTH, "random:0.3", window=9)
    (folder / "quick.yaml").write_text("steps: 2\nbatch_size: 4\n")
    for name in ("cnn2d", "svm", "coordinates"):
        own: dict[str, Any] = {}
        if name == "cnn2d":
            own = {"window": 9, "components": 3, "settings": {"hidden": "4,4"}}
        path = folder / f"{name}.safetensors"
        train(
            make_classifier(name, **own), _SCENE, _TRUTH, split, path,
            compute=_CPU, schedule=str(folder / "quick.yaml"),
        )  # fmt: skip
        yield path.read_bytes(), ".safetensors"


def _read_model(path: Path) -> None:
    out = path.with_name("map.npy")
    try:
        classify(_SCENE, path, out, compute=_CPU)
    finally:
        for left in path.parent.glob("map.*"):
            left.unlink()
        shutil.rmtree(path.with_name(".map.npy.part"), ignore_errors=True)


def _splits(folder: Path) -> Seeds:
    split = make_split(_TRUTH, "random:0.3", window=9)
    yield _made(folder, ".npz", split.save)


def _read_split(path: Path) -> None:
    split = load_split(path)
    split.check_fits(_TRUTH)
    split.describe()
    out = path.with_name("model.safetensors")
    try:
        train(make_classifier("coordinates"), _SCENE, _TRUTH, split, out, compute=_CPU)
    finally:
        out.unlink(missing_ok=True)


def _components(folder: Path) -> Seeds:
    pca = fit_pca(_SCENE, 3)
    made = ComponentsFile(pca.reduce(_SCENE), pca, "a", _SCENE.checksum())
    yield _made(folder, ".npz", made.save)


def _read_components(path: Path) -> None:
    load_components(path).check_fits(_SCENE)


def _records(_: Path) -> Seeds:
    record = {
        "scene": "a", "classifier": "svm", "split": "random:0.3", "trained_split": {"how": "x"},
        "seed": 0, "schedule": "", "seconds_map": 1.5, "seconds_train": 2.0, "rows": [0, 12],
        "model_sha256": "00", "precision": "float32", "bands": None, "scaling": "of the training",
    }  # fmt: skip
    yield json.dumps(record).encode(), ".json"


def _read_map_record(path: Path) -> None:
    record = read_record(path.with_suffix(".npy"))
    start, stop = read_strip_record(path.with_suffix(".npy"))["rows"]
    assert stop - start + round(record.get("seconds_map") or 0, 3) is not None


def _block_journals(_: Path) -> Seeds:
    lines = [
        {"key": _KEY, "block": [4, 4]},
        {"finished": [0, 1], "seconds": 0.5},
        {"placing": True},
    ]
    yield "".join(json.dumps(line) + "\n" for line in lines).encode(), ".jsonl"


def _read_block_journal(path: Path) -> None:
    folder = path.with_name(".map.npy.part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(path, folder / "blocks.jsonl")
    with BlockJournal(path.with_name("map.npy"), _KEY) as journal:
        journal.add([2], journal.seconds + 1)
        journal.done()


READERS: dict[str, Reader] = {
    "ENVI": Reader(_envi, mutations.of_text, _read_envi),
    "npy": Reader(_npys, of_npy, _read_either),
    "npz": Reader(_npzs, of_zip, _read_either),
    "MATLAB": Reader(_matlab, mutations.of_bytes, _read_either),
    "HDF5": Reader(_hdf5, mutations.of_bytes, _read_either),
    "NetCDF 3": Reader(_netcdf3, mutations.of_bytes, _read_either),
    "GeoTIFF": Reader(_geotiff, mutations.of_bytes, _read_either),
    "labels as PNG": Reader(_png_labels, mutations.of_png, _read_either),
    "models": Reader(_models, mutations.of_safetensors, _read_model),
    "splits": Reader(_splits, of_zip, _read_split),
    "components": Reader(_components, of_zip, _read_components),
    "records of maps": Reader(_records, mutations.of_text, _read_map_record),
    "journal of blocks": Reader(_block_journals, mutations.of_text, _read_block_journal),
}
