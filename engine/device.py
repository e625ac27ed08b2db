"""Which device and which precision: picked by capability, and said aloud with the reason.

CUDA runs bfloat16; a CPU runs bfloat16 only where it has matrix (AMX) or vector (AVX512-BF16)
instructions for it, because without them bfloat16 is several times slower than float32.
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
    """Where tensors live and how products are rounded.

    Attributes
    ----------
    device : torch.device
        `cpu` or a CUDA device.
    precision : {'float32', 'bf16'}
        Precision of convolutions and matrix products; weights, losses and statistics stay float32.
    reason : str
        Why this pair was picked, in words.
    """

    device: torch.device
    precision: Precision
    reason: str

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which a forward pass runs at this precision."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def __str__(self) -> str:
        return f"{self.device}, {self.precision} ({self.reason})"


def cpu_bf16() -> str:
    """Name the instructions that make bfloat16 fast on this CPU: 'AMX', 'AVX512-BF16' or ''."""
    for name, probe in (
        ("AMX", "_is_amx_tile_supported"),
        ("AVX512-BF16", "_is_avx512_bf16_supported"),
    ):
        supported = getattr(torch.cpu, probe, None)
        if supported is not None and supported():
            return name
    return ""


def pick(device: str = "auto", precision: str = "auto") -> Compute:
    """Pick device and precision, and log the choice with its reason.

    Parameters
    ----------
    device : str
        'auto' (CUDA where there is one, else the CPU), 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}
        'auto' takes bfloat16 only where the hardware is faster with it.

    Returns
    -------
    Compute

    Raises
    ------
    UserError
        A device that is not there, or a word that names none.
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
