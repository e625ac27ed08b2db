"""A results folder as the workflow writes it, small, with names that are markup where asked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from engine.page.scene_view import SceneView

# As a folder's name, so without a slash; as a class's name, with one.
MARKUP = "\"><img src=x onerror='window.bad=1'><script>window.bad=1<script>"
CLASS_MARKUP = "</script><script>window.bad=1</script>'\"&amp;"
SIZE = (24, 30)


def write_results(
    root: Path,
    *,
    images: bool = True,
    scene: str | None = "field",
    image_set: str = "set",
    names: tuple[str, ...] = ("corn", "woods", "oats"),
    runs: int = 2,
) -> Path:
    """Write a results folder; without `images` or `scene`, that half of a run is not there."""
    root.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {"seed": 0, "device": "cpu", "restore": None, "hsi": None}
    if images:
        config["restore"] = {"models": {"dncnn-b": ["noise:25"]}, "shipped": {}, "baselines": {}}
        write_images(root, image_set)
    if scene is not None:
        config["hsi"] = {"classifiers": ["hybridsn", "coordinates"], "maps": {}}
        write_scene(root, scene, names, runs)
    (root / "config.yaml").write_text(yaml.safe_dump(config))
    return root


def write_images(root: Path, image_set: str) -> None:
    head = (
        "model,schedule,set,degradation,level,images,psnr_db,ssim,psnr_input_db,psnr_published_db"
    )
    quoted = '"' + image_set.replace('"', '""') + '"'
    lines = [f"{head},psnr_difference_db,seed,weights_sha256,precision"]
    for level, before in ((15, 24.6), (25, 20.2)):
        rest = f"noise,{level},1"
        lines.append(
            f"dncnn-b,demo (20 steps),{quoted},{rest},30.10,0.85,{before},,,0,{'a' * 64},bf16"
        )
        lines.append(
            f'dncnn-b,"best (99 steps), shipped",{quoted},{rest},31.20,0.90,{before},31.50,-0.30,'
            f"0,{'b' * 64},bf16"
        )
        lines.append(f"nlm,,{quoted},{rest},29.00,0.80,{before},,,0,,float64")
        write_panels(root / "restore/strips" / image_set / f"noise:{level}.panels", level)
    (root / "restore/psnr_ssim_summary.csv").write_text("\n".join(lines) + "\n")
    (root / "restore/models/dncnn-b").mkdir(parents=True)
    rows = [f"{step},{5 / step},0.001,{step}" for step in range(1, 21)]
    text = "\n".join(["step,loss,learning_rate,seconds", *rows])
    (root / "restore/models/dncnn-b/seed0.csv").write_text(text + "\n")


def write_panels(folder: Path, level: int) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(level)
    clean = np.tile(np.linspace(40, 220, 64), (48, 1))
    panels = []
    kinds = [("pic", "original", None), (f"noise:{level}", "input", 20.2)]
    kinds += [("dncnn-b", "method", 30.1), ("dncnn-b (shipped)", "method", 31.2)]
    for column, (name, kind, psnr) in enumerate(kinds):
        noise = rng.normal(0, level / (1 + 3 * (kind == "method")), clean.shape)
        pixels = np.clip(clean + noise * (kind != "original"), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"0-{column}.png")
        panels.append({"name": name, "kind": kind, "psnr_db": psnr, "file": f"0-{column}.png"})
    listed = {"images": [{"name": "pic", "panels": panels}]}
    (folder / "panels.json").write_text(json.dumps(listed))


def make_view(name: str, names: tuple[str, ...], size: tuple[int, int] = SIZE) -> SceneView:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    truth = ((rows // 8 + columns // 10) % (len(names) + 1)).astype(np.uint8)
    count, bands = len(names), 12
    means = rng.uniform(100, 900, (count, bands))
    spectra = rng.integers(1, 256, (*size, bands)).astype(np.uint8)
    return SceneView(
        name=name,
        shape=size,
        step=1,
        picture=rng.integers(0, 256, (*size, 3)).astype(np.uint8),
        picture_title="860 nm, 650 nm, 550 nm",
        classes=list(range(1, count + 1)),
        class_names=names,
        colours=rng.integers(40, 256, (count, 3)).astype(np.uint8),
        truth=truth,
        spectra_step=1,
        spectra=spectra,
        low=np.zeros(bands),
        high=np.full(bands, 1000.0),
        bands=[*range(6), *range(8, 14)],
        wavelengths=[400.0 + 50 * band for band in [*range(6), *range(8, 14)]],
        means=means,
        mean_pixels=[int((truth == number).sum()) for number in range(1, count + 1)],
        means_of="all labelled pixels",
    )


def write_scene(root: Path, scene: str, names: tuple[str, ...], runs: int) -> None:
    view = make_view(scene, names)
    (root / "hsi" / scene).mkdir(parents=True)
    view.save(root / "hsi" / scene / "view.npz")
    quoted = '"' + scene.replace('"', '""') + '"'
    overall = ["scene,split,classifier,seed,oa,aa,kappa,seconds_train,seconds_map"]
    means = ["scene,split,classifier,schedule,seeds,oa_mean,oa_std,aa_mean,kappa_mean"]
    means[0] += ",oa_published,oa_difference,oa_low,oa_high"
    classes = ["scene,split,classifier,seed,class_id,class_name,train_pixels,test_pixels,recall"]
    rng = np.random.default_rng(1)
    for number in range(runs):
        split = "random:0.1" if number % 2 == 0 else "blocks:8"
        classifier = "hybridsn" if number // 2 % 2 == 0 else "coordinates"
        seed = number // 4
        home = root / "hsi" / scene / split / classifier / f"seed{seed}"
        home.mkdir(parents=True)
        wrong = rng.random(SIZE) < 0.2
        numbers = np.where(wrong, rng.integers(1, len(names) + 1, SIZE), np.maximum(view.truth, 1))
        np.save(home / "map.npy", numbers.astype(np.uint8))
        np.save(home / "map_confidence.npy", rng.random(SIZE, np.float32))
        record = {
            "model_sha256": "c" * 64,
            "schedule": "demo (9 steps)",
            "precision": "bf16",
            "layers": ["confidence"],
        }
        (home / "map.json").write_text(json.dumps(record))
        train = (rng.random(SIZE) < 0.1) & (view.truth > 0)
        np.savez(
            home.parents[1] / f"split_seed{seed}.npz", train=train, test=(view.truth > 0) & ~train
        )
        run = f"{quoted},{split},{classifier},{seed}"
        overall.append(f"{run},90.00,88.00,0.89,1.0,0.1")
        published = "98.39,-8.39" if split.startswith("random") else ","
        if seed == 0:
            figures = "90.00,0.50,88.00,89.00"
            means.append(f"{run[: run.rindex(',')]},demo,1,{figures},{published},85.00,94.00")
        classes += [f'{run},{n},"x",5,20,9{n}.00' for n in range(1, len(names) + 1)]
    (root / "hsi/overall_accuracy.csv").write_text("\n".join(overall) + "\n")
    (root / "hsi/overall_accuracy_summary.csv").write_text("\n".join(means) + "\n")
    (root / "hsi/per_class_accuracy.csv").write_text("\n".join(classes) + "\n")
