"""What is fuzzed: a reader, the files it starts from, and how they are damaged.

A new reader is one more entry of `READERS`. Its seeds are made by the test itself, in a folder;
each is read as it is first, and must be read right.
"""

import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms

from engine import settings
from engine.device import Compute
from engine.training.schedule import Schedule, read_schedule
from restore.folders.journal import Journal, join
from restore.folders.listing import Job
from restore.folders.shards import Shard
from restore.images import files, heads
from restore.images.picture import Picture
from restore.networks import denoiser
from restore.networks.dncnn import DnCNN
from restore.networks.variants import Architecture
from tests.fuzz import mutations
from tests.fuzz.reader import Reader, Seeds

_GREY, _COLOUR, _ALPHA = (
    np.random.default_rng(0).integers(0, 256, (17, 23, *more), np.uint8)
    for more in ((), (3,), (4,))
)
_DEEP = np.random.default_rng(1).integers(0, 65536, (17, 23, 3), np.uint16)
_CPU = Compute(torch.device("cpu"), "float32", "test")


def _pillow(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)  # type: ignore[arg-type]
    return file.getvalue()


def _own(folder: Path, suffix: str, picture: Picture, pages: int = 1) -> tuple[bytes, str]:
    path = folder / f"seed{suffix}"
    files.write_pages(path, [picture] * pages)
    return path.read_bytes(), suffix


def _pngs(folder: Path) -> Seeds:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[274] = 6
    yield _pillow(Image.fromarray(_GREY), "PNG"), ".png"
    yield _pillow(Image.fromarray(_COLOUR), "PNG", icc_profile=icc, exif=exif, dpi=(72, 72)), ".png"
    yield _pillow(Image.fromarray(_COLOUR).convert("P"), "PNG", transparency=3), ".png"
    yield _pillow(Image.fromarray(_GREY).convert("1"), "PNG"), ".png"
    yield _own(folder, ".png", Picture(_DEEP))
    yield _own(folder, ".png", Picture(_DEEP[..., 0].copy(), _DEEP[..., 1].copy()))


def _jpegs(_: Path) -> Seeds:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield _pillow(Image.fromarray(_GREY), "JPEG"), ".jpg"
    yield _pillow(Image.fromarray(_COLOUR), "JPEG", icc_profile=icc, progressive=True), ".jpg"
    # Inks with a profile of other colours, which people have.
    yield _pillow(Image.fromarray(_ALPHA, "RGBA").convert("RGB").convert("CMYK"), "JPEG",
                  icc_profile=icc), ".jpg"  # fmt: skip


def _others(folder: Path) -> Seeds:
    yield _pillow(Image.fromarray(_COLOUR), "WEBP"), ".webp"
    yield _pillow(Image.fromarray(_ALPHA), "WEBP", lossless=True), ".webp"
    yield _pillow(Image.fromarray(_COLOUR), "BMP"), ".bmp"
    yield _pillow(Image.fromarray(_COLOUR).convert("P"), "BMP"), ".bmp"
    yield _own(folder, ".pgm", Picture(_GREY))
    yield _own(folder, ".ppm", Picture(_DEEP))
    yield b"P2\n4 3\n255\n" + b"1 2 3 4\n" * 3, ".pgm"
    yield _pillow(Image.fromarray(_COLOUR), "TGA"), ".tga"


def _tiffs(folder: Path) -> Seeds:
    import tifffile

    yield _own(folder, ".tif", Picture(_DEEP), pages=3)
    yield _own(folder, ".tif", Picture(_COLOUR, _GREY, dpi=(72.0, 72.0)))
    yield _own(folder, ".tif", Picture(_GREY.astype(np.float32)))
    yield _pillow(Image.fromarray(_COLOUR), "TIFF", compression="tiff_lzw"), ".tif"
    yield _pillow(Image.fromarray(_COLOUR).convert("CMYK"), "TIFF"), ".tif"
    file = io.BytesIO()
    tifffile.imwrite(file, _GREY, bigtiff=True, tile=(16, 16))
    yield file.getvalue(), ".tif"


