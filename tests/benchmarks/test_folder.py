"""A folder both ways: the same images come out, and the row says how they were made."""

from pathlib import Path

import torch

from benchmarks import folder
from benchmarks.side_by_side import COLUMNS
from engine.device import Compute
from restore.images.files import read
from restore.networks.denoiser import save
from restore.networks.dncnn import DnCNN, folded
from restore.networks.variants import Architecture

CPU = Compute(torch.device("cpu"), "float32", "test")


def small() -> DnCNN:
    """A network of random weights, in its biases and in its last layer too."""
    generator = torch.Generator().manual_seed(0)
    network = DnCNN(Architecture(4, 1, 6, batch_norm=False), generator)
    for conv in network.convolutions():
        torch.nn.init.normal_(conv.weight, std=0.1, generator=generator)
        assert conv.bias is not None
        torch.nn.init.normal_(conv.bias, std=0.05, generator=generator)
    return network.eval()


def test_a_folder_comes_out_the_same_both_ways(tmp_path: Path) -> None:
    save(tmp_path / "small.safetensors", small(), "dncnn-s-25", {})
    model = str(tmp_path / "small.safetensors")
    row = folder.throughput(CPU, tmp_path / "work", 3, model=model, size=(20, 24))
    assert tuple(row.as_dict()) == COLUMNS
    assert row.max_difference is not None
    assert row.max_difference <= 1  # a value between two grey levels
    assert "3 grey 8-bit PNGs of 24x20 read, denoised and written, in 3 turns" in row.case
    assert "megapixels/s" in row.case
    assert row.goal == "at least 6 times the plain loop"
    assert row.met == ("yes" if row.ratio >= 6 else "no")
    noisy, clean = (read(tmp_path / "work" / at / "0000.png").pixels for at in ("all/2", "ours/2"))
    assert noisy.shape == clean.shape == (20, 24)
    assert (noisy != clean).any()


def test_what_is_unfolded_folds_back() -> None:
    network = small()
    plain = folder.unfolded(network)
    assert len(plain.norms) == 2
    image = torch.rand(1, 1, 9, 11)
    with torch.inference_mode():
        torch.testing.assert_close(plain(image), network(image))
    back = folded(plain)
    for found, expected in zip(back.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(found, expected)
