"""Denoise a cube: in memory, or block by block from file to file."""

import json
import logging
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.artifacts import write_json
from engine.errors import why
from engine.memory import is_exhausted, release, size_in_words
from engine.progress import progress
from engine.revision import code_revision
from engine.tiling import Tiling
from hsi.blockwise.disk import reserve
from hsi.blockwise.identity import identity, scene_files
from hsi.blockwise.journal import BlockJournal
from hsi.denoising import eigen_images
from hsi.denoising.blocks import HALO, denoised_block
from hsi.denoising.fit import Fitted, fit
from hsi.denoising.options import DenoiseOptions
from hsi.denoising.plan import side
from hsi.denoising.refinement import refined
from hsi.errors import HsiError
from hsi.formats.lazy import LazyCube
from hsi.formats.registry import WRITTEN
from hsi.formats.writing import refuse_existing
from hsi.scenes.scene import Scene, open_scene, write_scene

if TYPE_CHECKING:
    from restore import Denoiser

log = logging.getLogger(__name__)

SECONDS_BETWEEN_FLUSHES = 1.0


def denoise(
    scene: Scene,
    out: Path | str | None = None,
    options: DenoiseOptions | None = None,
    *,
    device: str = "auto",
    precision: str = "auto",
    **chosen: Any,
) -> Scene:
    """Return a scene without noise; written to a file where one is named.

    The noise of each band is estimated and divided out, the spectra are reduced to the few
    components that stand out of it, each component is denoised as an image by DnCNN-B, and the
    spectra are put together again [1]_. Stripes, dead lines and single wrong values are mended
    before, where they are seen. A run to a file that was interrupted resumes behind its last
    finished block.

    Parameters
    ----------
    scene : Scene
        At least 5 bands, and 5 rows and columns.
    out : Path or str, optional
        A .hdr (ENVI), .tif (GeoTIFF) or .npy file; a record of how it was made lies beside it
        (.json). By default nothing is written, and the result is held in memory.
    options : DenoiseOptions, optional
        See `hsi.denoising.options.DenoiseOptions`.
    device : str
        'auto' (a GPU where there is one), 'cpu', 'cuda' or 'cuda:N'.
    precision : {'auto', 'float32', 'bf16'}
        Of the network.
    **chosen
        Single options in place of those in `options`: `components`, `restore_bad_bands`,
        `stripes`, `dead_lines`, `impulses`, `block`, `memory`, `overwrite`.

    Returns
    -------
    Scene
        Of the same shape, type and scale, with the same metadata. Pixels without data, bad bands
        and constant bands are as they were. Whole numbers are rounded and kept in their range.

    Raises
    ------
    HsiError
        Too few bands, rows, columns or pixels with data; more components than bands; an output
        exists; the memory or the disk does not suffice.
    UserError
        There is no such device.

    References
    ----------
    .. [1] L. Zhuang and J. Bioucas-Dias, "Fast Hyperspectral Image Denoising and Inpainting Based
       on Low-Rank and Sparse Representations", IEEE JSTARS 11(3), 2018; here with DnCNN in place
       of BM3D.

    Examples
    --------
    >>> import hsi, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> clean = np.linspace(0, 1, 40)[:, None, None] * rng.random(20) + np.ones((1, 40, 1))
    >>> noisy = hsi.Scene("tiny", clean + rng.normal(0, 0.1, (40, 40, 20)))
    >>> denoised = hsi.denoise(noisy, device="cpu")
    >>> bool(np.std(denoised.cube - clean) < 0.03)
    True
    """
    options = replace(options or DenoiseOptions(), **chosen)
    _warn_if_denoised(scene)
    if out is None:
        model = load_denoiser(device, precision)
        fitted, tiling = _fit(scene, options, model)
        values = np.empty(scene.cube.shape, scene.cube.dtype)
        for block in tiling:
            for rows, columns, part in denoised_block(scene, fitted, model, block):
                values[rows, columns] = part
        return replace(scene, cube=values)
    return _to_file(scene, Path(out), options, device, precision)


def _fit(scene: Scene, options: DenoiseOptions, model: "Denoiser") -> tuple[Fitted, Tiling]:
    """Return the model of a scene, and the blocks that it is denoised in."""
    fitted = fit(scene, options)
    tiling = _tiling(scene, fitted, options)
    if fitted.to_refine:
        given = options.components is not None
        fitted = refined(scene, fitted, model, tiling, all_components=given)
    return fitted, tiling


def _tiling(scene: Scene, fitted: Fitted, options: DenoiseOptions) -> Tiling:
    block, held, budget = side(scene, len(fitted.bands), fitted.subspace.components, options.memory)
    block = options.block or block
    log.info(
        "%s: blocks of %d pixels, peak about %s of %s",
        scene.name, block, size_in_words(held), size_in_words(budget),
    )  # fmt: skip
    return Tiling(scene.shape, (block, block), HALO)


def load_denoiser(device: str = "auto", precision: str = "auto") -> "Denoiser":
    """Return the network that denoises eigen-images."""
    from restore import load_model

    return load_model(eigen_images.MODEL, device=device, precision=precision)


