"""Shared-feature training against the same windows one by one."""

import pytest
from torch import Tensor, nn

from hsi.networks.windows import Windows


def check_shared_equals_patches(
    network: nn.Module, scene: Tensor, windows: Windows, targets: Tensor, shared: bool | None
) -> None:
    """Check loss and gradients of `network` by `shared` against those patch by patch."""
    found = {}
    for how in (shared, False):
        network.zero_grad()
        loss = nn.functional.cross_entropy(windows.logits(network, scene, shared=how), targets)
        loss.backward()
        found[how] = (loss.item(), [p.grad.clone() for p in network.parameters()])
    assert found[shared][0] == pytest.approx(found[False][0], abs=1e-9)
    for one, other in zip(found[shared][1], found[False][1], strict=True):
        assert (one - other).abs().max() < 1e-9
