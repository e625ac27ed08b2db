"""The state from which a training resumes exactly; it is deleted once the weights are written.

The state is kept beside the output in `.resume/FINGERPRINT/`, where a workflow manager that deletes
unfinished outputs does not touch it. The fingerprint is a hash of data, settings and code, so a
training never resumes from the state of another data set, setting or revision. The state is a
safetensors file: tensors under their path in the state, everything else as JSON in the metadata.
"""

import hashlib
import json
import logging
import random
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch

from engine.device import kernels
from engine.errors import UserError
from engine.lock import unfinished
from engine.tensors import load_description, load_tensors, save_tensors

log = logging.getLogger(__name__)

_CPU = torch.device("cpu")


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for `parts`, whatever the order of their keys."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Checkpoint:
    """The resume state of the training that will write `out`.

    Use it as a context: inside, no other process trains the same thing. When the context ends
    without an error the state is deleted; after an error or a kill it stays.

    Parameters
    ----------
    out : Path
        The weights that the training writes in the end.
    parts : mapping
        Everything that decides the result: data checksums, settings, seed, code revision,
        precision. JSON-serialisable.
    states : Path, optional
        Folder for the states of trainings; by default `.resume` beside `out`.
    device : torch.device, optional
        Where it trains.

    Attributes
    ----------
    fingerprint : str
        Names the state; callers write it into the description of the final weights.
    kernels : list of str
        What computed, in the order of the sittings (`engine.device.kernels`). The last digit of the
        weights depends on it, the fingerprint does not: a state may go on elsewhere.
    """

    def __init__(
        self,
        out: Path,
        parts: Mapping[str, Any],
        states: Path | None = None,
        device: torch.device = _CPU,
    ) -> None:
        self.out, self.states = out, states
        self.kernels = [kernels(device)]
        self.fingerprint = fingerprint(parts)
        self.folder = (states or out.parent / ".resume") / self.fingerprint
        self.path = self.folder / "state.safetensors"

    def __enter__(self) -> Self:
        self._tell_others()
        with ExitStack() as stack:
            self._work = stack.enter_context(unfinished(self.folder, self._waiting))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._stack:
            if kind is None:
                self._work.remove()
                with suppress(OSError):  # another training keeps its state there
                    self.folder.parent.rmdir()

    def _tell_others(self) -> None:
        """Say that the folder holds states of other trainings alone: a setting may have changed."""
        if self.states is None or self.path.is_file():
            return
        others = sorted(path.parent.name for path in self.states.glob(f"*/{self.path.name}"))
        if others:
            log.warning(
                "%s: holds no state of this training, but of %d other (%s), with other data, "
                "settings, code or versions; this one starts anew, and those are kept",
                self.states, len(others), ", ".join(others),
            )  # fmt: skip

    def _waiting(self) -> None:
        log.info("%s: another process trains this; waiting until it ends", self.out)

    def finished(self) -> bool:
        """Return whether `out` already holds the weights of exactly this training."""
        if not self.out.is_file():
            return False
        try:
            description = load_description(self.out)
        except UserError:
            return False
        return description.get("fingerprint") == self.fingerprint

    def save(self, state: Mapping[str, Any]) -> None:
        """Save `state` and the state of every random generator, replacing what was saved."""
        tensors, rest = _flatten({**state, "kernels": self.kernels, "rng": rng_state()})
        save_tensors(self.path, tensors, rest)

    def load(self) -> dict[str, Any] | None:
        """Return the saved state and restore every random generator; None if nothing was saved."""
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = _unflatten(*load_tensors(self.path))
        except UserError as error:
            log.warning("%s; starting from the beginning", error)
            return None
        set_rng_state(state.pop("rng"))
        before, here = state.pop("kernels", []), self.kernels[-1]
        if before and before[-1] != here:
            log.warning(
                "%s: goes on by %s, before by %s; the last digits of the weights will differ from "
                "those of a training by either alone",
                self.out, here, before[-1],
            )  # fmt: skip
        self.kernels = before if before[-1:] == [here] else [*before, here]
        return state


def rng_state() -> dict[str, Any]:
    """Return the state of every global random generator that a training may use."""
    version, internal, gauss = random.getstate()
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
    assert isinstance(numpy_state, dict)
    return {
        "torch": torch.get_rng_state(),
        "cuda": list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else [],
        "python": [version, list(internal), gauss],
        "numpy": torch.from_numpy(numpy_state["state"]["key"].astype(np.int64)),
        "numpy_position": [
            int(numpy_state["state"]["pos"]),
            int(numpy_state["has_gauss"]),
            float(numpy_state["gauss"]),
        ],
    }


def set_rng_state(state: Mapping[str, Any]) -> None:
    """Restore every random generator to the state that `rng_state` returned."""
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    position, has_gauss, cached = state["numpy_position"]
    key = state["numpy"].numpy().astype(np.uint32)
    np.random.set_state(  # noqa: NPY002
        ("MT19937", key, position, has_gauss, cached)
    )


_TENSOR = "\0tensor"


def _flatten(value: Any, path: str = "") -> tuple[dict[str, torch.Tensor], Any]:
    """Split nested dicts and lists into tensors by path and the JSON that remains."""
    if isinstance(value, torch.Tensor):
        return {path or "value": value}, _TENSOR
    if isinstance(value, Mapping):
        items = [(str(key), type(key).__name__, item) for key, item in value.items()]
        tensors: dict[str, torch.Tensor] = {}
        rest = []
        for key, kind, item in items:
            inner, remaining = _flatten(item, f"{path}/{key}")
            tensors |= inner
            rest.append([key, kind, remaining])
        return tensors, {"dict": rest}
    if isinstance(value, list | tuple):
        tensors = {}
        rest = []
        for index, item in enumerate(value):
            inner, remaining = _flatten(item, f"{path}/{index}")
            tensors |= inner
            rest.append(remaining)
        return tensors, {"list": rest}
    return {}, value


def _unflatten(tensors: Mapping[str, torch.Tensor], rest: Any, path: str = "") -> Any:
    if rest == _TENSOR:
        return tensors[path or "value"]
    if isinstance(rest, dict) and "dict" in rest:
        return {
            int(key) if kind == "int" else key: _unflatten(tensors, item, f"{path}/{key}")
            for key, kind, item in rest["dict"]
        }
    if isinstance(rest, dict) and "list" in rest:
        return [_unflatten(tensors, item, f"{path}/{i}") for i, item in enumerate(rest["list"])]
    return rest
