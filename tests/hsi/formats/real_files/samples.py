"""Files as people have them: each came out wrong once, with its siblings."""

import numpy as np
import pytest

H, W, B = 20, 24, 6
WL = [450.0, 550.0, 650.0, 850.0, 1600.0, 2200.0]
LISTED = "wavelength = {450, 550, 650, 850, 1600, 2200}\n"
WLINE = LISTED + "wavelength units = Nanometers\n"
PLANES = np.arange(H)[:, None, None] * 10 + np.arange(W)[None, :, None]
CUBE = (100 * (1 + np.arange(B)) + PLANES).astype("<i2")


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
