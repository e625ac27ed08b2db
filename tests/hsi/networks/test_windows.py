import numpy as np
import pytest
import torch

from hsi.networks.hybridsn import HybridSN
from hsi.networks.windows import Windows, padded
from tests.hsi.dense_maps import dense_blocks
from tests.hsi.gradients import check_shared_equals_patches

CLASSES, WINDOW, BANDS = 4, 11, 13
HEIGHT, WIDTH = 17, 14


@pytest.fixture(scope="module")
def network():
    settings = HybridSN(CLASSES, WINDOW, BANDS, (7, 6), 0.0, (2, 3, 4), 5)
    made = settings.build(torch.Generator().manual_seed(1)).double().eval()
    with torch.no_grad():  # zero biases would hide a wrong one
        for name, value in made.named_parameters():
            if name.endswith("bias"):
                value.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(2))
    return made


@pytest.fixture(scope="module")
def reduced():
    return np.random.default_rng(3).normal(size=(HEIGHT, WIDTH, BANDS)).astype(np.float32)


def patch_by_patch(network, reduced):
    """Cut every window by hand and classify it alone."""
    half = WINDOW // 2
    around = np.pad(reduced, ((half, half), (half, half), (0, 0)))
    logits = np.empty((CLASSES, HEIGHT, WIDTH))
    with torch.inference_mode():
        for row in range(HEIGHT):
            for column in range(WIDTH):
                patch = around[row : row + WINDOW, column : column + WINDOW]
                window = torch.from_numpy(patch.transpose(2, 0, 1)[None].astype(np.float64))
                logits[:, row, column] = network(window)[0].numpy()
    return logits


def whole(network, reduced, block):
    logits = np.full((CLASSES, HEIGHT, WIDTH), np.nan)
    for rows, columns, part in dense_blocks(network, reduced, block):
        logits[:, rows, columns] = part.numpy()
    return logits


def test_dense_equals_patch_by_patch_border_included(network, reduced):
    expected = patch_by_patch(network, reduced)
    assert np.abs(whole(network, reduced, 100) - expected).max() < 1e-9


@pytest.mark.parametrize("block", [1, 5, 8, 13, 16])
def test_blocked_equals_unblocked(network, reduced, block):
    unblocked, blocked = whole(network, reduced, 100), whole(network, reduced, block)
    assert np.abs(blocked - unblocked).max() < 1e-9
    assert np.array_equal(blocked.argmax(0), unblocked.argmax(0))


@pytest.mark.parametrize("places", ["all over", "clustered", "one"])
def test_shared_pass_has_the_loss_and_gradients_of_patches(network, reduced, places):
    rng = np.random.default_rng(4)
    count = {"all over": 40, "clustered": 12, "one": 1}[places]
    top, left = (6, 5) if places == "clustered" else (HEIGHT, WIDTH)
    windows = Windows(rng.integers(top, size=count), rng.integers(left, size=count))
    targets = torch.from_numpy(rng.integers(CLASSES, size=count))
    scene = padded(reduced, WINDOW).double()
    check_shared_equals_patches(network, scene, windows, targets, shared=True)


def test_tiles_of_a_large_scene_have_the_gradients_of_patches(network):
    rng = np.random.default_rng(5)
    reduced = rng.normal(size=(150, 90, BANDS)).astype(np.float32)
    rows, columns = rng.integers(6, size=(2, 30))
    rows[10:20] += 140  # two fields in opposite corners, and scattered windows between them
    columns[10:20] += 80
    rows[20:], columns[20:] = rng.integers(10, 130, size=10), rng.integers(10, 70, size=10)
    windows = Windows(rows, columns, rng.integers(8, size=30))
    targets = torch.from_numpy(rng.integers(CLASSES, size=30))
    scene = padded(reduced, WINDOW).double()
    check_shared_equals_patches(network, scene, windows, targets, shared=None)


def test_fewer_multiply_adds_win(network, reduced, monkeypatch):
    scene = padded(reduced, WINDOW).double()
    passes = []
    monkeypatch.setattr(type(network), "shared", lambda _, crop, __: passes.append(crop.shape[1:]))
    apart = Windows(np.array([0, HEIGHT - 1]), np.array([0, WIDTH - 1]))
    apart.logits(network, scene)
    assert passes == []
    near = Windows(np.array([3, 4, 5]), np.array([2, 2, 3]))
    near.logits(network, scene)
    assert passes == [(WINDOW + 2, WINDOW + 1)]


def test_window_of_a_pixel_starts_where_the_pixel_lies(reduced):
    scene = padded(reduced, WINDOW)
    assert scene.shape == (BANDS, HEIGHT + WINDOW - 1, WIDTH + WINDOW - 1)
    half = WINDOW // 2
    assert torch.equal(scene[:, 3 + half, 4 + half], torch.from_numpy(reduced[3, 4]))
