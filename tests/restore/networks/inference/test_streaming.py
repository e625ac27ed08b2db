"""Strip by strip, and band by band in threads, equals one pass, for odd sizes and strips."""

import threading
import time
from collections import Counter

import pytest
import torch

from engine.device import Compute
from restore.networks.denoiser import load
from restore.networks.dncnn import DnCNN
from restore.networks.inference import layers, streaming
from restore.networks.variants import Architecture


def shaken(shape: Architecture) -> DnCNN:
    generator = torch.Generator().manual_seed(0)
    network = DnCNN(shape, generator)
    torch.nn.init.normal_(network.convolutions()[-1].weight, std=0.1, generator=generator)
    for _ in range(2):
        network(torch.rand(4, shape.channels, 12, 12, generator=generator))
    return network.eval()


def image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (6, 7), (23, 4), (41, 1), (1, 41), (40, 17)])
@pytest.mark.parametrize("rows", [1, 2, 3, 7, 35])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("residual", [True, False])
def test_strips_equal_one_pass(size, rows, batch_norm, residual):
    network = shaken(Architecture(5, 3, 8, batch_norm, residual)).double()
    batch = image(2, 3, *size).double()
    with torch.inference_mode():
        whole = network(batch)
        strips = streaming.evaluate(network, batch, rows=rows)
    torch.testing.assert_close(strips, whole, rtol=0, atol=1e-6)
    assert strips.shape == batch.shape
    assert (whole - batch).abs().max() > 1e-3


def test_strips_as_they_are_chosen_equal_one_pass(monkeypatch):
    monkeypatch.setattr(streaming, "STRIP_PIXELS", 60)
    network = shaken(Architecture(4, 1, 8, batch_norm=False)).double()
    for batch in (image(7, 1, 4, 5), image(3, 1, 31, 20), image(2, 1, 9, 100)):
        with torch.inference_mode():
            found = streaming.evaluate(network, batch.double())
            torch.testing.assert_close(found, network(batch.double()), rtol=0, atol=1e-6)


def test_strips_in_bfloat16_are_as_one_pass_in_bfloat16():
    network = shaken(Architecture(6, 1, 16, batch_norm=False))
    batch = image(1, 1, 50, 37)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        whole, strips = network(batch), streaming.evaluate(network, batch, rows=8)
    assert strips.dtype == torch.float32
    torch.testing.assert_close(strips, whole, rtol=0, atol=0.02)


def test_bfloat16_does_not_round_the_image():
    model = load("dncnn-s-25", Compute(torch.device("cpu"), "float32", "test"))
    slope = torch.linspace(0.6, 0.9, 96).expand(1, 1, 64, 96)
    noise = torch.randn(slope.shape, generator=torch.Generator().manual_seed(1))
    batch = slope + noise * 25 / 255
    with torch.inference_mode():
        exact = model.network(batch)
        with torch.autocast("cpu", torch.bfloat16):
            rounded, found = model.network(batch), streaming.evaluate(model.network, batch, rows=16)
    assert (found - exact).std() < 0.7 * (rounded - exact).std()


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_all_at_once_is_as_in_strips(batch_norm, dtype):
    network = shaken(Architecture(5, 3, 8, batch_norm))
    batch = image(2, 3, 23, 18)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, dtype == torch.bfloat16):
        strips = streaming.evaluate(network, batch, rows=7)
        whole = streaming._at_once(network, batch, dtype)
    most = 1e-6 if dtype == torch.float32 else 0.01
    torch.testing.assert_close(whole, strips, rtol=0, atol=most)


def test_rows_of_the_strip_above_count():
    network = shaken(Architecture(4, 1, 8, batch_norm=False)).double()
    batch = image(1, 1, 24, 9).double()
    with torch.inference_mode():
        whole = network(batch)
        apart = torch.cat([network(half) for half in batch.split(12, dim=2)], dim=2)
    assert (apart - whole).abs().max() > 1e-3  # zeros between the strips would be seen


