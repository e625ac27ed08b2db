"""Peers in turn with ours: who cannot run has no row, who computes something else is no peer."""

import logging

import pytest
import torch
from torch import Tensor

from benchmarks import peers, ways
from benchmarks.ways import OURS, PLAIN, Way
from engine.device import Compute
from restore.errors import RestoreError
from restore.networks.denoiser import Denoiser, load

pytestmark = pytest.mark.usefixtures("no_matrix_product")


def missing(_: Denoiser) -> Way:
    raise RestoreError("`engine` openvino: needs the packages onnx and openvino")


def wrong(_: Denoiser) -> Way:
    return lambda image: image + 0.5


def failing(_: Denoiser) -> Way:
    def run(image: Tensor) -> Tensor:
        raise RuntimeError("no compiler\nand a page of context")

    return run


def test_rows_of_both_conditions(
    small_model: str, cpu: Compute, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = {PLAIN: ways.plain, OURS: ways.ours, "fast": ways.channels_last}
    made |= {"missing": missing, "wrong": wrong, "failing": failing}
    rows = list(peers.rows(cpu, model=small_model, side=40, rounds=3, makers=made))
    assert [row.bench for row in rows] == 2 * (3 * ["restore peers"] + ["restore best peer"])
    for condition, some in (("quiet", rows[:4]), ("busy", rows[4:])):
        plain, fast, other, best = some
        assert all(f"40x40, {condition}: " in row.case for row in some)
        assert all("3 rounds in turn: best " in row.case for row in some)
        assert all(row.goal == "at least level with the best peer" for row in some)
        assert plain.max_difference is not None
        assert plain.max_difference < 1e-5
        assert fast.max_difference is not None
        assert fast.max_difference < 1e-5
        assert other.max_difference is not None
        assert other.max_difference > 0.4
        assert [row.met for row in (plain, fast, other)] == ["", "", ""]
        assert "the best peer, wrong" not in best.case
        assert best.met in ("yes", "no")
        assert best.our_seconds == plain.our_seconds
    told = [record.getMessage() for record in caplog.records]
    assert "missing: left out: `engine` openvino: needs the packages onnx and openvino" in told
    assert "failing: left out: no compiler" in told
    assert any("wrong is " in line and "no peer" in line for line in told)


@pytest.mark.parametrize(("ours", "met"), [(1.0, "yes"), (2.5, "no")])
def test_ours_is_judged_by_the_best_peer(cpu: Compute, ours: float, met: str) -> None:
    seconds = {PLAIN: [4.0, 5.0, 9.0], OURS: 3 * [ours], "near": [2.0, 2.0, 0.1], "far": 3 * [0.1]}
    apart = {PLAIN: 0.0, OURS: 0.001, "near": 0.01, "far": 0.3}
    *others, best = peers.compared("title", seconds, apart, 10**9, cpu)
    assert [row.ratio for row in others] == [round(x / ours, 2) for x in (5.0, 2.0, 0.1)]
    assert "the best peer, near, against ours" in best.case
    assert "best 0.1 against" in best.case
    assert (best.baseline_seconds, best.max_difference, best.met) == (2.0, 0.001, met)


def test_without_ours_there_is_nothing_to_compare(small_model: str, cpu: Compute) -> None:
    image = torch.rand(1, 1, 8, 8)
    with pytest.raises(RestoreError, match="needs the packages"):
        ways.able({PLAIN: ways.plain, OURS: missing}, load(small_model, cpu), image)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_pytorchs_own_ways_are_equal_within_their_precision(
    small_model: str, precision: str
) -> None:
    at = Compute(torch.device("cpu"), "bf16" if precision == "bf16" else "float32", "test")
    image = peers.noisy(24)
    made = {PLAIN: ways.plain, OURS: ways.ours, "fast": ways.channels_last}
    results = {
        name: result for name, (_, result) in ways.able(made, load(small_model, at), image).items()
    }
    most = 0.02 if precision == "bf16" else 1e-5
    for result in results.values():
        assert result.shape == image.shape
        assert result.dtype == torch.float32
        assert float((result - results[PLAIN]).abs().max()) <= most
    assert not torch.equal(results[PLAIN], image)


@pytest.mark.parametrize(("name", "package"), [("onnxruntime", "onnxruntime"), ("openvino",) * 2])
def test_other_programs_run_it_too(name: str, package: str, small_model: str, cpu: Compute) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip(package)
    image, ready = peers.noisy(24), load(small_model, cpu)
    found = getattr(ways, name)(ready)(image)
    assert float((found - ways.plain(ready)(image)).abs().max()) < 1e-5


def test_every_way_has_a_name_that_says_its_precision() -> None:
    assert list(ways.makers("bf16")) == [
        "eager float32 contiguous",
        "ours",
        "eager bf16 channels_last",
        "torch.compile bf16",
        "onnxruntime float32",
        "OpenVINO bf16",
    ]
