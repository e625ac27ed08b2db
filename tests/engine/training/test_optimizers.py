"""Each parameter has one optimizer; Muon's updates are near to orthogonal and of Adam's size."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.training.optimizers import KerasAdam, Muon, optimizers, orthogonalised
from engine.training.schedule import Schedule


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 1, 3)
    )


@pytest.mark.parametrize("name", ["adam", "keras-adam", "adamw", "sgd", "muon"])
def test_every_parameter_is_optimised_once_and_only_kernels_decay(name: Any) -> None:
    model = network()
    made = optimizers(model, Schedule("s", 1, 1, optimizer=name, weight_decay=0.1))
    groups = [group for optimizer in made for group in optimizer.param_groups]
    found = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(found) == sorted(id(parameter) for parameter in model.parameters())
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(p) for p in model.parameters() if p.ndim > 1}


def test_muon_takes_the_inner_kernels() -> None:
    model = network()
    muon, rest = optimizers(model, Schedule("s", 1, 1, optimizer="muon"))
    assert isinstance(muon, Muon)
    assert isinstance(rest, torch.optim.AdamW)
    assert [id(p) for p in muon.param_groups[0]["params"]] == [id(model[1].weight)]


@pytest.mark.parametrize("shape", [(2, 8, 72), (1, 40, 10)])
def test_singular_values_come_near_to_one(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonalised(matrices))
    assert values.min() > 0.6
    assert values.max() < 1.3
    # The directions stay: U and V of the result are those of the input.
    u, _, vh = torch.linalg.svd(matrices, full_matrices=False)
    turned = u.mT @ orthogonalised(matrices) @ vh.mT
    off_diagonal = turned - torch.diag_embed(turned.diagonal(dim1=1, dim2=2))
    assert off_diagonal.abs().max() < 1e-3


def test_keras_adam_is_keras_formula() -> None:
    """Keras 2: p -= lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + 1e-7)."""
    rng = np.random.default_rng(0)
    parameter = nn.Parameter(torch.zeros(5, dtype=torch.float64))
    optimizer = KerasAdam([parameter], lr=1e-3)
    value, mean, square = np.zeros(5), np.zeros(5), np.zeros(5)
    for step in range(1, 8):
        gradient = rng.normal(size=5) * 10.0 ** np.arange(-9, -4)
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        rate = 1e-3 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        value -= rate * mean / (np.sqrt(square) + 1e-7)
        if step == 4:  # it goes on from a saved state
            saved = optimizer.state_dict()
            optimizer = KerasAdam([parameter], lr=1e-3)
            optimizer.load_state_dict(saved)
    assert np.allclose(parameter.detach().numpy(), value, rtol=1e-9, atol=0)


def test_a_zero_gradient_changes_nothing() -> None:
    assert not orthogonalised(torch.zeros(1, 4, 6)).any()


def test_an_update_has_the_size_of_adams() -> None:
    kernel = nn.Parameter(torch.zeros(64, 64, 3, 3))
    kernel.grad = torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(2))
    Muon([kernel], lr=1e-3).step()
    size = kernel.detach().square().mean().sqrt()
    assert 0.14e-3 < size < 0.25e-3  # Adam's is 0.2 to 0.4 of its rate [Liu et al.]
    # Equal kernels in channels_last move alike.
    other = nn.Parameter(torch.zeros(64, 64, 3, 3).to(memory_format=torch.channels_last))
    other.grad = kernel.grad.to(memory_format=torch.channels_last)
    Muon([other], lr=1e-3).step()
    assert torch.allclose(kernel, other, atol=1e-7)


def test_muon_reaches_a_minimum() -> None:
    generator = torch.Generator().manual_seed(3)
    target = torch.randn(6, 6, generator=generator)
    matrix = nn.Parameter(torch.zeros(6, 6))
    optimizer = Muon([matrix], lr=0.1)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        optimizer.zero_grad()
        loss = (matrix - target).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert float(loss.detach()) < 1e-2
