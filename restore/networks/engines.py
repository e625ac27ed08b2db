"""Other programs that run a network on the CPU: onnxruntime and OpenVINO, tried before use.

Each engine is given the network as ONNX. Before it restores anything, its result on a noisy picture
is compared with PyTorch's in float32; one that differs by more than `TOLERANCE` is refused.
"""

import hashlib
import json
import logging
import math
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import artifacts
from engine.device import Compute
from engine.errors import why
from restore.errors import RestoreError
from restore.networks.denoiser import Denoiser
from restore.networks.dncnn import DnCNN
from restore.networks.export import onnx_bytes

log = logging.getLogger(__name__)

Run = Callable[[Tensor], Tensor]

ENGINES = ("torch", "onnx", "openvino", "auto")
# Largest difference to PyTorch in float32, on 0..1. In bfloat16, PyTorch itself differs by as much.
TOLERANCE = {"float32": 1e-5, "bf16": 0.02}
PACKAGES = {"onnx": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino")}
SIDE, ROUNDS = 256, 5  # of the picture that is timed, and how often
_TRIED = 64  # side of the picture that is compared


def run_by(denoiser: Denoiser, engine: str) -> Denoiser:
    """Return a denoiser whose network an engine runs.

    Parameters
    ----------
    denoiser : Denoiser
    engine : {'torch', 'onnx', 'openvino', 'auto'}
        'onnx' computes in float32, 'openvino' in the precision of the denoiser. 'auto' is the
        fastest that is installed and equal, by a measurement that is made once and kept in the
        cache folder; on a GPU, PyTorch.

    Raises
    ------
    RestoreError
        A package is missing; the denoiser is on a GPU; the engine fails, or gives something else.
    """
    cpu = denoiser.compute.device.type == "cpu"
    if engine == "auto":
        engine = fastest(denoiser) if cpu else "torch"
        log.info("engine: %s", engine)
    if engine == "torch":
        return denoiser
    if not cpu:
        raise RestoreError(
            f"`engine` {engine}: expected the device cpu, found {denoiser.compute.device}; use "
            "torch, or cpu as `device`"
        )
    return replace(denoiser, engine=_checked(denoiser, engine))


def fastest(denoiser: Denoiser) -> str:
    """Return the engine that was measured fastest for networks of this shape on this machine.

    The seconds of all engines are kept in ``engines.json`` of the cache folder, by processor,
    threads, precision, shape and versions; other engines are measured when one of these changes.
    """
    path, key = cache_file(), _key(denoiser)
    kept = _kept(path)
    if key not in kept:
        log.info("engine: measured once on this machine")
        kept[key] = _seconds(denoiser)
        try:
            artifacts.write_json(path, kept)
        except OSError as error:
            log.warning("%s: the measurement is not kept: %s", path, why(error))
    seconds = kept[key]
    shown = ", ".join(f"{name} {value:.3f} s" for name, value in seconds.items())
    log.info("engine: %d × %d pixels: %s", SIDE, SIDE, shown)
    return min(seconds, key=lambda name: seconds[name])


def cache_file() -> Path:
    """Return where measurements are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("restore-hsi") / "engines.json"


def _kept(path: Path) -> dict[str, dict[str, float]]:
    """Return the measurements that are kept; none where the file is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(key): {name: float(value) for name, value in seconds.items() if name in ENGINES}
            for key, seconds in found.items()
            if "torch" in seconds and all(math.isfinite(value) for value in seconds.values())
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _key(denoiser: Denoiser) -> str:
    """Return what a measurement depends on, hashed."""
    versions = {name: _version(name) for name in ("torch", "onnxruntime", "openvino")}
    threads, compute = torch.get_num_threads(), denoiser.compute
    machine = [platform.node(), platform.machine(), platform.processor()]
    shape = vars(denoiser.network.architecture)
    what = [machine, threads, compute.precision, shape, versions]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _seconds(denoiser: Denoiser) -> dict[str, float]:
    """Measure all engines that are installed and equal, turn by turn; the best of some rounds."""
    able: dict[str, Run] = {"torch": denoiser.restore_batch}
    for name in PACKAGES:
        try:
            able[name] = _checked(denoiser, name)
        except RestoreError as error:
            log.info("%s", error)
    picture = _noisy(denoiser, SIDE)
    found = dict.fromkeys(able, math.inf)
    for turn in range(ROUNDS + 1):
        for name, run in able.items():
            began = time.perf_counter()
            run(picture)
            if turn:  # the first warms up
                found[name] = min(found[name], time.perf_counter() - began)
    return found


def _checked(denoiser: Denoiser, name: str) -> Run:
    """Return an engine that gives what PyTorch gives."""
    packages = PACKAGES[name]
    try:
        model = onnx_bytes(denoiser.network, {"model": denoiser.name})
        run = _MAKERS[name](model, denoiser.compute)
    except ImportError as error:
        raise RestoreError(
            f"`engine` {name}: needs the packages {' and '.join(packages)}; "
            f"pip install 'restore-hsi[{name}]'"
        ) from error
    except Exception as error:
        raise RestoreError(
            f"`engine` {name}: cannot run {denoiser.name} ({why(error)}); use torch"
        ) from error
    most = TOLERANCE[precision_of(name, denoiser.compute)]
    apart = difference(denoiser.network, run, _noisy(denoiser, _TRIED))
    if not apart <= most:
        raise RestoreError(
            f"`engine` {name}: expected the values of torch within {most:g}, found {apart:.2g}; "
            "use torch"
        )
    return run


def precision_of(name: str, compute: Compute) -> str:
    """Return the precision in which an engine computes."""
    return compute.precision if name == "openvino" else "float32"


def difference(network: DnCNN, run: Run, noisy: Tensor) -> float:
    """Return the largest difference of an engine to PyTorch in float32, on 0..1."""
    with torch.inference_mode():
        return float((run(noisy) - network(noisy)).abs().max())


def _noisy(denoiser: Denoiser, side: int) -> Tensor:
    """Draw slopes with noise of σ 25, (1, C, side, side − 1)."""
    at = torch.linspace(0.2, 0.8, side)
    clean = (at[:, None] + at[None, :-1]) / 2
    noise = torch.randn(
        (1, denoiser.channels, side, side - 1), generator=torch.Generator().manual_seed(0)
    )
    return clean + noise * (25 / 255)


def _onnxruntime(model: bytes, compute: Compute) -> Run:  # noqa: ARG001
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(degraded: Tensor) -> Tensor:
        (restored,) = session.run(None, {"image": np.ascontiguousarray(degraded.numpy())})
        return torch.from_numpy(restored)

    return run


def _openvino(model: bytes, compute: Compute) -> Run:
    import openvino

    core = openvino.Core()
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": "bf16" if compute.precision == "bf16" else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }
    compiled = core.compile_model(core.read_model(model), "CPU", settings)
    request = compiled.create_infer_request()

    def run(degraded: Tensor) -> Tensor:
        request.infer({"image": np.ascontiguousarray(degraded.numpy())})
        return torch.from_numpy(request.get_output_tensor().data.astype(np.float32))

    return run


_MAKERS: dict[str, Callable[[bytes, Compute], Run]] = {"onnx": _onnxruntime, "openvino": _openvino}
