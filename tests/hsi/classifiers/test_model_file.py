"""Models of strangers: what the description says is checked before anything is built or mapped."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from engine.tensors import load_tensors, save_tensors
from hsi.classifiers.model import load_model
from hsi.errors import HsiError

Change = Callable[[dict[str, Any]], object]


def put(*keys: Any, value: Any) -> Change:
    def change(description: dict[str, Any]) -> None:
        place: Any = description
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


def changed(small_models, tmp_path, name: str, change: Change, tensors: Change = lambda _: None):
    held, description = load_tensors(small_models / f"{name}.safetensors")
    description = copy.deepcopy(description)
    change(description)
    tensors(held)
    save_tensors(tmp_path / "m.safetensors", held, description)
    return tmp_path / "m.safetensors"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d.pop("class_names"), "the key 'class_names' is missing"),
        (lambda d: d.pop("seconds_train"), "the key 'seconds_train' is missing"),
        (put("colours", 0, value=[300, 0, 0]), r"colours\[0\]\[0\]: expected a number from 0"),
        (put("classifier", value=[]), "expected a model of hsi train"),
        (put("classes", value=[1, 2, 2]), "is listed twice"),
        (put("class_names", value=["a"]), "class_names: expected 3, found 1"),
        (put("wavelengths", value=[400.0]), "wavelengths: expected 16, found 1"),
        (put("wavelengths", 3, value=float("nan")), "wavelengths: expected finite"),
        (put("used_bands", 0, value=16), "used_bands: expected numbers from 0 to 15"),
        (put("split", value={}), "the key 'how' is missing"),
        (put("schedule", value={"name": "x"}), "the key 'steps' is missing"),
        (put("seed", value="x"), "seed: expected a whole number"),
        (put("settings", value=None), "settings: expected settings"),
    ],
)
def test_odd_descriptions_are_one_line(small_models, tmp_path, change, match) -> None:
    path = changed(small_models, tmp_path, "svm", change)
    with pytest.raises(HsiError, match=match) as told:
        load_model(path)
    assert str(told.value).startswith(f"{path}: ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("cnn2d", put("settings", "architecture", "hidden", value=[10**6, 10**6]), "expected"),
        ("cnn2d", put("settings", "architecture", "components", value=10**5), "expected"),
        ("cnn2d", put("settings", "architecture", "window", value=10**6 + 1), "expected"),
        ("cnn2d", put("settings", "architecture", "depth", value=3), "unknown key 'depth'"),
        ("cnn2d", put("settings", "architecture", "dropout", value="x"), "dropout: expected"),
        ("cnn2d", put("settings", "recipe", value=None), "recipe: expected keys and values"),
        ("cnn2d", put("settings", "recipe", "average", value="no"), "average: expected a value"),
        ("cnn2d", put("settings", "pca_fitted_on", value=3), "pca_fitted_on: expected one of"),
        ("cnn2d", lambda d: d["settings"].pop("architecture"), "architecture: expected keys"),
        ("svm", put("settings", "classes", value=10**9), "classes: expected a number from 1"),
        ("svm", put("settings", "c", value=float("nan")), "c: expected a number from"),
        ("svm", put("settings", "classes", value=1), "targets: expected numbers from 0 to 0"),
    ],
)
def test_no_size_is_believed_before_the_tensors_bear_it_out(
    small_models, tmp_path, name, change, match
) -> None:
    path = changed(small_models, tmp_path, name, change)
    with pytest.raises(HsiError, match=match):
        load_model(path)


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("mean", torch.full((16,), torch.nan, dtype=torch.float64), "finite weights"),
        ("mean", torch.zeros(3, dtype=torch.float64), "mean: expected 16 real numbers"),
        ("bands", torch.zeros(16), "bands: expected N whole numbers"),
        ("targets", None, "targets: expected such a tensor"),
        ("deviation", torch.zeros(16, dtype=torch.float64), "deviation: expected numbers above 0"),
    ],
)
def test_odd_tensors_are_one_line(small_models, tmp_path, key, value, match) -> None:
    def change(tensors: dict[str, Any]) -> None:
        del tensors[key]
        if value is not None:
            tensors[key] = value

    path = changed(small_models, tmp_path, "svm", lambda _: None, change)
    with pytest.raises(HsiError, match=match):
        load_model(path)
