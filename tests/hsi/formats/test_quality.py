"""Quality layers, written as the products' descriptions say: clouds and others become a mask."""

import h5py
import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.combined.stack import stack
from hsi.scenes.describe import describe
from hsi.scenes.quality import counted, masked
from hsi.scenes.scene import Scene, open_scene, write_scene

rasterio = pytest.importorskip("rasterio")

SIZE = 16


def image(path, array, pixel=20.0, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = array if array.ndim == 3 else array[..., None]
    grid = rasterio.Affine(pixel, 0, 5e5, 0, -pixel, 4e6)
    with rasterio.open(
        path, "w", driver=options.pop("driver", "GTiff"), height=array.shape[0],
        width=array.shape[1], count=array.shape[2], dtype=array.dtype.name, crs="EPSG:32632",
        transform=grid, **options,
    ) as file:  # fmt: skip
        file.write(np.moveaxis(array, -1, 0))
    return path


def values(size=SIZE, bands=1):
    return np.random.default_rng(0).integers(1, 9999, (size, size, bands)).astype(np.uint16)


def row(number, value, dtype=np.uint8, size=SIZE):
    """Return a layer with one row set."""
    made = np.zeros((size, size), dtype)
    made[number] = value
    return made


JP2 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}


@pytest.fixture
def safe(tmp_path):
    """A granule of Sentinel-2: bands of 10 and 20 m, and a scene classification of 20 m."""
    folder, name = tmp_path / "X.SAFE" / "GRANULE" / "L2A" / "IMG_DATA", "T32UQD_20240101T101010"
    fine = image(folder / "R10m" / f"{name}_B02_10m.jp2", values(32), 10.0, **JP2)
    coarse = image(folder / "R20m" / f"{name}_B05_20m.jp2", values(16), **JP2)
    classes = np.full((16, 16), 4, np.uint8)  # vegetation
    for number, value in enumerate((0, 1, 3, 8, 9, 10, 11, 6)):
        classes[number] = value
    layer = image(folder / "R20m" / f"{name}_SCL_20m.jp2", classes, **JP2)
    return fine, coarse, layer


def test_sentinel_2(safe, tmp_path):
    fine, coarse, layer = safe
    scene = open_scene(coarse)
    counts = dict.fromkeys(("no-data", "defective", "cirrus", "shadow", "snow", "water"), 16)
    assert counted(scene) == counts | {"cloud": 32}
    assert "cloud 32" in describe(scene)["quality layers"]
    assert scene.mask is None  # only where it is asked for
    clear = masked(scene, "usual")
    assert np.array_equal(clear.no_data(slice(None)).any(axis=1), np.arange(16) < 6)
    assert np.array_equal(clear.cube, scene.cube)
    assert "no-data" in clear.provenance["masked"]
    assert layer.name in clear.provenance["masked"]
    assert masked(scene, "snow").pixels_without_data() == 16
    assert masked(scene, None) is scene
    # The finer band: each pixel of the layer stands for four.
    empty = masked(open_scene(fine), "cloud, shadow").no_data(slice(None))
    rows = np.repeat(np.isin(np.arange(16), (2, 3, 4)), 2)
    assert np.array_equal(empty, np.repeat(rows[:, None], 32, 1))
    window = masked(open_scene(fine), "cloud").mask[slice(5, 9), slice(3, 4)]
    assert window[:, 0].tolist() == [True, False, False, False]
    joined = stack([fine, coarse], repeat=True, quality="cloud")
    assert joined.pixels_without_data() == 4 * 32
    for name in ("a.hdr", "a.tif"):
        write_scene(tmp_path / name, joined)
        again = open_scene(tmp_path / name)
        assert np.array_equal(again.no_data(slice(None)), joined.no_data(slice(None)))


def test_landsat(tmp_path):
    stem = "LC08_L2SP_193026_20240101_20240110_02_T1"
    path = image(tmp_path / f"{stem}_SR_B4.TIF", values(), 30.0)
    quality = np.full((SIZE, SIZE), 1 << 6, np.uint16)  # clear
    for number in (0, 1, 2, 3, 4, 5, 7):
        quality[number] = 1 << number
    image(tmp_path / f"{stem}_QA_PIXEL.TIF", quality, 30.0)
    image(tmp_path / f"{stem}_QA_RADSAT.TIF", row(9, 1 << 3, np.uint16), 30.0)
    found = counted(open_scene(path))
    one = ("no-data", "defective", "cirrus", "shadow", "snow", "water")
    assert found == dict.fromkeys(one, 16) | {"cloud": 32}
    rows = masked(open_scene(path), "defective,cloud").no_data(slice(None)).any(axis=1)
    assert np.flatnonzero(rows).tolist() == [1, 3, 9]


