"""The published choices are the defaults, and each of them can be made otherwise."""

import numpy as np
import pytest

from restore.degradations import degradation as degrade
from restore.degradations import luma
from restore.errors import RestoreError
from restore.evaluation import pairs
from restore.evaluation.protocol import PUBLISHED, Scoring

COLOUR = np.random.default_rng(0).integers(0, 256, (30, 42, 3), dtype=np.uint8)
NOISE, JPEG, BICUBIC = (degrade.parse(text) for text in ("noise:25", "jpeg:10", "bicubic:3"))


def pair(degradation, **choices):
    return pairs.pair(COLOUR, degradation, seed=0, name="a", protocol=Scoring(**choices))


@pytest.mark.parametrize(
    ("degradation", "rounds", "border", "matlab"),
    [(NOISE, True, 0, False), (JPEG, True, 0, True), (BICUBIC, False, 3, True)],
)
def test_auto_is_as_published(degradation, rounds, border, matlab):
    assert PUBLISHED.rounds(degradation) is rounds
    assert PUBLISHED.shaved(degradation) == border
    assert PUBLISHED.matlab_luma(degradation) is matlab
    assert PUBLISHED.departures(degradation, colour=False) == []


def test_rounding_and_border_reach_the_pair():
    assert (pair(NOISE).quantised, pair(NOISE, rounding="off").quantised) == (True, False)
    assert (pair(BICUBIC).quantised, pair(BICUBIC, rounding="on").quantised) == (False, True)
    assert (pair(BICUBIC).border, pair(BICUBIC, border="0").border) == (3, 0)
    assert pair(JPEG, border="7").border == 7


def test_luma_is_the_grey_that_is_asked_for():
    assert np.array_equal(pair(NOISE, luma="matlab").target, luma.luma(COLOUR))
    assert np.array_equal(pair(JPEG, luma="full").target, luma.grey(COLOUR))
    full = pair(BICUBIC, luma="full")
    assert np.array_equal(np.floor(full.target + 0.5), luma.grey(COLOUR))
    # Full-range grey of the same pixels: MATLAB's luma stretched from 16..235, to 0.2 levels.
    stretched = (pair(BICUBIC).observed - 16) * 255 / 219
    assert np.abs(full.observed - stretched).max() < 0.2


def test_departures_are_named_and_only_they():
    asked = Scoring(rounding="on", border="3", luma="matlab")
    assert asked.departures(BICUBIC, colour=False) == ["rounding on"]
    assert asked.departures(JPEG, colour=False) == ["border 3"]
    assert asked.departures(NOISE, colour=False) == ["border 3", "luma matlab"]
    assert asked.departures(NOISE, colour=True) == ["border 3"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"rounding": "yes"}, "`rounding` yes: expected auto, on or off"),
        ({"luma": "y"}, "`luma` y: expected auto, matlab or full"),
        ({"border": "-1"}, "`border` -1: expected auto or a number of pixels"),
        ({"border": "two"}, "`border` two: expected auto or a number of pixels"),
    ],
)
def test_other_words_are_one_line(choice, message):
    with pytest.raises(RestoreError) as error:
        Scoring(**choice)
    assert str(error.value) == message
