"""Networks of squares of pixels: what enters, what leaves, tiles, strips, files and programs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine import orientation
from engine.artifacts import sha256_file
from engine.device import Compute
from engine.tensors import load_stored, load_tensors, save_tensors
from restore.degradations.bicubic import bicubic_batch
from restore.denoising.pixels import How, PixelDenoiser
from restore.errors import RestoreError
from restore.networks import denoiser, shipped, weights_file
from restore.networks.denoiser import Denoiser
from restore.networks.dncnn import DnCNN, folded, renormalised, shuffled, unshuffled
from restore.networks.engines import run_by
from restore.networks.export import export
from restore.networks.inference import streaming
from restore.networks.tiles import Tiles
from restore.networks.variants import SCALES, Architecture, variant

CPU = Compute(torch.device("cpu"), "float32", "test")
DEPTH = 4


def network(scale: int = 3) -> DnCNN:
    generator = torch.Generator().manual_seed(0)
    made = DnCNN(Architecture(DEPTH, 1, 8, batch_norm=False, unshuffle=scale), generator)
    for conv in made.convolutions():
        torch.nn.init.normal_(conv.weight, std=0.2, generator=generator)
    return made.eval()


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 6, 9), (1, 3, 7, 11), (1, 1, 3, 1)])
@pytest.mark.parametrize("side", [1, *SCALES])
def test_squares_come_and_go(shape: tuple[int, ...], side: int) -> None:
    given = images(*shape)
    squares = unshuffled(given, side)
    assert squares.shape == (
        shape[0],
        shape[1] * side**2,
        -(-shape[2] // side),
        -(-shape[3] // side),
    )
    assert torch.equal(shuffled(squares, given.shape), given)
    assert torch.equal(squares[0, : side**2, 0, 0].max(), given[0, 0, :side, :side].max())


@torch.no_grad()
@pytest.mark.parametrize("size", [(12, 18), (13, 20), (2, 1)])
def test_the_layers_see_squares(size: tuple[int, int]) -> None:
    """It is a plain network of nine channels on a third of the sides."""
    made, given = network(), images(2, 1, *size)
    plain = DnCNN(Architecture(DEPTH, 9, 8, batch_norm=False))
    plain.load_state_dict(made.state_dict())
    rows, columns = (-side % 3 for side in size)
    whole = functional.pad(given, (0, columns, 0, rows), mode="replicate")
    expected = functional.pixel_shuffle(plain(functional.pixel_unshuffle(whole, 3)), 3)
    found = made(given)
    torch.testing.assert_close(found, expected[:, :, : size[0], : size[1]])
    assert (found - given).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize("size", [(40, 31), (3, 80)])
def test_in_strips_as_at_once(size: tuple[int, int]) -> None:
    made, given = network(), images(2, 1, *size)
    found = streaming.evaluate(made, given, rows=2, threads=2)
    torch.testing.assert_close(found, made(given), rtol=0, atol=1e-5)


@pytest.mark.parametrize("side", [1, 5, 8, 16])
@pytest.mark.parametrize("scale", SCALES)
def test_tiled_equals_untiled(side: int, scale: int) -> None:
    model = Denoiser("small", network(scale), {}, "", CPU)
    degraded = 255 * images(37, 50).numpy()
    whole = model(degraded, side=0)
    np.testing.assert_allclose(model(degraded, side=side), whole, rtol=0, atol=1e-3)


def test_tiles_that_cut_squares_would_be_seen() -> None:
    model = Denoiser("small", network(), {}, "", CPU)
    cut = images(37, 50).numpy()
    whole = model(255 * cut)
    Tiles(16, 3 * DEPTH, CPU.device)([cut], model._restored)
    assert np.abs(whole - 255 * cut.astype(float)).max() > 1


def test_tiles_that_memory_makes_smaller_cut_none() -> None:
    starts = []

    def restore(windows: list[np.ndarray]) -> list[np.ndarray]:
        if windows[0].size > 60 * 60:
            raise MemoryError
        starts.append(windows[0].flat[0])
        return windows

    at = np.add.outer(np.arange(200) * 200, np.arange(200))
    tiles = Tiles(0, 6, CPU.device, 3)
    tiles([at.copy()], restore)
    assert tiles.side % 3 == 0
    assert len(starts) > 9
    assert all(start // 200 % 3 == 0 and start % 200 % 3 == 0 for start in starts)


def test_turned_images_begin_with_the_same_squares() -> None:
    """Also where the sides are no multiples, whole and in tiles."""
    model = Denoiser("small", network(), {}, "", CPU)
    given = images(1, 1, 37, 50)
    whole = functional.pad(given, (0, 1, 0, 2), mode="replicate")
    with torch.no_grad():
        turned = [
            orientation.back(model.network(orientation.oriented(whole, turn)), turn)
            for turn in range(orientation.COUNT)
        ]
    expected = torch.stack(turned).mean(0)[0, 0, :37, :50].numpy()
    for side in (0, 10, 16):
        found = given[0, 0].numpy().copy()
        PixelDenoiser(model, How(self_ensemble=True), side=side)([found], whites=[1.0])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_batch_normalisation_is_put_back_and_folded() -> None:
    made, given = network(), images(4, 1, 13, 20)
    back = renormalised(made, given)
    back.train()
    torch.testing.assert_close(back(given), made(given), rtol=0, atol=1e-4)
    torch.testing.assert_close(folded(back.eval())(given), back(given), rtol=0, atol=1e-4)


def test_a_file_has_the_squares(tmp_path: Path) -> None:
    file = tmp_path / "x3.safetensors"
    denoiser.save(file, network(), "dncnn-x3", {})
    loaded = denoiser.load(str(file), CPU)
    assert (loaded.channels, loaded.network.architecture.unshuffle) == (1, 3)
    given = images(1, 1, 14, 10)
    torch.testing.assert_close(loaded.restore_batch(given), network()(given).detach())
    tensors, description = load_tensors(file)
    wrong = dict(description, architecture=dict(description["architecture"], unshuffle=2))
    save_tensors(file, tensors, wrong)
    with pytest.raises(RestoreError, match=r"layers.0.weight: expected \(8, 4, 3, 3\), found"):
        denoiser.load(str(file), CPU)


def test_files_without_squares_stay_what_they_were(tmp_path: Path) -> None:
    """Their SHA-256 is that from before any network had squares."""
    file = shipped.find("dncnn-s-15")
    tensors, description = load_tensors(file)
    assert "unshuffle" not in description["architecture"]
    described = dict(description["architecture"], unshuffle=1)
    again = dict(description, architecture=described)
    stored, _ = load_stored(file)
    assert weights_file.identity(stored, again) == weights_file.identity(stored, description)
    save_tensors(tmp_path / "again.safetensors", tensors, again)
    assert weights_file.stored(tmp_path / "again.safetensors")[2] == weights_file.stored(file)[2]
    assert sha256_file(file) != sha256_file(tmp_path / "again.safetensors")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_programs_that_know_no_squares_are_not_given_them(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / "x3.safetensors"
    denoiser.save(file, network(), "dncnn-x3", {})
    out = tmp_path / f"out{suffix}"
    with pytest.raises(RestoreError, match=r"found one of squares of 3; export it to \.onnx$"):
        export(str(file), out)
    assert not out.exists()


@pytest.mark.parametrize("size", [(12, 18), (13, 20), (1, 2)])
@pytest.mark.parametrize(("channels", "residual", "opset"), [(1, True, 14), (3, False, 25)])
def test_onnx_has_the_squares(
    tmp_path: Path, size: tuple[int, int], channels: int, residual: bool, opset: int
) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    generator = torch.Generator().manual_seed(1)
    made = DnCNN(Architecture(DEPTH, channels, 8, False, residual, unshuffle=2), generator)
    torch.nn.init.normal_(made.convolutions()[-1].weight, std=0.2, generator=generator)
    denoiser.save(tmp_path / "x2.safetensors", made, "dncnn-x2", {})
    export(str(tmp_path / "x2.safetensors"), tmp_path / "x2.onnx", opset=opset)
    session = runtime.InferenceSession(tmp_path / "x2.onnx", providers=["CPUExecutionProvider"])
    given = images(2, channels, *size)
    (found,) = session.run(None, {"image": given.numpy()})
    with torch.inference_mode():
        np.testing.assert_allclose(found, made(given).numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_engines_run_squares(tmp_path: Path, engine: str) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(engine, engine))
    file = tmp_path / "x3.safetensors"
    denoiser.save(file, network(), "dncnn-x3", {})
    model = denoiser.load(str(file), CPU)
    given = images(1, 1, 31, 20)
    found = run_by(model, engine).restore_batch(given)
    torch.testing.assert_close(found, model.restore_batch(given), rtol=0, atol=1e-5)


@torch.no_grad()
def test_what_one_small_pixel_makes_stays_together() -> None:
    """Where the small image is moved by a pixel, the result is moved by a square."""
    small = images(1, 1, 60, 60)
    enlarged = bicubic_batch((small * 255).round() / 255, 3)
    made = network()
    found, moved = made(enlarged), made(enlarged[:, :, 3:, 3:])
    inner = slice(15, -15)
    torch.testing.assert_close(
        moved[:, :, inner, inner], found[:, :, 3:, 3:][:, :, inner, inner], rtol=0, atol=1e-5
    )


def test_the_names_of_the_scales() -> None:
    for scale in SCALES:
        named = variant(f"dncnn-x{scale}")
        assert (named.task, named.scale, named.architecture.channels) == ("bicubic", scale, 1)
        assert named.architecture.halo == 20 * scale
    with pytest.raises(RestoreError, match="dncnn-x5"):
        variant("dncnn-x5")
