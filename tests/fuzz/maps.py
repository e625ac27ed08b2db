"""The readers of `hsi` to fuzz that stand behind a map: models, splits, components, records."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.device import Compute
from hsi.blockwise.journal import BlockJournal
from hsi.classifiers.model import make_classifier
from hsi.classifiers.train import train
from hsi.features.components import ComponentsFile, load_components
from hsi.features.pca import fit_pca
from hsi.maps.classify import classify
from hsi.maps.record import read_record, read_strip_record
from hsi.scenes.labels import make_labels
from hsi.scenes.scene import Scene
from hsi.splits.split import load_split, make_split
from tests.fuzz import mutations
from tests.fuzz.reader import Reader, Seeds
from tests.fuzz.seeds import CENTRES, CUBE, LABELS, file_of

_CPU = Compute(torch.device("cpu"), "float32", "test")
_KEY = {"scene": 1}
_SCENE = Scene("a", np.tile(CUBE, (2, 2, 1)), CENTRES)
_TRUTH = make_labels("a", np.tile(LABELS, (2, 2)))


def _models(folder: Path) -> Seeds:
    split = make_split(_TRUTH, "random:0.3", window=9)
    (folder / "quick.yaml").write_text("steps: 2\nbatch_size: 4\n")
    for name in ("cnn2d", "svm", "coordinates"):
        own: dict[str, Any] = {}
        if name == "cnn2d":
            own = {"window": 9, "components": 3, "settings": {"hidden": "4,4"}}
        path = folder / f"{name}.safetensors"
        train(
            make_classifier(name, **own), _SCENE, _TRUTH, split, path,
            compute=_CPU, schedule=str(folder / "quick.yaml"),
        )  # fmt: skip
        yield path.read_bytes(), ".safetensors"


def _read_model(path: Path) -> None:
    out = path.with_name("map.npy")
    try:
        classify(_SCENE, path, out, compute=_CPU)
    finally:
        for left in path.parent.glob("map.*"):
            left.unlink()
        shutil.rmtree(path.with_name(".map.npy.part"), ignore_errors=True)


def _splits(folder: Path) -> Seeds:
    split = make_split(_TRUTH, "random:0.3", window=9)
    yield file_of(folder, ".npz", split.save)


def _read_split(path: Path) -> None:
    split = load_split(path)
    split.check_fits(_TRUTH)
    split.describe()
    out = path.with_name("model.safetensors")
    try:
        train(make_classifier("coordinates"), _SCENE, _TRUTH, split, out, compute=_CPU)
    finally:
        out.unlink(missing_ok=True)


def _components(folder: Path) -> Seeds:
    pca = fit_pca(_SCENE, 3)
    made = ComponentsFile(pca.reduce(_SCENE), pca, "a", _SCENE.checksum())
    yield file_of(folder, ".npz", made.save)


def _read_components(path: Path) -> None:
    load_components(path).check_fits(_SCENE)


def _records(_: Path) -> Seeds:
    record = {
        "scene": "a", "classifier": "svm", "split": "random:0.3", "trained_split": {"how": "x"},
        "seed": 0, "schedule": "", "seconds_map": 1.5, "seconds_train": 2.0, "rows": [0, 12],
        "model_sha256": "00", "precision": "float32", "bands": None, "scaling": "of the training",
    }  # fmt: skip
    yield json.dumps(record).encode(), ".json"


def _read_map_record(path: Path) -> None:
    record = read_record(path.with_suffix(".npy"))
    start, stop = read_strip_record(path.with_suffix(".npy"))["rows"]
    assert stop - start + round(record.get("seconds_map") or 0, 3) is not None


def _block_journals(_: Path) -> Seeds:
    lines = [
        {"key": _KEY, "block": [4, 4]},
        {"finished": [0, 1], "seconds": 0.5},
        {"placing": True},
    ]
    yield "".join(json.dumps(line) + "\n" for line in lines).encode(), ".jsonl"


def _read_block_journal(path: Path) -> None:
    folder = path.with_name(".map.npy.part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(path, folder / "blocks.jsonl")
    with BlockJournal(path.with_name("map.npy"), _KEY) as journal:
        journal.add([2], journal.seconds + 1)
        journal.done()


READERS: dict[str, Reader] = {
    "models": Reader(_models, mutations.of_safetensors, _read_model),
    "splits": Reader(_splits, mutations.of_zip, _read_split),
    "components": Reader(_components, mutations.of_zip, _read_components),
    "records of maps": Reader(_records, mutations.of_text, _read_map_record),
    "journal of blocks": Reader(_block_journals, mutations.of_text, _read_block_journal),
}
