"""Ghost batches: gradients and statistics of each part by itself, the same on any threads."""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.device import Compute
from engine.errors import Paused
from engine.tensors import load_tensors
from restore.errors import RestoreError
from restore.image_sets.find import ImageSet
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture, variant
from restore.training import train as training
from restore.training.batches import Batch
from restore.training.ghost import GhostBatches
from restore.training.losses import balanced_error, half_squared_error
from restore.training.schedules import PatchSchedule

CPU = Compute(torch.device("cpu"), "float32", "test")
SMALL = replace(variant("dncnn-s-25"), architecture=Architecture(4, 1, 8))
TINY = PatchSchedule("tiny", 12, 8, learning_rate=1e-2, patch=16, ema_decay=0.8, ghost_batches=2)


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def network() -> DnCNN:
    generator = torch.Generator().manual_seed(0)
    made = DnCNN(Architecture(4, 1, 8), generator)
    torch.nn.init.normal_(made.convolutions()[-1].weight, std=0.1, generator=generator)
    return made.double().train()


def batch(*kinds: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    clean = torch.rand(sum(kinds), 1, 12, 12, generator=generator).double()
    # Every patch has a noise of its own, so that statistics tell the parts.
    strength = torch.arange(1, len(clean) + 1)[:, None, None, None] / 10
    noise = torch.randn(clean.shape, generator=generator) * strength
    return Batch(clean + noise, clean, kinds)


def test_a_part_has_its_share_of_each_kind() -> None:
    whole = batch(4, 2, 6)
    parts = [whole.part(index, 2) for index in range(2)]
    assert [part.kinds for part in parts] == [(2, 1, 3)] * 2
    assert torch.equal(parts[0].clean, whole.clean[[0, 2, 4, 6, 8, 10]])
    assert torch.equal(parts[1].degraded, whole.degraded[[1, 3, 5, 7, 9, 11]])
    empty = batch(2, 0, 0).part(1, 2)  # a batch of two has noise alone
    assert (len(empty.clean), empty.kinds) == (1, (1, 0, 0))


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("loss", [half_squared_error, balanced_error])
def test_gradients_and_statistics_are_means_of_the_parts(loss, count: int) -> None:
    drawn, ours, plain = batch(4, 8), network(), network()
    value = GhostBatches(loss, count)(ours, drawn)
    (3 * value).backward()

    alone = [copy.deepcopy(plain) for _ in range(count)]
    values = [loss(one, drawn.part(index, count)) for index, one in enumerate(alone)]
    for each_value in values:
        each_value.backward()
    torch.testing.assert_close(value.detach(), torch.stack(values).mean().detach())
    for found, *parts in zip(ours.parameters(), *(one.parameters() for one in alone), strict=True):
        expected = 3 * torch.stack([part.grad for part in parts]).mean(0)
        torch.testing.assert_close(found.grad, expected)
    for found, *parts in zip(ours.buffers(), *(one.buffers() for one in alone), strict=True):
        torch.testing.assert_close(found, torch.stack(parts).double().mean(0).to(found.dtype))

    whole = network()
    loss(whole, drawn).backward()
    assert any(
        not torch.allclose(a.grad * 3, b.grad, rtol=1e-2)
        for a, b in zip(whole.parameters(), ours.parameters(), strict=True)
    )  # the parts are normalised by themselves


def test_without_normalisation_the_parts_are_the_batch() -> None:
    drawn = batch(8)
    ours = DnCNN(Architecture(4, 1, 8, batch_norm=False), torch.Generator().manual_seed(0)).double()
    plain = copy.deepcopy(ours)
    GhostBatches(half_squared_error, 4)(ours, drawn).backward()
    half_squared_error(plain, drawn).backward()
    for found, expected in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad)


def test_kinds_that_cannot_be_divided_are_one_line() -> None:
    with pytest.raises(RestoreError, match=r"ghost_batches: expected a divisor .*6, 5, 5.*found 2"):
        GhostBatches(half_squared_error, 2)(network(), batch(6, 5, 5))


@pytest.mark.parametrize(("device", "apart"), [("meta", False), ("cpu", True)])
def test_parts_leave_the_calling_thread_on_a_cpu_alone(device: str, apart: bool) -> None:
    seen: list[int] = []

    def loss(model: torch.nn.Module, part: Batch) -> torch.Tensor:
        seen.append(threading.get_ident())  # automatic casting on a GPU belongs to a thread
        return half_squared_error(model, part)

    drawn = batch(4)
    moved = Batch(drawn.degraded.to(device), drawn.clean.to(device), drawn.kinds)
    with threads(2):
        GhostBatches(loss, 2)(network().to(device), moved).backward()
    assert len(seen) == 2
    assert (threading.get_ident() not in seen) == apart


@pytest.mark.parametrize("count", [0, 3])
def test_a_batch_that_cannot_be_divided_is_one_line(count: int) -> None:
    with pytest.raises(RestoreError, match=rf"schedule tiny: ghost_batches: .* 8, found {count}"):
        replace(TINY, ghost_batches=count)


def test_any_threads_and_a_pause_give_the_same_weights(photos: ImageSet, tmp_path: Path) -> None:
    def trained(name: str, count: int) -> dict[str, torch.Tensor]:
        out = tmp_path / f"{name}.safetensors"
        with threads(count):
            training.train_variant(SMALL, [photos], TINY, out, seed=0, compute=CPU)
        return load_tensors(out)[0]

    one, two = trained("one", 1), trained("two", 2)
    out = tmp_path / "paused.safetensors"
    sittings = 0
    with threads(2):
        while not out.exists():
            try:
                training.train_variant(SMALL, [photos], TINY, out, seed=0, compute=CPU, until=1e-9)
            except Paused:
                sittings += 1
    paused = load_tensors(out)[0]
    assert sittings > 1
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert all(torch.equal(one[key], paused[key]) for key in one)
    whole = tmp_path / "whole.safetensors"
    training.train_variant(
        SMALL, [photos], replace(TINY, ghost_batches=1), whole, seed=0, compute=CPU
    )
    assert not torch.equal(load_tensors(whole)[0]["layers.1.weight"], one["layers.1.weight"])
