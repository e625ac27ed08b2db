"""Pages of a TIFF are bands."""

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.describe import describe
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import open_scene, write_scene
from tests.hsi.formats.real_files.samples import CUBE, B, H, W


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
