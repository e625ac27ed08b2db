"""`best` written out with SciPy and scikit-learn gives the map of `hsi.predict`, in both plans."""

import numpy as np
import pytest

from benchmarks import best_map
from engine.device import Compute
from hsi.classifiers import committee
from hsi.scenes.labels import Labels, make_labels
from hsi.scenes.scene import Scene

pytestmark = pytest.mark.usefixtures("no_matrix_product")


def stripes() -> tuple[Scene, Labels]:
    """Three stripes of spectra that noise makes hard to tell apart."""
    rng = np.random.default_rng(5)
    stripe = np.arange(27) * 3 // 27
    cube = rng.uniform(0, 1, (3, 16))[stripe][None] + rng.normal(0, 0.3, (30, 27, 16))
    return Scene("stripes", cube), make_labels("stripes", np.tile(stripe + 1, (30, 1)))


@pytest.mark.parametrize(("near", "plan"), [(0.0, "far"), (1000.0, "near")])
def test_both_ways_give_one_map(
    near: float, plan: str, cpu: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committee, "NEAR", near)
    row = best_map.mapped(cpu, *stripes(), repeats=1)
    assert row.max_difference == 0
    assert f"best (plan {plan}, random:0.1) of stripes, 30x27x16: SciPy and scikit" in row.case
    assert "GFLOP/s" not in row.case


def test_another_result_would_show(cpu: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, labels = stripes()
    monkeypatch.setattr(best_map, "predict", lambda *_, **__: np.ones(scene.shape, int))
    row = best_map.mapped(cpu, scene, labels, repeats=1)
    assert row.max_difference is not None
    assert row.max_difference > 0
