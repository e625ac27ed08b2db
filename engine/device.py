"""Pick device and precision by what the hardware can do, and log the choice with its reason.

CUDA devices run bfloat16. A CPU runs bfloat16 only if it has matrix (AMX) or vector (AVX512-BF16)
instructions for it; without them bfloat16 is several times slower than float32.
"""

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, cast, get_args

import torch

from engine.errors import UserError

Precision = Literal["float32", "bf16"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compute:
    """A device, and the precision of products on it.

    Attributes
    ----------
    device : torch.device
        `cpu` or a CUDA device.
    precision : {'float32', 'bf16'}
        Precision of convolutions and matrix products; weights, losses and statistics stay float32.
    reason : str
        Why this device and precision were picked, in words.
    """

    device: torch.device
    precision: Precision
    reason: str

    def autocast(self) -> AbstractContextManager[object]:
        """Return a context in which a forward pass runs at this precision."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def __str__(self) -> str:
        return f"{self.device}, {self.precision} ({self.reason})"


def cpu_bf16() -> str:
    """Return the instructions that make bfloat16 fast on this CPU: 'AMX', 'AVX512-BF16' or ''."""
    for name, probe in (
        ("AMX", "_is_amx_tile_supported"),
        ("AVX512-BF16", "_is_avx512_bf16_supported"),
    ):
        supported = getattr(torch.cpu, probe, None)
        if supported is not None and supported():
            return name
    return ""


def kernels(device: torch.device) -> str:
    """Return what decides the last digit of a result: the GPU, or a CPU's instructions and threads.

    Examples
    --------
    >>> kernels(torch.device("cpu")).split()[-1] in ("thread", "threads")
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    count = torch.get_num_threads()
    words = ["CPU with", torch.backends.cpu.get_cpu_capability(), cpu_bf16(), f"on {count} thread"]
    return " ".join(filter(None, words)) + "s" * (count != 1)


def pick(device: str = "auto", precision: str = "auto") -> Compute:
    """Pick device and precision, and log the choice with its reason.

    Parameters
    ----------
    device : str
        'auto' (CUDA if available, else the CPU), 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}
        'auto' picks bfloat16 only if the hardware is faster with it.

    Returns
    -------
    Compute

    Raises
    ------
    UserError
        The machine has no such device, or a word is not known.
    """
    if precision not in ("auto", *get_args(Precision)):
        raise UserError(f"`precision` {precision}: expected auto, float32 or bf16")
    chosen, why = _device(device)
    if precision != "auto":
        rounding, how = cast(Precision, precision), "as asked"
    elif chosen.type == "cuda":
        native = torch.cuda.get_device_capability(chosen) >= (8, 0)
        rounding = "bf16" if native else "float32"
        how = "bf16 tensor cores" if native else "a GPU without bf16 tensor cores"
    else:
        instructions = cpu_bf16()
        rounding = "bf16" if instructions else "float32"
        how = f"the CPU has {instructions}" if instructions else "no AMX or AVX512-BF16"
    compute = Compute(chosen, rounding, f"{why}; {how}")
    log.info("device: %s", compute)
    return compute


def _device(device: str) -> tuple[torch.device, str]:
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda"), f"found {torch.cuda.get_device_name()}"
        return torch.device("cpu"), "no CUDA device"
    try:
        chosen = torch.device(device)
    except RuntimeError:
        chosen = torch.device("meta")
    if chosen.type not in ("cpu", "cuda"):
        raise UserError(f"`device` {device}: expected auto, cpu, cuda or cuda:N")
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise UserError(
            f"`device` {device}: this machine has {found} CUDA devices; use auto or cpu"
        )
    return chosen, "as asked"
