"""The speed table says what it measured: same result, counted arithmetic, where."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import side_by_side
from benchmarks.restoration import choosing, precisions
from benchmarks.side_by_side import COLUMNS, Row, counted, in_turn, machine, measure, watched
from engine.device import Compute
from restore.networks import denoiser, shipped
from restore.networks.dncnn import DnCNN
from restore.networks.inference import streaming
from restore.networks.variants import Architecture

CPU = Compute(torch.device("cpu"), "float32", "test")


def test_a_row_has_the_columns_of_the_contract() -> None:
    weight = torch.ones(16, 16)
    row = measure(
        "bench", "case", lambda: weight @ weight, lambda: 1.5 * weight @ weight, CPU, repeats=1
    )
    assert tuple(row.as_dict()) == COLUMNS
    assert COLUMNS == (
        "bench", "case", "baseline_seconds", "our_seconds", "ratio", "max_difference", "machine",
        "goal", "met", "other_load",
    )  # fmt: skip
    assert row.max_difference == 8
    assert row.case.startswith("case; ")
    assert row.case.endswith(" GFLOP/s")
    assert row.machine == machine(CPU)
    assert row.machine.endswith(" GFLOP/s (float32)")


def test_a_part_is_scaled_to_the_whole() -> None:
    ones = torch.ones(8)
    row = measure("b", "c", lambda: ones, lambda: ones, CPU, repeats=1, part=1e-6)
    assert row.ratio > 1000


def test_no_way_always_follows_the_same_one() -> None:
    order: list[str] = []
    seconds = in_turn({name: lambda name=name: order.append(name) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"
    assert [len(spent) for spent in seconds.values()] == [3, 3, 3]


def test_the_load_is_measured_where_a_row_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Load:
        cores = 0.5

        def __enter__(self) -> "Load":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(side_by_side, "OtherLoad", Load)
    row = Row("b", "c", 1.0, 1.0, 1.0, None, "here")
    own = Row("b", "c", 1.0, 1.0, 1.0, None, "here", other_load=0.0)
    assert [made.other_load for made in watched(iter([row, own]))] == [0.5, 0.0]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_arithmetic_is_counted_forward_and_backward(layout: torch.memory_format) -> None:
    conv = torch.nn.Conv2d(4, 6, 3, padding=1).to(memory_format=layout)
    image = torch.rand(2, 4, 10, 12).contiguous(memory_format=layout)
    products = 2 * 10 * 12 * 4 * 6 * 9  # of the batch, each a multiplication and an addition

    def forward() -> torch.Tensor:
        with torch.inference_mode():
            result: torch.Tensor = conv(image)
        return result

    def both() -> torch.Tensor:
        loss: torch.Tensor = conv(image.clone().requires_grad_()).sum()
        loss.backward()
        return loss.detach()

    assert counted(forward)[1] == 2 * products
    assert counted(both)[1] == 3 * 2 * products


def test_precisions_are_compared_on_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A CPU without bf16 instructions takes minutes for a real network, and for a large product.
    monkeypatch.setattr(side_by_side, "matrix_product_rate", lambda *_: 1.0)
    generator = torch.Generator().manual_seed(1)
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), generator)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.05, generator=generator)
    denoiser.save(tmp_path / "tiny.safetensors", network, "dncnn-s-25", {})
    monkeypatch.setattr(
        shipped, "shipped_models", lambda: {"dncnn-s-25": tmp_path / "tiny.safetensors"}
    )
    ramp = np.add.outer(np.arange(48), 3 * np.arange(40)).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    bf16 = Compute(torch.device("cpu"), "bf16", "test")
    row = precisions(bf16, images=str(tmp_path))
    assert "shipped weights" in row.case
    assert row.max_difference is not None
    assert 0 < row.max_difference < 0.02
    assert (row.goal, row.met) == ("within 0.02 dB of float32", "yes")


def test_choosing_is_compared_with_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "matrix_product_rate", lambda *_: 1.0)
    row = choosing(CPU, side=64, repeats=1)
    assert tuple(row.as_dict()) == COLUMNS
    assert "64x64 by dncnn-s-25 against choosing that model: " in row.case
    assert row.ratio == pytest.approx(row.baseline_seconds / row.our_seconds, rel=0.1)
    assert row.goal == "at most 5 % of the network's time"
    assert row.met == ("yes" if row.our_seconds <= 0.05 * row.baseline_seconds else "no")


@pytest.mark.parametrize("rows", [None, 8])
def test_threads_and_fused_kernels_are_counted(rows: int | None) -> None:
    network = DnCNN(Architecture(4, 1, 8, batch_norm=False), torch.Generator()).eval()
    image = torch.rand(1, 1, 80, 30)
    before = torch.get_num_threads()
    with torch.inference_mode():
        plain = counted(lambda: network(image))[1]
        torch.set_num_threads(2)
        try:
            ours = counted(lambda: streaming.evaluate(network, image, rows=rows))[1]
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)
    weights = 9 * (8 + 8 * 8 * 2 + 8)
    assert plain == ours == 2 * weights * 80 * 30
