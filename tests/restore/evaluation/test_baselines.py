import importlib.util

import numpy as np
import pytest

from restore.degradations import degradation
from restore.errors import RestoreError
from restore.evaluation import baselines, metrics, pairs
from restore.image_sets import find


@pytest.fixture(scope="module")
def camera():
    return find.image_set("embedded-test").items[0].load()[100:228, 180:308]


@pytest.mark.parametrize("name", ["nlm", "wavelet", "tv"])
def test_each_gains_on_a_photograph(name, camera):
    pair = pairs.pair(camera, degradation.parse("noise:25"), seed=0, name="camera")
    estimate = baselines.BASELINES[name](pair.observed, 25)
    assert estimate.shape == pair.target.shape
    assert estimate.dtype == np.float64
    before = metrics.psnr(pair.target, pair.observed)
    assert metrics.psnr(pair.target, metrics.quantise(estimate)) > before + 5


@pytest.mark.parametrize("name", ["nlm", "wavelet", "tv"])
def test_colour_is_denoised_in_place(name):
    noisy = 128 + np.random.default_rng(0).normal(0, 25, (32, 32, 3))
    estimate = baselines.BASELINES[name](noisy, 25)
    assert estimate.shape == (32, 32, 3)
    assert np.abs(estimate - 128).mean() < 12


def test_bm3d_is_there_only_with_its_package():
    if importlib.util.find_spec("bm3d"):
        assert baselines.method("bm3d") is baselines.bm3d
        return
    with pytest.raises(RestoreError, match="pip install bm3d"):
        baselines.method("bm3d")


@pytest.mark.reference
def test_nlm_on_a_published_test_image(shared_data):
    item = find.image_set("Set12", shared_data / "images").items[1]  # house, 256x256
    pair = pairs.pair(item.load(), degradation.parse("noise:25"), seed=0, name=item.name)
    estimate = metrics.quantise(baselines.nlm(pair.observed, 25))
    assert 29.5 < metrics.psnr(pair.target, estimate) < 32.86  # the last is BM3D's figure
