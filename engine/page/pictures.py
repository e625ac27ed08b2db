"""Pictures inside a page, each once, as small as the page's size asks for."""

import base64
import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

# Quality of WebP (None is lossless) and the largest side in pixels, in the order they are tried.
FORMS: tuple[tuple[int | None, int], ...] = (
    (None, 256), (92, 256), (80, 256), (80, 192), (70, 128), (60, 96), (50, 64), (40, 32),
)  # fmt: skip


@dataclass
class Pictures:
    """Pictures of a page; the same pixels are stored once.

    Attributes
    ----------
    arrays : list of ndarray (H, W) or (H, W, 3), uint8
        A picture's index is what scripts know it by.
    """

    arrays: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def add(self, pixels: npt.NDArray[np.uint8]) -> int:
        """Return the index of a picture, which is added if it is new."""
        digest = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()
        if digest not in self._known:
            self._known[digest] = len(self.arrays)
            self.arrays.append(pixels)
        return self._known[digest]

    def encode(self, most: int) -> tuple[list[str], str]:
        """Return data URIs of all pictures, of at most so many characters together.

        Parameters
        ----------
        most : int
            Characters. The best of `FORMS` that fits is taken for all pictures; where none does,
            the last pictures are left out (an empty text).

        Returns
        -------
        uris : list of str
        said : str
            How the pictures are stored, as a sentence.
        """
        uris: list[str] = []
        for quality, side in FORMS:
            uris = [data_uri(middle(pixels, side), quality) for pixels in self.arrays]
            if sum(map(len, uris)) <= most:
                return uris, _said(quality, side)
        kept, used = [], 0
        for uri in uris:
            used += len(uri)
            kept.append(uri if used <= most else "")
        left = sum(not uri for uri in kept)
        return kept, f"{_said(*FORMS[-1])} {left} of {len(kept)} pictures do not fit the page."


def middle(pixels: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Return the middle of a picture, at most `side` pixels each way, at its own size."""
    top, left = (max((length - side) // 2, 0) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def data_uri(pixels: npt.NDArray[np.uint8], quality: int | None = None) -> str:
    """Return a picture (H, W) or (H, W, 3), uint8, as WebP inside a URI; lossless by default."""
    buffer = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    if quality is None:
        picture.save(buffer, "WEBP", lossless=True, quality=60, method=4)
    else:
        picture.save(buffer, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _said(quality: int | None, side: int) -> str:
    kept = "without loss" if quality is None else f"as WebP of quality {quality}"
    return f"The middle of each picture is shown, at most {side} pixels each way, stored {kept}."