def _read_image(path: Path) -> None:
    heads.decoded_bytes(path)
    heads.is_lossy(path)
    heads.jpeg_quality(path)
    pages = files.read_pages(path)
    out = path.with_name("out.tif")
    try:
        files.write_pages(out, pages)
    finally:
        out.unlink(missing_ok=True)


def _weights(folder: Path) -> Seeds:
    path = folder / "seed.safetensors"
    network = DnCNN(Architecture(3, 1, 4, batch_norm=False), torch.Generator().manual_seed(0))
    training = {"schedule": {"name": "demo", "steps": 9}, "sets": ["a"], "start": None}
    denoiser.save(path, network, "dncnn-s-25", {"training": training})
    yield path.read_bytes(), ".safetensors"


def _read_weights(path: Path) -> None:
    model = denoiser.load(str(path), _CPU)
    assert model.schedule
    assert isinstance(model.learned_from, tuple)
    assert model.origin()
    assert np.isfinite(model(np.full((12, 12), 99.0))).all()


def _published(_: Path) -> Seeds:
    state = {}
    for index, (inputs, outputs) in enumerate([(1, 8), (8, 8), (8, 1)]):
        state[f"model.{2 * index}.weight"] = torch.randn(
            outputs, inputs, 3, 3, generator=torch.Generator().manual_seed(index)
        )
        state[f"model.{2 * index}.bias"] = torch.zeros(outputs)
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save(state, file, _use_new_zipfile_serialization=zipped)
        yield file.getvalue(), ".pth"


def _read_published(path: Path) -> None:
    from restore.networks.published_weights import import_weights

    import_weights(path)


def _journals(_: Path) -> Seeds:
    lines = [
        {"file": f"{n}.png", "output": f"{n}.png", "status": ("done", "failed")[n % 2],
         "input_sha256": "00", "options": "o", "finished": 1.7e9 + n}
        for n in range(6)
    ]  # fmt: skip
    yield "".join(json.dumps(line) + "\n" for line in lines).encode(), ".jsonl"


def _read_journal(path: Path) -> None:
    import shutil

    folder = path.with_name("journal")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("denoise.jsonl", "denoise-1-of-2.jsonl"):
        shutil.copy(path, folder / name)
    job = Job(folder, folder, "0.png", "0.png")
    with Journal(folder, "o", Shard()) as journal:
        journal.made(job)
        journal.doubt(job)
        journal.knows(job)
    join(folder)


def _schedules(_: Path) -> Seeds:
    yield (
        b"name: mine\nsteps: 100\nbatch_size: 8\nlearning_rate: 0.001\noptimizer: adam\n"
        b"decay: step\nmilestones: [50, 80]\nema_decay: 0.9\n",
        ".yaml",
    )


def _read_schedule(path: Path) -> None:
    schedule = read_schedule(path, Schedule)
    schedule.describe()
    schedule.rate(0)


_CONFIG = Path(__file__).parents[2] / "config" / "config.yaml"
_SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"


def _configs(_: Path) -> Seeds:
    yield _CONFIG.read_bytes(), ".yaml"


def _read_config(path: Path) -> None:
    settings.validate(settings.load(path), settings.load(_SCHEMA), str(path))


READERS: dict[str, Reader] = {
    "png": Reader(_pngs, mutations.of_png, _read_image),
    "jpeg": Reader(_jpegs, mutations.of_bytes, _read_image),
    "tiff": Reader(_tiffs, mutations.of_bytes, _read_image),
    "other images": Reader(_others, mutations.of_bytes, _read_image),
    "weights": Reader(_weights, mutations.of_safetensors, _read_weights),
    "published weights": Reader(_published, mutations.of_bytes, _read_published),
    "journal": Reader(_journals, mutations.of_text, _read_journal),
    "schedule": Reader(_schedules, mutations.of_text, _read_schedule),
    "config": Reader(_configs, mutations.of_text, _read_config),
}
