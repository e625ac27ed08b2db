"""Open an image with Pillow whatever its size."""

import threading
from typing import BinaryIO

from PIL import Image

_opening = threading.Lock()


def open_image(file: BinaryIO, formats: list[str] | None = None) -> Image.Image:
    """Open with Pillow whatever the size: its limit is for images from strangers on a server."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
