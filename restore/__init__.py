"""Images: degrade them, train DnCNN on them, measure it, and denoise whole folders."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from restore.denoising.denoise import denoise
    from restore.errors import RestoreError
    from restore.evaluation.benchmark import benchmark
    from restore.evaluation.metrics import psnr, ssim
    from restore.evaluation.pairs import degrade
    from restore.folders.folder import denoise_folder
    from restore.image_sets.find import image_set
    from restore.images.files import read_image, write_image
    from restore.networks.denoiser import Denoiser, load_model
    from restore.networks.shipped import shipped_models
    from restore.training.train import train

__all__ = [
    "Denoiser",
    "RestoreError",
    "benchmark",
    "degrade",
    "denoise",
    "denoise_folder",
    "image_set",
    "load_model",
    "psnr",
    "read_image",
    "shipped_models",
    "ssim",
    "train",
    "write_image",
]

# Imported at first use (PEP 562): torch alone takes seconds.
_MODULES = {
    "Denoiser": "restore.networks.denoiser",
    "RestoreError": "restore.errors",
    "benchmark": "restore.evaluation.benchmark",
    "degrade": "restore.evaluation.pairs",
    "denoise": "restore.denoising.denoise",
    "denoise_folder": "restore.folders.folder",
    "image_set": "restore.image_sets.find",
    "load_model": "restore.networks.denoiser",
    "psnr": "restore.evaluation.metrics",
    "read_image": "restore.images.files",
    "shipped_models": "restore.networks.shipped",
    "ssim": "restore.evaluation.metrics",
    "train": "restore.training.train",
    "write_image": "restore.images.files",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *__all__})
