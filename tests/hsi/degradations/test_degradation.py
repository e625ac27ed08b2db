"""Degradations of cubes: as asked for, seeded, the same in any block."""

import numpy as np
import pytest

from hsi.degradations.degradation import degrade, parse
from hsi.errors import HsiError
from hsi.scenes.scene import Scene

CUBE = np.linspace(100, 4100, 50 * 40 * 12).reshape(50, 40, 12)
SCENE = Scene("made", CUBE, bad_bands=np.arange(12) == 3)


@pytest.mark.parametrize(
    "text", ["gaussian:25", "bandwise:10-70", "stripes:0.1-0.2", "deadlines:0.1-0.2", "mixed:5"]
)
def test_the_same_seed_gives_the_same_scene_in_any_block(text):
    first, again = (degrade(SCENE, text, seed=4) for _ in range(2))
    whole = first.cube[:]
    assert whole.dtype == np.float32
    assert np.array_equal(again.cube[10:20, 5:9, 2:7], whole[10:20, 5:9, 2:7])
    assert not np.array_equal(degrade(SCENE, text, seed=5).cube[:], whole)
    assert np.array_equal(whole[..., 3], CUBE[..., 3].astype(np.float32))
    assert "seed 4" in first.provenance["degraded"]


def test_noise_is_of_the_level_asked_for():
    noise = np.delete(degrade(SCENE, "gaussian:25").cube[:] - CUBE, 3, axis=2)
    extent = np.ptp(np.delete(CUBE, 3, axis=2))
    assert np.std(noise) * 255 / extent == pytest.approx(25, rel=0.02)
    spread = np.std(degrade(SCENE, "bandwise:10-70").cube[:] - CUBE, axis=(0, 1)) * 255 / extent
    assert (np.delete(spread, 3) > 8).all()
    assert np.ptp(np.delete(spread, 3)) > 10


def test_lines_and_impulses_are_in_a_third_of_the_bands():
    for text in ("stripes:0.1-0.2", "deadlines:0.1-0.2"):
        changed = (degrade(SCENE, text).cube[:] != CUBE.astype(np.float32)).any(axis=0)
        assert (changed.sum(axis=0) > 0).sum() == 11 // 3
        assert set(changed.sum(axis=0)) <= {0, *range(4, 9)}
    struck = degrade(SCENE, "impulse:0.3-0.3").cube[:] != CUBE.astype(np.float32)
    assert struck.mean(axis=(0, 1)).max() == pytest.approx(0.3, abs=0.05)


def test_missing_pixels_stay():
    cube = CUBE.copy()
    cube[4, 5] = 0
    assert (degrade(Scene("made", cube), "mixed:5").cube[4, 5] == 0).all()


@pytest.mark.parametrize(
    "text", ["gaussian", "gaussian:0", "gaussian:300", "bandwise:70-10", "mixed:6", "impulse:0.1-2",
             "rain:3", "stripes:0.1"]
)  # fmt: skip
def test_another_form_is_one_line(text):
    with pytest.raises(HsiError, match=f"`degradation` {text}: expected"):
        parse(text)


def test_a_scene_of_one_value_is_refused():
    with pytest.raises(HsiError, match="expected a scene with a range of values, found 1 alone"):
        degrade(Scene("flat", np.ones((5, 5, 5))), "gaussian:25")
    with pytest.raises(HsiError, match="found no pixel with data"):
        degrade(Scene("empty", np.zeros((5, 5, 5))), "gaussian:25")


@pytest.mark.parametrize("seed", [None, "0", 1.5, -1])
def test_a_seed_that_is_none_is_named(seed):
    with pytest.raises(HsiError, match=r"`seed` .*: expected 0 or more, a whole number"):
        degrade(SCENE, "gaussian:25", seed=seed)
