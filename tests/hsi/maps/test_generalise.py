"""Maps as products: majority filter and minimum mapping unit, exact across blocks and kills."""

import json

import numpy as np
import pytest
from scipy.ndimage import label

from hsi.cli.arguments import naming_options
from hsi.cli.evaluation import area
from hsi.errors import HsiError
from hsi.formats.registry import read
from hsi.maps import generalise as module
from hsi.maps.classify import classify
from hsi.maps.generalise import majority, sieve
from hsi.maps.join import join
from hsi.maps.options import MapOptions, Strip
from hsi.scenes.labels import write_labels
from hsi.scenes.scene import Scene
from hsi.splits.split import make_split
from tests.hsi.small_maps import parts


@pytest.fixture(scope="module")
def noisy(scene):
    """The stripes under noise, of which a map is speckled."""
    noise = np.random.default_rng(2).normal(0, 900, scene.cube.shape)
    return Scene("Noisy", (scene.cube + noise).astype(np.float32), scene.wavelengths)


def run(small_models, noisy, out, cpu, **options):
    model = small_models / "cnn2d.safetensors"
    return classify(noisy, model, out, MapOptions(**options), compute=cpu)


def speckled(shape=(61, 47), classes=4, seed=0):
    """Fields of a class with single pixels of others, and some pixels of class 0."""
    rng = np.random.default_rng(seed)
    fields = rng.integers(1, classes + 1, (shape[0] // 8 + 1, shape[1] // 8 + 1))
    numbers = np.kron(fields, np.ones((8, 8), int))[: shape[0], : shape[1]]
    other = rng.random(shape) < 0.2
    numbers[other] = rng.integers(0, classes + 1, int(other.sum()))
    return numbers.astype(np.uint8)


def by_hand(numbers, side):
    reach, found = side // 2, numbers.copy()
    for row, column in np.ndindex(numbers.shape):
        around = numbers[
            max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1
        ]
        own = numbers[row, column]
        if own:
            votes = np.bincount(around[around > 0])
            found[row, column] = own if votes[own] == votes.max() else votes.argmax()
    return found


@pytest.mark.parametrize("side", [3, 5, 9])
@pytest.mark.parametrize("rows", [256, 7, 1])
def test_majority_is_that_of_every_square(side, rows, monkeypatch):
    monkeypatch.setattr(module, "ROWS", rows)
    numbers = speckled()
    assert np.array_equal(majority(numbers, side), by_hand(numbers, side))
    assert np.array_equal(majority(numbers[:2, :2], side), by_hand(numbers[:2, :2], side))


def sizes(numbers):
    """Pixels of every region of each class."""
    found = [label(numbers == number)[0] for number in np.unique(numbers[numbers > 0])]
    return np.concatenate([np.bincount(regions.ravel())[1:] for regions in found])


@pytest.mark.parametrize("seed", range(4))
def test_sieve_leaves_no_smaller_region(seed):
    pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    numbers = np.maximum(speckled(seed=seed), 1)
    assert (sizes(numbers) < 9).sum() > 50
    found = sieve(numbers, 9)
    assert found.dtype == numbers.dtype
    assert sizes(found).min() >= 9
    assert np.array_equal(sieve(found, 9), found)
    assert (found != numbers).mean() < 0.4


def test_sieve_and_majority_leave_class_0_alone(caplog):
    pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    numbers = np.full((12, 12), 3, np.uint8)
    numbers[:5] = 0
    numbers[2, 2:4] = 7  # an island in what has no data: no neighbour to join
    numbers[8, 8] = 7
    found = sieve(numbers, 4)
    expected = numbers.copy()
    expected[8, 8] = 3
    assert np.array_equal(found, expected)
    assert "1 regions of fewer than 4 pixels have no neighbour" in caplog.text
    assert np.array_equal(majority(numbers, 3), expected)
    large = numbers.astype(np.uint32) * 70000  # numbers beyond 16 bit
    assert np.array_equal(sieve(large, 4), expected.astype(np.uint32) * 70000)
    with pytest.raises(HsiError, match="`sieve` 145: expected at most the 144 pixels"):
        sieve(numbers, 145)


CHOSEN = {"majority": 3, "sieve": 12}


@pytest.mark.parametrize("suffix", [".npy", ".hdr", ".tif"])
def test_blocks_do_not_change_a_product(small_models, noisy, tmp_path, cpu, suffix):
    pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    plain = run(small_models, noisy, tmp_path / f"plain{suffix}", cpu, confidence=True)
    numbers = np.asarray(read(plain.map, "labels").array)
    expected = sieve(majority(numbers, 3), 12)
    assert not np.array_equal(numbers, expected)
    for block in (None, 7):
        found = run(
            small_models,
            noisy,
            tmp_path / f"b{block}{suffix}",
            cpu,
            block=block,
            confidence=True,
            **CHOSEN,
        )
        assert np.array_equal(np.asarray(read(found.map, "labels").array), expected)
        record = json.loads(found.record.read_text())
        assert (record["majority"], record["sieve"]) == (3, 12)
        assert record["generalised_pixels"] == (numbers != expected).sum()
        one, two = (np.asarray(read(f.confidence, "labels").array) for f in (plain, found))
        assert one == pytest.approx(two, abs=1e-5)  # that of the classifier, unchanged
    assert json.loads(plain.record.read_text())["majority"] is None
    assert parts(tmp_path) == []


@pytest.mark.parametrize("moment", ["while it is written", "before it is placed"])
def test_a_killed_product_is_not_generalised_twice(
    small_models, noisy, tmp_path, cpu, monkeypatch, moment
):
    expected = np.load(run(small_models, noisy, tmp_path / "whole.npy", cpu, majority=5).map)
    out = tmp_path / "m.npy"
    with monkeypatch.context() as patched:
        if moment == "while it is written":
            patched.setattr(module, "ROWS", 4)
            real, calls = module.majority, []
            patched.setattr(module, "majority", lambda *a: calls.append(0) or real(*a))
            patched.setattr("hsi.maps.rasters.NumPyRaster.flush", _fails_when(calls))
        else:
            patched.setattr("hsi.blockwise.journal.BlockJournal.place", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(small_models, noisy, out, cpu, majority=5, block=9)
    assert not out.exists()
    assert len(parts(tmp_path)) == 1
    found = run(small_models, noisy, out, cpu, majority=5, block=9)
    assert np.array_equal(np.load(found.map), expected)
    assert json.loads(found.record.read_text())["generalised_pixels"] > 0


def _interrupt(*_):
    raise KeyboardInterrupt


def _fails_when(calls):
    from hsi.maps.rasters import NumPyRaster

    real = NumPyRaster.flush

    def flush(self):
        if calls:
            raise KeyboardInterrupt
        real(self)

    return flush


def test_strips_are_generalised_when_they_are_joined(small_models, noisy, tmp_path, cpu):
    pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    whole = run(small_models, noisy, tmp_path / "whole.npy", cpu, **CHOSEN)
    for number in (1, 2):
        run(small_models, noisy, tmp_path / f"{number}.npy", cpu, strip=Strip(number, 2))
    strips = [tmp_path / "1.npy", tmp_path / "2.npy"]
    model = small_models / "cnn2d.safetensors"
    out = join(noisy, model, strips, tmp_path / "joined.npy", **CHOSEN)
    assert np.array_equal(np.load(out), np.load(whole.map))
    assert json.loads((tmp_path / "joined.json").read_text())["sieve"] == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sieve": -3}, "`sieve` -3: expected a number of pixels, at least 2"),
        ({"sieve": 1}, "`sieve` 1: expected a number of pixels, at least 2"),
        ({"majority": 4}, "`majority` 4: expected an odd number from 3 to 99"),
        ({"majority": 1}, "`majority` 1: expected an odd number from 3 to 99"),
        ({"sieve": 3, "strip": Strip(1, 2)}, "`sieve`: looks at the whole map"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(HsiError, match=message):
        MapOptions(**options)


def test_areas_of_a_product_are_its_own(small_models, noisy, tmp_path, cpu, labels, capsys):
    found = run(small_models, noisy, tmp_path / "m.npy", cpu, majority=9)
    # The split of the fixture, of which the model learned.
    make_split(labels, "random:0.1", seed=0, window=9).save(tmp_path / "split.npz")
    write_labels(tmp_path / "labels.npy", labels)
    naming_options(area)(
        str(found.map), str(tmp_path / "labels.npy"), tmp_path / "split.npz", tmp_path / "areas"
    )
    rows = capsys.readouterr().out.splitlines()[1:4]
    mapped = [int(row.split(",")[2]) for row in rows]
    assert mapped == np.bincount(np.load(found.map).ravel())[[1, 2, 7]].tolist()
