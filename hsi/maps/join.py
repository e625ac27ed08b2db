"""Strips of a map joined into the map that a single run would have written."""

import logging
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import parsing, why
from hsi.blockwise.identity import scene_files
from hsi.blockwise.journal import BlockJournal
from hsi.classifiers.model import load_model
from hsi.errors import HsiError
from hsi.maps.earlier import remove_earlier
from hsi.maps.generalise import generalise
from hsi.maps.options import LAYERS, MapOptions
from hsi.maps.outputs import make_rasters, outputs, refuse_existing
from hsi.maps.rasters import Raster
from hsi.maps.record import (
    LATER,
    SHARED,
    layer_beside,
    read_strip_record,
    sample_sha256,
    write_joined,
)
from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

ROWS = 256  # that are copied at once
Record = Mapping[str, Any]


def join(
    scene: Scene,
    model_path: Path,
    strips: Sequence[Path],
    out: Path | str,
    *,
    majority: int | None = None,
    sieve: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the map, picture and record of a whole scene from its strips.

    Parameters
    ----------
    scene : Scene
        Gives the size, the format and the georeference; of its cube, only the few rows are read
        by which strips tell their scene from others of its name.
    model_path : Path
        The model that made the strips.
    strips : sequence of Path
        Maps of `hsi classify --strip`, in any order. Probabilities and the other rasters are joined
        where all strips have them.
    out : Path or str
        See `hsi.maps.outputs.outputs`.
    majority, sieve : int, optional
        What is done to the whole map (see `hsi.maps.options.MapOptions`).
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    Path
        The map.

    Raises
    ------
    HsiError
        The strips are of other scenes, models or options; rows are missing, or there twice; an
        output exists, or cannot be written.
    """
    model, files = load_model(model_path), outputs(out, scene)
    parts = sorted(
        ((read_strip_record(path), path) for path in strips), key=lambda part: part[0]["rows"]
    )
    _check(parts, scene, model.sha256)
    beside: dict[str, Any] = {name: _all_beside(parts, name) for name in LAYERS if name != "sets"}
    first = parts[0][0]
    options = MapOptions(
        **beside,
        abstain=first.get("abstain"),
        sets=first.get("sets"),
        majority=majority,
        sieve=sieve,
        overwrite=overwrite,
    )
    key = {"strips": [str(path) for _, path in parts], "model": parts[0][0]["model_sha256"]}
    state = BlockJournal(files.map, key)
    try:
        with state:
            read = {model_path.resolve(), *(path.resolve() for _, path in parts)}
            inputs = scene_files(scene) | read
            refuse_existing(files, options, state, inputs)
            rasters = make_rasters(files, model, scene, options)
            rasters.open(state.folder, resume=False)
            _copy(parts, rasters.map, "")
            for name, raster in rasters.layers.items():
                _copy(parts, raster, f"_{name}")
            changed = None
            if options.generalises:
                changed = generalise(rasters.map, options, state.folder)
            numbers = rasters.map.read()
            records = [record for record, _ in parts]
            remove_earlier(files, options, inputs)
            write_joined(files, numbers, model, records, options, changed)
            del numbers
            rasters.close()
            state.done()
    except OSError as error:
        raise HsiError(f"{files.map}: not written: {why(error)}") from error
    log.info("%s: %d strips joined", files.map, len(parts))
    return files.map


def _check(parts: Sequence[tuple[Record, Path]], scene: Scene, model_sha256: str) -> None:
    """Raise HsiError where strips do not make up the scene, or were not made alike."""
    first, path = parts[0]
    if first["model_sha256"] != model_sha256:
        raise HsiError(f"{path}: made by another model than the one given")
    if first["scene"] != scene.name:
        raise HsiError(f"{path}: expected strips of {scene.name}, found {first['scene']}")
    _check_same_scene(parts, scene)
    for record, other in parts[1:]:
        for key in (*SHARED, *LATER):
            if record.get(key) != first.get(key):
                raise HsiError(
                    f"{other}: expected {key} as in {path.name}, {first.get(key)}, found "
                    f"{record.get(key)}"
                )
    ends = [[0, 0], *(record["rows"] for record, _ in parts), [scene.shape[0]] * 2]
    for before, after in pairwise(ends):
        if before[1] != after[0]:
            wrong = "missing" if before[1] < after[0] else "there twice"
            low, high = sorted((before[1], after[0]))
            raise HsiError(
                f"{scene.name}: expected strips of all {scene.shape[0]} rows, each once; rows "
                f"{low} to {high - 1} are {wrong}"
            )


def _check_same_scene(parts: Sequence[tuple[Record, Path]], scene: Scene) -> None:
    """Raise HsiError where a strip is of another scene of the same name."""
    known = [(record, path) for record, path in parts if record.get("sample_sha256") is not None]
    own = sample_sha256(scene) if known else ""
    for record, path in known:
        if record["sample_sha256"] != own:
            raise HsiError(
                f"{path}: expected a strip of {scene.provenance.get('source', scene.name)}, found "
                f"one of other values, of {record.get('source')}; give strips of one scene, or run "
                "hsi classify --strip again if the scene has changed"
            )
    sources = sorted({str(record.get("source")) for record, _ in parts})
    if len(known) < len(parts) and len(sources) > 1:
        log.warning(
            "strips of %s: their records do not say whether these are one scene; run hsi classify "
            "--strip again if they are not",
            ", ".join(sources),
        )


def _all_beside(parts: Sequence[tuple[Record, Path]], name: str) -> bool:
    return all(layer_beside(path, record, name) is not None for record, path in parts)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.stem}{ending}{path.suffix}")


def _copy(parts: Sequence[tuple[Record, Path]], raster: Raster, ending: str) -> None:
    """Copy the values of all strips to their rows of the map."""
    width = raster.content.shape[1]
    for record, path in parts:
        start, stop = record["rows"]
        with parsing(path, "expected a whole .npy file", HsiError):
            values = np.load(_beside(path, ending), mmap_mode="r", allow_pickle=False)
        if values.shape[:2] != (stop - start, width):
            raise HsiError(
                f"{path}: expected {stop - start} × {width} pixels, found {values.shape[:2]}"
            )
        for row in range(start, stop, ROWS):
            rows = slice(row, min(row + ROWS, stop))
            part = np.array(values[rows.start - start : rows.stop - start])
            raster.write(rows, slice(0, width), part)
    raster.flush()
