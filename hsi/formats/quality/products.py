"""Quality layers that products bring beside their scenes: clouds, shadows, defective pixels.

What each product marks, and how, is told in one table of words:

* Sentinel-2 level 2A: the scene classification, …_SCL_20m.jp2 [1]_.
* Landsat Collection 2: the bits of …_QA_PIXEL.TIF and …_QA_RADSAT.TIF [2]_.
* EnMAP: …QL_QUALITY_CLOUD.TIF and others of one band [3]_.
* DESIS level 2A: the first eight layers of …QL_QUALITY-2.tif [4]_.
* EMIT level 2A: the flags of EMIT_L2A_MASK_….nc, by the names that the file gives them [5]_.

.. [1] https://sentiwiki.copernicus.eu/web/s2-processing
.. [2] https://www.usgs.gov/landsat-missions/landsat-collection-2-quality-assessment-bands
.. [3] https://www.enmap.org/data/doc/EN-PCV-ICD-2009-2_HSI_Product_Specification_Level1_Level2.pdf
.. [4] https://www.dlr.de/eoc/en/desktopdefault.aspx/tabid-13618/
.. [5] https://lpdaac.usgs.gov/documents/1571/EMIT_L2A_User_Guide_V1.pdf
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import why
from hsi.errors import HsiError
from hsi.formats.geotiff import sentinel2, spectral_image
from hsi.formats.quality.layers import Flag, Hdf5Layer, RasterLayer, Test

WORDS = ("no-data", "defective", "cloud", "cirrus", "haze", "shadow", "snow", "water")
USUAL = ("no-data", "defective", "cloud", "cirrus", "shadow")  # what 'usual' stands for

# Word -> classes of Sentinel-2's scene classification.
SCENE_CLASSES = {
    "no-data": (0,), "defective": (1,), "shadow": (3,), "cloud": (8, 9), "cirrus": (10,),
    "snow": (11,), "water": (6,),
}  # fmt: skip
# Word -> bits of Landsat's QA_PIXEL; in QA_RADSAT a bit a band that is saturated, or a lost pixel.
PIXEL_BITS = {
    "no-data": (0,), "cloud": (1, 3), "cirrus": (2,), "shadow": (4,), "snow": (5,), "water": (7,),
}  # fmt: skip
RADSAT_BITS = tuple(range(10))
LANDSAT = re.compile(r"^(L[CETOM]0\d_.+?)_(?:SR_|ST_)?B\d+(?:_VCID_\d)?\.tiff?$", re.I)
# Word -> files of EnMAP, and their values; () for all above 0.
ENMAP_FILES: dict[str, tuple[str, tuple[int, ...]]] = {
    "no-data": ("QL_QUALITY_CLASSES", (3,)), "water": ("QL_QUALITY_CLASSES", (2,)),
    "cloud": ("QL_QUALITY_CLOUD", ()), "cirrus": ("QL_QUALITY_CIRRUS", ()),
    "haze": ("QL_QUALITY_HAZE", ()), "shadow": ("QL_QUALITY_CLOUDSHADOW", ()),
    "snow": ("QL_QUALITY_SNOW", ()),
}  # fmt: skip
# Word -> layers of DESIS, counted from 1.
DESIS_FILE = "QL_QUALITY-2"
DESIS_LAYERS = {"shadow": (1,), "snow": (3,), "haze": (4, 5), "cloud": (6, 7), "water": (8,)}
# Word -> flags of EMIT, in lower case.
EMIT_FLAGS = {
    "cloud": ("cloud flag", "dilated cloud flag", "spectf-cloud flag"),
    "cirrus": ("cirrus flag",), "defective": ("spacecraft flag",), "water": ("water flag",),
}  # fmt: skip
EMIT = re.compile(r"^EMIT_L\d\w?_(?:RFL|RAD)_\d+_(\d{8}T\d{6}_\d+_\d+)\.nc$", re.I)


def beside(path: Path) -> list[Flag]:
    """Return the flags of all quality layers beside a scene; empty without any.

    Raises
    ------
    HsiError
        A layer cannot be read, or rasterio is not installed.
    """
    finders = (_sentinel2, _landsat, _dlr, _emit)
    return [flag for find in finders for flag in find(path)]


def chosen(flags: Sequence[Flag], words: str, where: str) -> list[Flag]:
    """Return the flags that a text names: words with commas, or 'usual'.

    Raises
    ------
    HsiError
        No quality layer, a word that is not known, or that the layers do not tell.
    """
    told = [word for word in WORDS if any(flag.word == word for flag in flags)]
    asked = [word.strip() for word in words.split(",")]
    if unknown := [word for word in asked if word not in (*WORDS, "usual")]:
        raise HsiError(f"`quality` {unknown[0]}: expected usual, or some of {', '.join(WORDS)}")
    if not flags:
        raise HsiError(
            f"{where}: `quality`: expected a quality layer beside it (of Sentinel-2, Landsat, "
            "EnMAP, DESIS or EMIT, under its own name), found none; put it there"
        )
    if missing := [word for word in asked if word != "usual" and word not in told]:
        raise HsiError(
            f"{where}: `quality` {missing[0]}: expected what its layers tell ({', '.join(told)}), "
            "found another word"
        )
    wanted = {word for name in asked for word in (USUAL if name == "usual" else (name,))}
    return [flag for flag in flags if flag.word in wanted]


def _above_zero(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(values > 0)


def _one_of(classes: tuple[int, ...]) -> Test:
    return lambda values: np.isin(values, classes)


def _bits(numbers: tuple[int, ...]) -> Test:
    wanted = sum(1 << number for number in numbers)
    return lambda values: np.asarray((values & values.dtype.type(wanted)) != 0)


def _sentinel2(path: Path) -> Iterator[Flag]:
    tile = sentinel2.TILE.search(path.name)
    if tile is None or sentinel2.band_of(path) is None:
        return
    folders = [path.parent, *(path.parent.parent / name for name in ("R20m", "R60m"))]
    own = re.search(r"_(\d\dm)\.", path.name)
    for end in dict.fromkeys([*([own[1]] if own else []), "20m", "60m"]):
        for folder in folders:
            named = (f for f in sorted(folder.glob("*_SCL*")) if f"_SCL_{end}." in f.name)
            file = next((f for f in named if tile[0].upper() in f.name.upper()), None)
            if file is not None:
                layer = RasterLayer(file)
                for word, classes in SCENE_CLASSES.items():
                    yield Flag(word, layer, _one_of(classes))
                return


def _landsat(path: Path) -> Iterator[Flag]:
    named = LANDSAT.match(path.name)
    if named is None:
        return
    pixel = _beside(path, f"{named[1]}_QA_PIXEL")
    if pixel is not None:
        layer = RasterLayer(pixel)
        for word, numbers in PIXEL_BITS.items():
            yield Flag(word, layer, _bits(numbers))
    saturated = _beside(path, f"{named[1]}_QA_RADSAT")
    if saturated is not None:
        yield Flag("defective", RasterLayer(saturated), _bits(RADSAT_BITS))


def _dlr(path: Path) -> Iterator[Flag]:
    """Yield the flags of EnMAP and DESIS."""
    prefix, image, _ = path.name.upper().rpartition(spectral_image.IMAGE)
    if not image:
        return
    for word, (name, classes) in ENMAP_FILES.items():
        file = _beside(path, f"{prefix}{name}")
        if file is not None:
            yield Flag(word, RasterLayer(file), _one_of(classes) if classes else _above_zero)
    file = _beside(path, f"{prefix}{DESIS_FILE}")
    if file is not None:
        for word, numbers in DESIS_LAYERS.items():
            for number in numbers:
                yield Flag(word, RasterLayer(file, number), _above_zero)


def _emit(path: Path) -> Iterator[Flag]:
    named = EMIT.match(path.name)
    if named is None:
        return
    file = next((f for f in sorted(path.parent.glob(f"EMIT_L2A_MASK_*_{named[1]}.nc"))), None)
    if file is None:
        return
    import h5py

    try:
        opened = h5py.File(file, "r")
        labels = [
            (label.decode() if isinstance(label, bytes) else str(label)).strip().lower()
            for label in np.ravel(opened["sensor_band_parameters/mask_bands"][()])
        ]
        dataset = opened["mask"]
        if dataset.ndim != 3 or dataset.shape[2] != len(labels):
            raise ValueError(f"{len(labels)} names for a mask of shape {dataset.shape}")
    except (OSError, KeyError, ValueError) as error:
        raise HsiError(
            f"{file}: expected a quality mask of EMIT ({why(error, whole=True)}); fetch it again"
        ) from error
    for word, names in EMIT_FLAGS.items():
        for name in names:
            if name in labels:
                yield Flag(word, Hdf5Layer(file, dataset, labels.index(name)), _above_zero)


def _beside(path: Path, stem: str) -> Path | None:
    """Return the TIFF of a name beside a file, in any case of letters."""
    wanted = {f"{stem}{suffix}".upper() for suffix in (".tif", ".tiff", ".jp2")}
    found = (f for f in sorted(path.parent.iterdir()) if f.name.upper() in wanted)
    return next(found, None)
