"""The speed table says what it measured: same result, counted arithmetic, where."""

import pytest
import torch

from benchmarks.restoration import precisions
from benchmarks.side_by_side import COLUMNS, counted, machine, measure
from engine.device import Compute

CPU = Compute(torch.device("cpu"), "float32", "test")


def test_a_row_has_the_columns_of_the_contract() -> None:
    weight = torch.ones(16, 16)
    row = measure(
        "bench", "case", lambda: weight @ weight, lambda: 1.5 * weight @ weight, CPU, repeats=1
    )
    assert tuple(row.as_dict()) == COLUMNS
    assert row.max_difference == 8
    assert row.case.startswith("case; ")
    assert row.case.endswith(" GFLOP/s")
    assert row.machine == machine(CPU)
    assert row.machine.endswith(" GFLOP/s (float32)")


def test_a_part_is_scaled_to_the_whole() -> None:
    ones = torch.ones(8)
    row = measure("b", "c", lambda: ones, lambda: ones, CPU, repeats=1, part=1e-6)
    assert row.ratio > 1000


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


@pytest.mark.slow
def test_precisions_are_compared_on_images() -> None:
    """On a CPU without bf16 instructions too, only slowly."""
    row = precisions(Compute(torch.device("cpu"), "bf16", "test"), steps=3)
    assert row.max_difference is not None
    assert 0 < row.max_difference < 0.02