def _to_file(
    scene: Scene, out: Path, options: DenoiseOptions, device: str, precision: str
) -> Scene:
    """Write the denoised scene to a file, and return it opened from there."""
    if out.suffix.lower() not in WRITTEN:
        raise HsiError(f"{out}: expected a name that ends with one of {', '.join(WRITTEN)}")
    inputs = scene_files(scene)
    for path in (out, out.with_suffix(".img"), out.with_suffix(".json")):
        if path.resolve() in inputs:
            raise HsiError(f"{out}: it would replace {path}, which it is made from; rename it")
    model = load_denoiser(device, precision)
    compute = model.compute
    key = {
        "scene": identity(scene),
        "options": options.describe(),
        "compute": [compute.device.type, compute.precision],
        "code_revision": code_revision("hsi.denoising.denoise"),
    }
    state = BlockJournal(out, key)
    try:
        with state:
            record_file = out.with_suffix(".json")
            if not options.overwrite and state.is_finished(record_file, [out]):
                log.info("%s: holds exactly this scene already; nothing to do", out)
                state.done()
                return open_scene(out)
            refuse_existing(out, overwrite=options.overwrite or state.placing)
            if not (options.overwrite or state.placing):
                _expect_record(record_file)
            began = time.monotonic()
            if options.block is None and state.block is not None:
                options = replace(options, block=state.block[0])
            fitted, tiling = _fit(scene, options, model)
            values = _fill(state, scene, fitted, model, tiling)
            state.place()
            write_scene(out, replace(scene, cube=_Values(values)))
            record = describe(scene, fitted) | {
                "seconds": round(time.monotonic() - began, 3),
                "device": compute.device.type,
                "precision": compute.precision,
                "made_from": state.fingerprint,
            }
            write_json(record_file, record)
            state.done()
    except OSError as error:
        raise HsiError(f"{out}: not written: {why(error)}") from error
    except (RuntimeError, MemoryError) as error:
        if not is_exhausted(error):
            raise
        raise HsiError(f"{out}: memory ran out; give a smaller `block` or `memory`") from error
    return open_scene(out)


def _expect_record(path: Path) -> None:
    """Refuse to replace a JSON file that no earlier call has written."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and "made_from" in found:
            return
    if path.exists():
        raise HsiError(
            f"{path}: would be replaced by the record, and was not made by hsi denoise; give "
            "another name, or `overwrite`"
        )


def describe(scene: Scene, fitted: Fitted) -> dict[str, Any]:
    """Return how a scene was denoised, JSON-serialisable."""
    return {
        "denoised": scene.name,
        "source": scene.provenance.get("source"),
        "model": eigen_images.MODEL,
        "components": fitted.subspace.components,
        "artefacts": str(fitted.artefacts) if fitted.artefacts else "none seen",
        "bands": (fitted.bands + 1).tolist(),
        "noise": [float(f"{value:.6g}") for value in fitted.subspace.sigma],
    }


def _fill(
    state: BlockJournal, scene: Scene, fitted: Fitted, model: "Denoiser", tiling: Tiling
) -> npt.NDArray[Any]:
    """Denoise the blocks that are not finished yet, into a file of plain values."""
    path, dtype = state.folder / "values", scene.cube.dtype
    if state.block != tiling.block or not path.is_file():
        state.begin(tiling.block)
        np.memmap(path, dtype, "w+", shape=scene.cube.shape).flush()
        reserve(path, path.stat().st_size)
    values = np.memmap(path, dtype, "r+", shape=scene.cube.shape)
    remaining = [index for index in range(len(tiling)) if index not in state.finished]
    if state.finished:
        log.info("resumes behind %d of %d finished blocks", len(state.finished), len(tiling))
    written: list[int] = []
    before, began = state.seconds, time.monotonic()
    flushed = began

    def flush() -> None:
        values.flush()
        release(values)
        if written:
            state.add(written, before + time.monotonic() - began)
            written.clear()

    with progress(tiling.pixels, f"denoise {scene.name}", "pixels") as bar:
        bar.resume(sum(tiling[index].pixels for index in state.finished))
        try:
            for index in remaining:
                for rows, columns, part in denoised_block(scene, fitted, model, tiling[index]):
                    values[rows, columns] = part
                    release(values)
                written.append(index)
                bar.advance(tiling[index].pixels)
                if time.monotonic() - flushed > SECONDS_BETWEEN_FLUSHES:
                    flush()
                    flushed = time.monotonic()
        finally:
            flush()
    return values


class _Values(LazyCube):
    """Values in a file, of which no page stays in memory."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        height, width, bands = values.shape
        super().__init__((height, width, bands), values.dtype)
        self.values = values

    def read(self, rows: slice, columns: slice, bands: slice) -> npt.NDArray[Any]:
        found = np.array(self.values[rows, columns, bands])
        release(self.values)
        return found


def _warn_if_denoised(scene: Scene) -> None:
    """Warn where a record of a denoising lies beside the file of a scene."""
    for path in scene_files(scene):
        record = path.with_suffix(".json")
        try:
            found = json.loads(record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and "denoised" in found:
            log.warning("%s: denoised already, by %s; once is enough", scene.name, record)
            return
