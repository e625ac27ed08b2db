"""A TIFF that is cut short is refused, whatever packs its strips and tiles."""

import numpy as np
import pytest
import tifffile
from skimage import data

from restore.errors import RestoreError
from restore.images import files

PIXELS = np.stack([data.camera()[100:196, 200:296]] * 3, axis=-1)
PACKED = [None, "jpeg", "jpeg2000", "lzw", "zlib", "packbits", "lzma", "zstd", "webp"]


@pytest.mark.parametrize("layout", [{"rowsperstrip": 48}, {"tile": (48, 48)}, {"rowsperstrip": 96}])
@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("page", [0, 1])
def test_a_cut_file_is_refused(tmp_path, packing, layout, page):
    path = tmp_path / "a.tif"
    how = {"photometric": "rgb", "compression": packing, "metadata": None, **layout}
    if packing == "webp":
        how["compressionargs"] = {"lossless": True}
    with tifffile.TiffWriter(path) as file:
        for _ in range(page + 1):
            file.write(PIXELS, **how)
    assert len(files.read_pages(path)) == page + 1
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        last = file.pages[page]
        end = last.dataoffsets[-1] + last.databytecounts[-1]
    for missing in (40, 1500):
        path.write_bytes(whole[: end - missing])
        with pytest.raises(RestoreError, match=r"a\.tif: "):
            files.read_pages(path)


@pytest.mark.parametrize("packing", ["jpeg", "jpeg2000"])
def test_a_strip_whose_own_data_end_early_is_refused(tmp_path, packing):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, photometric="rgb", compression=packing, rowsperstrip=48)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        offset, size = page.dataoffsets[0], page.databytecounts[0]
    content = bytearray(path.read_bytes())
    content[offset + size // 2 : offset + size] = bytes(size - size // 2)
    path.write_bytes(content)
    with pytest.raises(RestoreError, match="part 1 of the 2 of its pixels ends before"):
        files.read_pages(path)
