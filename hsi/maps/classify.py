"""Classify a whole scene with a trained model, block by block, and write the map."""

import logging
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.device import Compute, pick
from engine.errors import why
from engine.memory import is_exhausted
from engine.progress import progress
from engine.revision import code_revision
from engine.tiling import Block, Tiling
from hsi.blockwise.identity import identity, scene_files
from hsi.blockwise.journal import BlockJournal
from hsi.classifiers.model import Model, load_model
from hsi.classifiers.protocol import Application, Prediction, check_probabilities
from hsi.classifiers.smoothed import smoothed
from hsi.errors import HsiError, expect_kind
from hsi.features.components import ComponentsFile
from hsi.features.smoothing import Smoothing
from hsi.formats.georeference import load_rasterio
from hsi.maps.blocks import classified, reader
from hsi.maps.certainty import certainty_of
from hsi.maps.earlier import remove_earlier
from hsi.maps.generalise import generalise
from hsi.maps.options import MapOptions
from hsi.maps.outputs import (
    Outputs,
    Rasters,
    make_rasters,
    outputs,
    refuse_existing,
)
from hsi.maps.plan import Plan, plan
from hsi.maps.record import write_record
from hsi.scenes.bands import Bands
from hsi.scenes.scene import Scene
from hsi.scenes.spectra import refuse_empty_bands

log = logging.getLogger(__name__)

SECONDS_BETWEEN_FLUSHES = 1.0
WRITES_PENDING = 2


def classify(
    scene: Scene,
    model: Path | str,
    out: Path | str,
    options: MapOptions | None = None,
    *,
    device: str = "auto",
    compute: Compute | None = None,
    reduced: ComponentsFile | None = None,
    **chosen: Any,
) -> Outputs:
    """Write the map of a scene, with a picture and a record beside it.

    Blocks are read, classified and written at the same time. A run that was interrupted resumes
    behind its last finished block, unless scene, model, options or code have changed since. A map
    that is there already, of the same scene, model, options and code, is kept.

    Parameters
    ----------
    scene : Scene
    model : Path or str
        File of a trained model (`hsi.train`).
    out : Path or str
        A .hdr (ENVI), .tif (GeoTIFF) or .npy file; or a folder, in which the map is called `map`
        and is of the scene's format. The other files have the same stem.
    options : MapOptions, optional
        What is written, and how (`hsi.maps.options.MapOptions`).
    device : str
        'auto' (a GPU where there is one), 'cpu', 'cuda' or 'cuda:N'.
    compute : Compute, optional
        Device and precision as `engine.device.pick` returns them, in place of `device`.
    reduced : ComponentsFile, optional
        The components that the model was trained with.
    **chosen
        Single options in place of those in `options`: `probabilities`, `confidence`, `entropy`,
        `margin`, `overwrite`, `resample_bands`, `refit_scaling` (bool), `abstain`, `sets` (from 0
        to 1), `majority`, `sieve`, `block` (pixels), `memory` (bytes), `strip`, `smooth` (such as
        'guided:6', see `hsi.features.smoothing`).

    Returns
    -------
    Outputs
        Paths of `map`, `picture`, `record`, `probabilities`, `confidence`, `entropy`, `margin` and
        `sets`. The map holds class numbers as in the training labels, and 0 where the scene has no
        data or the classifier abstains.

    Raises
    ------
    HsiError
        Scene and model do not fit; the classifier has no probabilities; an output exists; the
        memory or the disk does not suffice.
    UserError
        There is no such model file or device.

    Examples
    --------
    >>> import hsi, tempfile
    >>> scene, labels = hsi.open_scene("IndianPines"), hsi.open_labels("IndianPines")
    >>> split = hsi.make_split(labels, "random:0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.safetensors"
    ...     _ = hsi.train(hsi.make_classifier("coordinates"), scene, labels, split, path)
    ...     files = hsi.classify(scene, path, f"{folder}/map.hdr")
    ...     files.map.name, files.picture.is_file(), hsi.open_labels(files.map).classes.max()
    ('map.hdr', True, np.int64(16))
    """
    expect_kind(scene, Scene, "scene", "open it with hsi.open_scene")
    model_path = Path(model)
    if isinstance(chosen.get("smooth"), str):
        chosen["smooth"] = Smoothing.parse(chosen["smooth"])
    options = replace(options or MapOptions(), **chosen)
    loaded, compute = load_model(model_path), compute or pick(device)
    bands = loaded.match(
        scene, resample_bands=options.resample_bands, refit_scaling=options.refit_scaling
    )
    for name in options.of_probabilities:
        check_probabilities(loaded.classifier, True, name)
    certainty_of(loaded, options)  # raises before any work
    if options.sieve is not None:
        load_rasterio()
    files = outputs(out, scene)
    if options.strip is not None and files.map.suffix != ".npy":
        raise HsiError(f"{files.map}: expected a strip's name to end with .npy; hsi join converts")
    key = {
        "scene": identity(scene),
        "model": loaded.sha256,
        "options": options.describe(),
        "reduced": None if reduced is None else reduced.pca.checksum(),
        "bands": None if bands is None else bands.describe(),
        "compute": [compute.device.type, compute.precision],
        "code_revision": code_revision("hsi.maps.classify"),
    }
    if options.smooth is not None:
        used = smoothed(loaded.classifier, options.smooth, scene, bands)
        loaded = replace(loaded, classifier=used)
    application = Application(
        compute, options.block, bool(options.of_probabilities), reduced, bands
    )
    state = BlockJournal(files.map, key)
    try:
        with state:
            wanted = files.wanted(options)
            if not options.overwrite and state.is_finished(files.record, wanted):
                log.info("%s: holds exactly this map already; nothing to do", files.map)
                state.done()
                return files
            inputs = scene_files(scene) | {model_path.resolve()}
            refuse_existing(files, options, state, inputs)
            rasters = make_rasters(files, loaded, scene, options)
            _fill(state, rasters, scene, loaded, application, options)
            if rasters.map.is_open and options.abstain is None and not rasters.map.read().any():
                refuse_empty_bands(scene)
            changed = None
            if options.generalises and rasters.map.is_open:
                changed = generalise(rasters.map, options, state.folder)
            state.place()
            if rasters.map.is_open:
                remove_earlier(files, options, inputs)
                write_record(
                    files, rasters, state, scene, loaded, application, options, model_path, changed
                )
            rasters.close()
            state.done()
    except OSError as error:
        raise HsiError(f"{files.map}: not written: {why(error)}") from error
    except (RuntimeError, MemoryError) as error:
        if not is_exhausted(error):
            raise
        raise HsiError(
            f"{files.map}: memory ran out with blocks of {state.block} pixels; give a smaller "
            "`block` or `memory`"
        ) from error
    return files


