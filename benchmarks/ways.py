"""The ways to run one DnCNN on an image: ours, PyTorch's own, and other programs'."""

import copy
import logging
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from benchmarks.folder import unfolded
from engine.errors import why
from restore.denoising.pixels import PixelDenoiser
from restore.networks import engines
from restore.networks.denoiser import Denoiser

log = logging.getLogger(__name__)

# From a grey image (1, 1, H, W) on 0..1, float32 and on the CPU, to the restored one.
Way = Callable[[Tensor], Tensor]

PLAIN, OURS = "eager float32 contiguous", "ours"
_LONGEST = 300  # of the reasons for which a way is left out, in letters


def plain(denoiser: Denoiser) -> Way:
    """Return the way of published scripts: normalisation not folded, PyTorch's own layout."""
    network = unfolded(denoiser.network)
    return _eager(network, denoiser.compute.device, torch.float32, torch.contiguous_format)


def channels_last(denoiser: Denoiser) -> Way:
    """Return PyTorch's way for speed: folded, channels last, the whole image at once."""
    return _eager(*_for_speed(denoiser), torch.channels_last)


def compiled(denoiser: Denoiser) -> Way:
    """Return the same, compiled, with the weights laid out beforehand (`freezing`)."""
    network, device, dtype = _for_speed(denoiser)
    return _eager(
        torch.compile(network, options={"freezing": True}), device, dtype, torch.channels_last
    )


def onnxruntime(denoiser: Denoiser) -> Way:
    """Return what onnxruntime makes of the network, as `--engine onnx` runs it."""
    return engines.run_by(denoiser, "onnx").restore_batch


def openvino(denoiser: Denoiser) -> Way:
    """Return what OpenVINO makes of the network, as `--engine openvino` runs it."""
    return engines.run_by(denoiser, "openvino").restore_batch


def ours(denoiser: Denoiser) -> Way:
    """Return what `restore denoise` does with the pixels of an image."""
    ready = PixelDenoiser(denoiser)

    def run(image: Tensor) -> Tensor:
        pixels = image[0, 0].numpy().copy()
        ready([pixels])
        return torch.from_numpy(pixels)[None, None]

    return run


def makers(precision: str) -> dict[str, Callable[[Denoiser], Way]]:
    """Return how each way is made, by the name that rows give it; the plain one first."""
    return {
        PLAIN: plain,
        OURS: ours,
        f"eager {precision} channels_last": channels_last,
        f"torch.compile {precision}": compiled,
        "onnxruntime float32": onnxruntime,
        f"OpenVINO {precision}": openvino,
    }


def able(
    made: Mapping[str, Callable[[Denoiser], Way]], denoiser: Denoiser, image: Tensor
) -> dict[str, tuple[Way, Tensor]]:
    """Return the ways that run here, each with what it makes of an image; this warms them up.

    A way that is not installed or fails is left out, and one line of the log says why. Without
    `PLAIN` or `OURS` there is nothing to compare: their errors are raised.
    """
    found: dict[str, tuple[Way, Tensor]] = {}
    for name, make in made.items():
        try:
            run = make(denoiser)
            found[name] = run, run(image)
        except Exception as error:
            if name in (PLAIN, OURS):
                raise
            log.info("%s: left out: %s", name, why(error)[:_LONGEST])
    return found


def _for_speed(denoiser: Denoiser) -> tuple[nn.Module, torch.device, torch.dtype]:
    """Return a copy of the network in the precision of the denoiser, where it is, and its type."""
    compute = denoiser.compute
    dtype = torch.bfloat16 if compute.precision == "bf16" else torch.float32
    network = copy.deepcopy(denoiser.network).to(dtype)
    laid_out: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return laid_out, compute.device, dtype


def _eager(
    network: Callable[[Tensor], Tensor],
    device: torch.device,
    dtype: torch.dtype,
    layout: torch.memory_format,
) -> Way:
    @torch.inference_mode()
    def run(image: Tensor) -> Tensor:
        restored: Tensor = network(image.to(device, dtype, memory_format=layout))
        return restored.float().cpu()

    return run
