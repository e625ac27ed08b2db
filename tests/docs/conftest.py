"""The small files that pages name: images, a scene, its labels, weights and models."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from engine.tensors import load_tensors
from hsi.scenes.labels import make_labels, write_labels
from hsi.scenes.scene import Scene, write_scene
from tests.docs.pages import ROOT, Line
from tests.docs.reader import Reader
from tests.restore.networks.test_published_weights import matconvnet

SIDE, BANDS = 64, 31  # of the scene: room for windows of 25 pixels apart from each other


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that a page takes for granted."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    (folder / "photos" / "more").mkdir(parents=True)
    rows, columns = np.mgrid[:48, :56]
    waves = 128 + 60 * np.sin(columns / 5) + 40 * np.cos(rows / 7)
    grey = np.clip(waves + rng.normal(0, 15, waves.shape), 0, 255)
    Image.fromarray(grey.astype(np.uint8)).save(folder / "photos" / "grey.png")
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], -1).astype(np.uint8)
    Image.fromarray(colour).save(folder / "photos" / "more" / "colour.jpg")
    for name, level in (("shots", 20), ("means", 0)):
        (folder / name).mkdir()
        shot = np.clip(colour + rng.normal(0, level, colour.shape), 0, 255)
        Image.fromarray(shot.astype(np.uint8)).save(folder / name / "shot.png")
    Image.fromarray((grey * 257).astype(np.uint16)).save(folder / "scan.tif")
    shutil.copy(ROOT / "restore/weights/dncnn-b.safetensors", folder)
    # Weights that remove no noise are refused.
    sound = load_tensors(ROOT / "restore/weights/dncnn-3.safetensors")[0]
    layers = [
        tuple(sound[f"layers.{index}.{part}"].numpy() for part in ("weight", "bias"))
        for index in range(len(sound) // 2)
    ]
    matconvnet(folder / "DnCNN3.mat", depth=len(layers), features=64, given=layers)

    truth = np.ones((SIDE, SIDE), np.uint8)
    truth[::2] = 2
    cube = rng.random((SIDE, SIDE, BANDS)).astype(np.float32) + truth[..., None]
    scene = Scene("field", cube, np.linspace(400.0, 1000.0, BANDS))
    write_scene(folder / "scene.hdr", scene)
    write_scene(folder / "field.tif", scene)
    for name in ("north", "south"):
        write_scene(folder / f"{name}.hdr", scene)
        write_labels(folder / f"{name}_gt.hdr", make_labels(name, truth))
    for name in ("B04", "B08"):
        write_scene(folder / f"{name}.tif", Scene(name, cube[..., :1]))
    quality = (1 << truth[..., None] + 2).astype(np.uint16)  # the bits of clouds and shadows
    for name, values in (("SR_B4", cube), ("SR_B5", cube), ("QA_PIXEL", quality)):
        write_scene(folder / f"LC09_field_{name}.TIF", Scene(name, values[..., :1]))
    savemat(folder / "labels.mat", {"gt": truth})
    land(folder, rng)
    (folder / "short.yaml").write_text("steps: 2\nbatch_size: 8\n")
    (folder / "candidates.yaml").write_text("place: {classifier: coordinates}\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        reader = Reader(folder)
        for words in (
            "hsi split labels.mat --how blocks:16 --out first.npz",
            "hsi train scene.hdr labels.mat --classifier coordinates --split first.npz"
            " --out model.safetensors",
            "hsi classify scene.hdr model.safetensors other.hdr",
        ):
            reader.run(Line(Path(__file__), 1, words))
    return folder


def land(folder: Path, rng: np.random.Generator) -> None:
    """Write a GeoTIFF of 16 square fields of two crops, and their outlines as a GeoPackage."""
    import pyogrio.raw
    import shapely

    crops = np.indices((4, 4)).sum(axis=0) % 2
    cube = rng.random((SIDE, SIDE, BANDS)).astype(np.float32)
    cube += crops.repeat(SIDE // 4, axis=0).repeat(SIDE // 4, axis=1)[..., None]
    place = {"crs": "EPSG:32616", "transform": (20.0, 0.0, 500000.0, 0.0, -20.0, 4480000.0)}
    write_scene(folder / "land.tif", Scene("land", cube, georeference=place))
    rows, columns = np.indices((4, 4)) * 320.0
    west, north = 500000 + columns + 20, 4480000 - rows - 20
    shapes = shapely.box(west, north - 280, west + 280, north).ravel()
    names = np.array(["corn", "wheat"], object)[crops.ravel()]
    pyogrio.raw.write(
        folder / "fields.gpkg", shapely.to_wkb(shapes), [names], ["crop"],
        geometry_type="Polygon", crs="EPSG:32616", driver="GPKG",
    )  # fmt: skip


@pytest.fixture
def reader(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """A reader in a folder of its own, with the files, an image and a noisy one."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    noisy = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    image = np.asarray(Image.open(tmp_path / "photos/grey.png"))
    return Reader(tmp_path, {"noisy": noisy, "image": image})