def _fill(
    state: BlockJournal,
    rasters: Rasters,
    scene: Scene,
    model: Model,
    application: Application,
    options: MapOptions,
) -> None:
    """Classify the blocks that are not finished yet."""
    if state.placing:
        rasters.open(state.folder, resume=True)
        return
    classifier = model.classifier
    if options.refit_scaling:
        log.info("%s: mean and standard deviation are refitted on this scene", scene.name)
        classifier.refit_scaling(scene, application.bands or Bands(scene.good_bands))
    planned = _plan(state, rasters, scene, model, application, options)
    resume = state.block == planned.block and rasters.are_in(state.folder)
    if not resume:
        state.begin(planned.block)
    rasters.open(state.folder, resume=resume)
    strip = None if options.strip is None else options.strip.rows(scene.shape[0])
    tiling = Tiling(scene.shape, planned.block, classifier.halo, strip)
    log.info("%s: %s", rasters.map.path, planned)
    if state.finished:
        log.info("resumes behind %d of %d finished blocks", len(state.finished), len(tiling))
    remaining = [index for index in range(len(tiling)) if index not in state.finished]
    read = reader(classifier, scene, application)
    writing = _Writing(state, rasters, model)
    label = f"{classifier.name} {scene.name}"
    with progress(tiling.pixels, label, "pixels") as bar, closing(writing):
        bar.resume(sum(tiling[index].pixels for index in state.finished))
        blocks = (tiling[index] for index in remaining)
        with closing(classified(classifier, read, blocks, application)) as found:
            for index, (block, prediction) in zip(remaining, found, strict=True):
                writing.add(index, block, prediction)
                bar.advance(block.pixels)
        writing.finish()


def _plan(
    state: BlockJournal,
    rasters: Rasters,
    scene: Scene,
    model: Model,
    application: Application,
    options: MapOptions,
) -> Plan:
    """Return the blocks of an earlier run if the memory still allows them, else new ones."""
    # Probabilities wait with a block, sorted and calibrated, whether or not they are written.
    shares = 12 * len(model.classes) if options.of_probabilities else 0

    def with_blocks(block: tuple[int, int] | None, memory: int | None) -> Plan:
        return plan(
            model.classifier, scene, application.compute,
            written=rasters.bytes_per_pixel + shares, memory=memory, block=block,
        )  # fmt: skip

    if options.block is not None:
        return with_blocks((options.block, options.block), options.memory)
    if state.block is not None:
        before = with_blocks(state.block, None)
        if before.peak <= (options.memory or before.budget):
            return Plan(before.block, before.peak, options.memory or before.budget)
    return with_blocks(None, options.memory)


class _Writing:
    """Writes blocks in a thread, and notes those that are on the disk."""

    def __init__(self, state: BlockJournal, rasters: Rasters, model: Model) -> None:
        self.state, self.rasters, self.model = state, rasters, model
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="write")
        self._pending: deque[Future[None]] = deque()
        self._written: list[int] = []
        self._before = state.seconds
        self._began = self._flushed = time.monotonic()

    def add(self, index: int, block: Block, found: Prediction) -> None:
        """Hand over a block to be written; wait while several are unwritten."""
        while len(self._pending) >= WRITES_PENDING:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(self._write, index, block, found))

    def finish(self) -> None:
        """Wait until all blocks that were handed over are on the disk."""
        while self._pending:
            self._pending.popleft().result()
        self._flush()

    def close(self) -> None:
        """Note the written blocks, also after a failure or Ctrl-C."""
        self._pool.shutdown(wait=True)
        self._flush()

    def _write(self, index: int, block: Block, found: Prediction) -> None:
        self.rasters.write(block, found, self.model.classes)
        self._written.append(index)
        if time.monotonic() - self._flushed > SECONDS_BETWEEN_FLUSHES:
            self._flush()

    def _flush(self) -> None:
        if self._written:
            self.rasters.flush()
            self.state.seconds = self._before + time.monotonic() - self._began
            self.state.add(self._written, self.state.seconds)
            self._written.clear()
        self._flushed = time.monotonic()