@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("shape", [(1, 81, 7), (1, 40, 17), (2, 64, 5), (3, 50, 9), (7, 4, 5)])
@pytest.mark.parametrize("rows", [None, 1, 4, 50])
def test_bands_in_threads_equal_one_pass(threads, shape, rows):
    network = shaken(Architecture(5, 3, 8, batch_norm=False)).double()
    count, height, width = shape
    batch = image(count, 3, height, width).double()
    with torch.inference_mode():
        found = streaming.evaluate(network, batch, rows=rows, threads=threads)
        torch.testing.assert_close(found, network(batch), rtol=0, atol=1e-6)


def test_bands_keep_the_precision_of_the_thread_that_asks():
    network = shaken(Architecture(6, 1, 16, batch_norm=False))
    batch = image(1, 1, 60, 37)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        whole, bands = network(batch), streaming.evaluate(network, batch, threads=2)
    exact = network(batch).detach()
    rounding = float((whole - exact).abs().max())
    assert rounding > 1e-4  # in float32 the bands would be nearer than that
    assert float((bands - exact).abs().max()) > rounding / 4
    torch.testing.assert_close(bands, whole, rtol=0, atol=0.02)


def test_a_slow_thread_gives_rows_away_and_the_result_is_the_same(monkeypatch):
    network = shaken(Architecture(5, 3, 8, batch_norm=False))
    batch = image(1, 3, 400, 9)
    calls, kernel = Counter(), layers.convolution_relu

    def slow_in_one_thread(hidden, *others):
        thread = threading.get_ident()
        calls[thread] += 1
        if thread == next(iter(calls)):
            time.sleep(0.01)
        return kernel(hidden, *others)

    monkeypatch.setattr(layers, "convolution_relu", slow_in_one_thread)
    with torch.inference_mode():
        found = streaming.evaluate(network, batch, rows=4, threads=2)
        torch.testing.assert_close(found, network(batch), rtol=0, atol=1e-6)
    slow, quick = calls.values()
    assert slow < quick / 2


def test_after_an_error_in_one_thread_the_other_begins_no_more(monkeypatch):
    network = shaken(Architecture(5, 3, 8, batch_norm=False))
    begun, kernel = Counter(), layers.convolution_relu

    def broken_once(hidden, *others):
        begun["calls"] += 1
        if begun["calls"] == 9:
            raise RuntimeError("torn")
        time.sleep(0.001)
        return kernel(hidden, *others)

    monkeypatch.setattr(layers, "convolution_relu", broken_once)
    with torch.inference_mode(), pytest.raises(RuntimeError, match="torn"):
        streaming.evaluate(network, image(1, 3, 4000, 9), rows=4, threads=2)
    assert begun["calls"] < 200  # of 4,000


def test_an_error_in_a_band_is_raised():
    network = shaken(Architecture(4, 3, 8, batch_norm=False))
    with torch.inference_mode(), pytest.raises(RuntimeError, match="channels"):
        streaming.evaluate(network, image(1, 1, 64, 9), threads=2)


@pytest.mark.parametrize("last", [1.0, 1e-30])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_numbers_that_overflow_are_seen(dtype, last):
    network = shaken(Architecture(5, 1, 8, batch_norm=False))
    with torch.no_grad():
        for conv in network.convolutions()[1:-1]:
            conv.weight.mul_(1e20)
        network.convolutions()[-1].weight.mul_(last)  # small again, but too late
    with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype is not None):
        assert not network(image(1, 1, 20, 20)).isfinite().all()
        assert not streaming.evaluate(network, image(1, 1, 20, 20)).isfinite().all()


def test_what_is_no_number_comes_out_as_none():
    network = shaken(Architecture(4, 1, 8, batch_norm=False))
    holed = image(1, 1, 20, 20)
    holed[0, 0, 3, 4] = torch.nan
    assert streaming.evaluate(network, holed).isnan().any()


def test_the_shipped_weights_cannot_overflow():
    from restore.networks.denoiser import load_model
    from restore.networks.shipped import shipped_models

    for name in shipped_models():
        network = load_model(name, device="cpu").network
        assert layers._bound(network, 2.0) < layers._SAFE / 1e6
