"""What is written comes back: type, values, and all that a scene states, in every written form."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from hsi.formats import georeference
from hsi.scenes.scene import Scene, open_scene, write_scene

rasterio = pytest.importorskip("rasterio")
hypothesis = pytest.importorskip("hypothesis", reason="pip install hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra import numpy as arrays  # noqa: E402

INTEGERS = ("uint8", "uint16", "int16", "int32", "uint32", "int64", "uint64")
TYPES = (*INTEGERS, "float32", "float64")
WORDS = st.text("abcXYZ019 ()._-µ", min_size=1, max_size=12).map(lambda t: " ".join(t.split()))
GRIDS = st.tuples(
    st.floats(0.5, 100), st.just(0.0), st.floats(-1e6, 1e6),
    st.just(0.0), st.floats(-100, -0.5), st.floats(0, 9e6),
)  # fmt: skip
POINTS = st.lists(
    st.tuples(st.floats(0, 99), st.floats(0, 99), st.floats(-180, 180), st.floats(-80, 80),
              st.floats(-100, 5000)),
    min_size=1, max_size=7, unique=True,
)  # fmt: skip
CALM = settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


def rpcs(seed):
    """Coefficients as providers write them: ten offsets and scales, four lists of twenty."""
    rng = np.random.default_rng(seed)
    keys = ("LINE_OFF", "SAMP_OFF", "LAT_OFF", "LONG_OFF", "HEIGHT_OFF", "LINE_SCALE",
            "SAMP_SCALE", "LAT_SCALE", "LONG_SCALE", "HEIGHT_SCALE")  # fmt: skip
    lists = ("LINE_NUM_COEFF", "LINE_DEN_COEFF", "SAMP_NUM_COEFF", "SAMP_DEN_COEFF")
    found = {key: f"{rng.normal(0, 1e3):.9g}" for key in keys}
    return found | {key: " ".join(f"{v:.12e}" for v in rng.normal(0, 1, 20)) for key in lists}


@st.composite
def places(draw):
    kind = draw(st.sampled_from(("none", "grid", "points", "rpcs", "points and rpcs")))
    found = {}
    if kind == "grid":
        found = {"crs": draw(st.sampled_from(("EPSG:32616", "EPSG:32733", "EPSG:3035")))}
        found["transform"] = draw(GRIDS)
    if "points" in kind:
        found |= {"gcps": tuple(draw(POINTS)), "gcps crs": "EPSG:4326"}
    if "rpcs" in kind:
        found["rpcs"] = rpcs(draw(st.integers(0, 9)))
    return found or None


@st.composite
def scenes(draw):
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    height, width = (draw(st.integers(1, 5)) for _ in range(2))
    bands = draw(st.integers(1, 5))
    cube = draw(arrays.arrays(dtype, (height, width, bands)))

    def each(values, kind):
        return st.none() | st.lists(values, min_size=bands, max_size=bands).map(
            lambda listed: np.array(listed, kind)
        )

    low, high = (max(np.iinfo(dtype).min, -(2**53)), min(np.iinfo(dtype).max, 2**53)) if (
        dtype.kind in "iu") else (0, 0)  # fmt: skip
    ignored = st.integers(low, high) if dtype.kind in "iu" else st.floats(width=dtype.itemsize * 8)
    factors = st.floats(1e-6, 1e6).filter(lambda v: v != 1)
    return Scene(
        "any",
        cube,
        wavelengths=draw(each(st.floats(100, 20000), np.float64)),
        bad_bands=draw(each(st.booleans(), bool)),
        georeference=draw(places()),
        ignore_value=draw(st.none() | ignored),
        scale=draw(each(factors, np.float64)),
        offset=draw(each(st.floats(1e-3, 1e6), np.float64)),
        fwhm=draw(each(st.floats(0.1, 500), np.float64)),
        band_names=draw(st.none() | st.lists(WORDS.filter(bool), min_size=bands, max_size=bands)),
        default_bands=draw(
            st.none()
            | st.lists(st.integers(0, bands - 1), min_size=1, max_size=3)
            .filter(lambda listed: len(listed) != 2)
            .map(tuple)
        ),
        mask=draw(st.none() | arrays.arrays(bool, (height, width))),
        extra=draw(st.sampled_from(({}, {"sensor type": "AVIRIS", "description": "{a, b}"}))),
    )


def same(left, right):
    if left is None or right is None:
        return left is right
    return np.array_equal(np.asarray(left), np.asarray(right), equal_nan=True)


def check(scene, again):
    assert again.cube.dtype.newbyteorder("=") == scene.cube.dtype
    assert np.asarray(again.cube).tobytes() == scene.cube.tobytes() or same(again.cube, scene.cube)
    for key in ("wavelengths", "bad_bands", "scale", "offset", "fwhm", "default_bands"):
        assert same(getattr(again, key), getattr(scene, key)), key
    assert (None if again.band_names is None else list(again.band_names)) == scene.band_names
    assert again.extra == scene.extra
    if scene.ignore_value is None:
        assert again.ignore_value is None
    else:
        assert again.ignore_value == pytest.approx(scene.ignore_value, rel=0, abs=0, nan_ok=True)
    assert (again.mask is None) == (scene.mask is None)
    assert scene.mask is None or np.array_equal(again.mask[:], scene.mask)
    assert again.no_data(slice(None)).tolist() == scene.no_data(slice(None)).tolist()
    place(scene, again)


def place(scene, again):
    stated, found = (georeference.for_geotiff(each.georeference) for each in (scene, again))
    assert stated.keys() == found.keys()
    assert stated.get("crs") == found.get("crs")
    if "transform" in stated:
        assert found["transform"] == pytest.approx(stated["transform"], rel=1e-12, abs=1e-6)
    points = [[(p.row, p.col, p.x, p.y, p.z) for p in each.get("gcps", ())]
              for each in (stated, found)]  # fmt: skip
    assert points[1] == points[0]
    if "rpcs" in stated:
        texts = [each["rpcs"].to_gdal() for each in (stated, found)]
        numbers = [
            np.array(" ".join(text[key] for key in rpcs(0)).split(), float) for text in texts
        ]
        assert numbers[1] == pytest.approx(numbers[0], rel=1e-12)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("suffix", [".hdr", ".tif"])
def test_everything_comes_back(suffix):
    @CALM
    @given(scenes())
    def round_trip(scene):
        hypothesis.assume(scene.bad_bands is None or not scene.bad_bands.all())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"a{suffix}"
            write_scene(path, scene)
            check(scene, open_scene(path))

    round_trip()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("order", [(".hdr", ".tif"), (".tif", ".hdr")])
def test_copies_of_copies_are_equal(order):
    @settings(CALM, max_examples=8)
    @given(scenes())
    def round_trip(scene):
        hypothesis.assume(scene.bad_bands is None or not scene.bad_bands.all())
        with tempfile.TemporaryDirectory() as folder:
            first, second = (Path(folder) / f"{n}{suffix}" for n, suffix in enumerate(order))
            write_scene(first, scene)
            write_scene(second, open_scene(first))
            check(scene, open_scene(second))

    round_trip()


@CALM
@given(st.sampled_from(TYPES).flatmap(lambda name: arrays.arrays(name, (3, 4, 5))))
def test_values_of_npy_come_back(cube):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npy"
        write_scene(path, Scene("any", cube))
        again = open_scene(path).cube
        assert again.dtype == cube.dtype
        assert np.asarray(again).tobytes() == cube.tobytes()
