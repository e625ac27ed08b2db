"""The model follows the image: its noise, its channels, its file type."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from engine.tensors import save_tensors
from restore.denoising.choose import (
    NOISES,
    Candidate,
    Choice,
    Seen,
    choose,
    describe,
    doubted,
    for_all,
    judge,
)
from restore.denoising.noise_seen import Noise
from restore.errors import RestoreError


def model(name, task, sigma, channels=1):
    return Candidate(Path(f"{name}.safetensors"), name, channels, task, sigma, name)


S = [model(f"dncnn-s-{n}", "gaussian", float(n)) for n in (15, 25, 50)]
B = model("dncnn-b", "blind", 55.0)
THREE = model("dncnn-3", "general", 55.0)
COLOUR = model("dncnn-b-color", "blind", 55.0, 3)
REAL = model("dncnn-r", "real", 55.0, 3)
ALL = [*S, B, THREE, COLOUR]
WHITE = Noise(25.0, 0.02, 0.0, 1.0, 1.0, 2.0, clean=False)
COARSE = replace(WHITE, coarse=5.0)
ALIKE = replace(WHITE, between=0.5)
GROWING = replace(WHITE, growth=3.0)


@pytest.mark.parametrize(
    ("models", "seen", "name"),
    [
        (ALL, Seen(1, False, 24.0), "dncnn-s-25"),
        (ALL, Seen(1, False, 16.9), "dncnn-s-15"),
        (ALL, Seen(1, False, 46.0), "dncnn-s-50"),
        (ALL, Seen(1, False, 20.0), "dncnn-b"),
        (ALL, Seen(1, False, 1.0), "dncnn-b"),
        (ALL, Seen(1, False, math.nan), "dncnn-b"),
        (ALL, Seen(1, True, 25.0), "dncnn-3"),
        (ALL, Seen(3, False, 25.0), "dncnn-b-color"),
        (ALL, Seen(3, True, 5.0), "dncnn-3"),
        ([REAL, *ALL], Seen(3, False, 25.0), "dncnn-b-color"),
        ([REAL, *ALL], Seen(3, False, 25.0, WHITE), "dncnn-b-color"),
        ([REAL, *ALL], Seen(3, False, 4.0, COARSE), "dncnn-r"),
        ([REAL, *ALL], Seen(1, False, 4.0, COARSE), "dncnn-r"),
        ([REAL, *ALL], Seen(3, False, 25.0, ALIKE), "dncnn-r"),
        ([REAL, *ALL], Seen(3, False, 9.0, GROWING), "dncnn-r"),
        ([REAL, *ALL], Seen(3, True, 4.0, COARSE), "dncnn-3"),
        (ALL, Seen(3, False, 25.0, COARSE), "dncnn-b-color"),
        ([*S, B, THREE], Seen(3, False, 25.0), "dncnn-s-25"),
        ([S[1], THREE], Seen(1, False, 5.0), "dncnn-3"),
        ([COLOUR], Seen(1, True, 5.0), "dncnn-b-color"),
        ([S[1]], Seen(1, False, 20.0), "dncnn-s-25"),
    ],
)
def test_the_suitable_model_is_chosen(models, seen, name):
    choice = choose(models, seen)
    assert choice.candidate.name == name
    assert choice.why


def test_where_there_is_nothing_to_remove_no_model_is_chosen():
    for jpeg in (False, True):
        choice = choose([REAL, *ALL], Seen(3, jpeg, 0.0, replace(WHITE, clean=True)))
        assert (choice.candidate, choice.name) == (None, "none")
        assert "nothing to remove" in choice.why


def test_what_to_remove_may_be_asked_for():
    seen = Seen(3, False, 25.0, COARSE)
    names = [choose([REAL, *ALL], seen, noise).name for noise in NOISES]
    assert names == ["dncnn-r", "dncnn-b-color", "dncnn-r", "dncnn-3"]
    clean = Seen(3, False, 25.0, replace(WHITE, clean=True))
    assert choose([REAL, *ALL], clean, "gaussian").name == "dncnn-b-color"


def test_the_reason_names_what_was_seen():
    noise = replace(WHITE, coarse=5.0, between=0.5, growth=3.0)
    why = choose([REAL, *ALL], Seen(3, False, 25.0, noise)).why
    assert "coarser than white noise, alike between channels, growing with brightness" in why


def test_where_nothing_suits_the_line_says_what_to_do():
    with pytest.raises(RestoreError, match=r"no shipped model suits a grey image, σ about 3\.0"):
        choose([S[1]], Seen(1, False, 3.0))


def test_doubts_are_said():
    assert "each channel" in judge(S[1], Seen(3, False, 25.0)).doubt
    assert "three equal channels" in judge(COLOUR, Seen(1, False, 25.0)).doubt
    assert "it was trained at 25" in judge(S[1], Seen(1, False, 60.0)).doubt
    assert "above the 55" in judge(B, Seen(1, False, 70.0)).doubt
    assert "this noise is not" in judge(COLOUR, Seen(3, False, 25.0, ALIKE)).doubt
    assert judge(REAL, Seen(1, False, 25.0, COARSE)).doubt == ""
    assert "above the 55" in judge(REAL, Seen(3, False, 70.0)).doubt
    assert judge(S[1], Seen(1, False, 26.0)).doubt == ""
    assert judge(S[1], Seen(1, False, math.nan)).doubt == ""
    enlarged = model("dncnn-x3", "bicubic", 0.0)
    assert "without noise, enlarged" in judge(enlarged, Seen(1, False, 5.0)).doubt
    assert choose([enlarged, *ALL], Seen(1, False, 0.4)).name != "dncnn-x3"
    assert judge(model("own", "unknown", math.nan), Seen(1, False, 26.0)).doubt == ""


def test_weights_say_what_they_are(make_weights, tmp_path):
    found = describe(make_weights("dncnn-b-color", 3))
    assert (found.name, found.channels, found.task, found.sigma) == (
        "dncnn-b-color",
        3,
        "blind",
        55,
    )
    own = describe(make_weights("dncnn"))
    assert own.task == "unknown"
    assert math.isnan(own.sigma)
    save_tensors(tmp_path / "a.safetensors", {}, {"kind": "other"})
    with pytest.raises(RestoreError, match="expected the weights of a DnCNN"):
        describe(tmp_path / "a.safetensors")


def test_planes_of_unlike_noise_share_no_model_of_one_level():
    near = [model.name for model in for_all(ALL, [14.0, 16.0])]
    assert near == ["dncnn-s-15", "dncnn-b", "dncnn-3", "dncnn-b-color"]
    assert not any(model.task == "gaussian" for model in for_all(ALL, [3.0, 27.0]))
    assert list(for_all(ALL, [15.0])) == ALL
    assert list(for_all(S, [3.0, 27.0])) == S  # better than none


def test_the_doubt_is_that_of_the_weakest_or_strongest_plane():
    seen = Seen(1, False, 25.0)
    asked = judge(S[1], seen)
    assert asked.doubt == ""
    assert "seems to be 45.0" in doubted(asked, seen, [24.0, 45.0]).doubt
    assert "seems to be 3.0" in doubted(asked, seen, [3.0, 26.0]).doubt
    assert doubted(asked, seen, [24.0, 26.0]).doubt == ""
    nothing = Choice(None, "nothing to remove", "")
    assert doubted(nothing, seen, [3.0, 90.0]) is nothing