def test_enmap(tmp_path):
    stem = "ENMAP01-____L2A-DT01-"
    path = image(tmp_path / f"{stem}SPECTRAL_IMAGE.TIF", values(bands=3), 30.0)
    (tmp_path / f"{stem}METADATA.XML").write_text("<a/>")
    classes = np.ones((SIZE, SIZE), np.uint8)
    classes[0], classes[1] = 3, 2
    image(tmp_path / f"{stem}QL_QUALITY_CLASSES.TIF", classes)
    for number, name in enumerate(("CLOUD", "HAZE", "CLOUDSHADOW", "SNOW"), 2):
        image(tmp_path / f"{stem}QL_QUALITY_{name}.TIF", row(number, 1))
    image(tmp_path / f"{stem}QL_QUALITY_CIRRUS.TIF", row(6, 2))  # 1 to 3: thin to thick
    words = ("no-data", "cloud", "cirrus", "haze", "shadow", "snow", "water")
    scene = open_scene(path)
    assert counted(scene) == dict.fromkeys(words, 16)
    rows = masked(scene, "usual").no_data(slice(None)).all(axis=1)
    assert np.flatnonzero(rows).tolist() == [0, 2, 4, 6]


def test_desis(tmp_path):
    stem = "DESIS-HSI-L2A-DT01-"
    path = image(tmp_path / f"{stem}SPECTRAL_IMAGE.tif", values(bands=3), 30.0)
    layers = np.dstack([row(number, 1) for number in range(8)] + [row(0, 200)] * 2)
    image(tmp_path / f"{stem}QL_QUALITY-2.tif", layers)
    image(tmp_path / f"{stem}QL_QUALITY.tif", np.ones((SIZE, SIZE, 3), np.uint8))  # of each band
    scene = open_scene(path)
    expected = {"cloud": 32, "haze": 32, "shadow": 16, "snow": 16, "water": 16}
    assert counted(scene) == expected
    rows = masked(scene, "cloud,shadow").no_data(slice(None)).all(axis=1)
    assert np.flatnonzero(rows).tolist() == [0, 5, 6]
    image(tmp_path / f"{stem}QL_QUALITY-2.tif", layers[:7])
    with pytest.raises(HsiError, match=r"QUALITY-2\.tif: expected .* 16 × 16 .* found 7 × 16"):
        masked(scene, "cloud")
    image(tmp_path / f"{stem}QL_QUALITY-2.tif", layers[..., :3])
    with pytest.raises(HsiError, match="expected a quality layer of 4 bands or more, found 3"):
        masked(scene, "cloud")


OLD = [
    "Cloud flag", "Cirrus flag", "Water flag", "Spacecraft Flag", "Dilated Cloud Flag", "AOD550",
    "H2O (g cm-2)", "Aggregate Flag",
]  # fmt: skip
NEW = [
    "Cloud Flag", "Cirrus Flag", "Water Flag", "Dilated Cloud Flag", "SpecTf-Cloud Probability",
    "SpecTf-Cloud Flag", "SpecTf-Buffer Distance",
]  # fmt: skip


@pytest.mark.parametrize("labels", [OLD, NEW])
def test_emit(labels, tmp_path):
    stamp = "20240101T101010_2400101_012"
    path = tmp_path / f"EMIT_L2A_RFL_001_{stamp}.nc"
    centres = np.linspace(400, 2400, 5)
    with h5py.File(path, "w") as file:
        file["reflectance"] = values(bands=5).astype(np.float32) / 9999
        file["sensor_band_parameters/wavelengths"] = centres
    marks = np.dstack([row(number, 1, np.float32) for number in range(len(labels))])
    layer = tmp_path / f"EMIT_L2A_MASK_003_{stamp}.nc"
    with h5py.File(layer, "w") as file:
        file["mask"] = marks
        file["band_mask"] = np.zeros((SIZE, SIZE, 1), np.uint8)
        file["sensor_band_parameters/mask_bands"] = np.array(labels, dtype="S")
    scene = open_scene(path)
    rows = masked(scene, "cloud,cirrus").no_data(slice(None)).all(axis=1)
    clouds = {"cloud flag", "dilated cloud flag", "spectf-cloud flag", "cirrus flag"}
    expected = [n for n, label in enumerate(labels) if label.lower() in clouds]
    assert np.flatnonzero(rows).tolist() == expected
    assert counted(scene)["water"] == 16
    assert ("defective" in counted(scene)) == (labels is OLD)
    layer.write_bytes(layer.read_bytes()[:900])
    with pytest.raises(HsiError, match=r"MASK.*expected a quality mask of EMIT") as error:
        masked(scene, "cloud")
    assert "\n" not in str(error.value)


def test_what_is_not_told_is_refused(safe, tmp_path):
    _, coarse, _ = safe
    with pytest.raises(HsiError, match="`quality` fog: expected usual, or some of no-data"):
        masked(open_scene(coarse), "cloud,fog")
    with pytest.raises(HsiError, match="`quality` haze: expected what its layers tell"):
        masked(open_scene(coarse), "haze")
    plain = image(tmp_path / "plain.tif", values())
    with pytest.raises(HsiError, match="plain: `quality`: expected a quality layer beside it"):
        masked(open_scene(plain), "usual")
    with pytest.raises(HsiError, match="expected a quality layer beside it"):
        masked(Scene("made", values()), "usual")
    assert "quality layers" not in describe(open_scene(plain))


def test_a_mask_of_the_scene_itself_still_counts(safe):
    _, coarse, _ = safe
    scene = open_scene(coarse)
    own = np.ones((16, 16), bool)
    own[15, 15] = False
    given = Scene("x", scene.cube, mask=own, provenance=scene.provenance)
    assert masked(given, "cloud").pixels_without_data() == 33
