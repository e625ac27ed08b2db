"""Pictures of random values for the tests of reading and writing."""

import struct

import numpy as np
from PIL import ImageCms

from restore.images.picture import Picture

RNG = np.random.default_rng(0)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def samples(dtype, channels):
    shape = (13, 17) if channels == 1 else (13, 17, channels)
    if dtype == np.float32:
        return RNG.normal(0.5, 1, shape).astype(np.float32)
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def picture(dtype=np.uint8, channels=3, alpha=False, **more):
    return Picture(samples(dtype, channels), alpha=samples(dtype, 1) if alpha else None, **more)


def exif(orientation, order=">"):
    """An EXIF block with a maker's tag before the orientation and one after."""
    entries = [(0x010F, 2, 4, b"Own\0"), (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0))]
    entries.append((0x8298, 2, 4, b"Me\0\0"))
    block = (b"MM" if order == ">" else b"II") + struct.pack(order + "HI", 42, 8)
    block += struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        block += struct.pack(order + "HHI", tag, kind, count) + value
    return block + b"\0\0\0\0"
