"""What an earlier map left under the name of a new one."""

import logging
from pathlib import Path

from hsi.errors import HsiError
from hsi.formats.writing import sidecars, written_with
from hsi.maps.options import LAYERS, MapOptions
from hsi.maps.outputs import Outputs
from hsi.maps.record import read_record

log = logging.getLogger(__name__)


def remove_earlier(files: Outputs, options: MapOptions, inputs: set[Path]) -> None:
    """Delete rasters of the map that is replaced, if the new map brings none in their place.

    They would pass for the new map's. Only what the record of the earlier map names is deleted,
    and nothing that the new map is made from.
    """
    try:
        named = read_record(files.map).get("layers") or []
    except HsiError:  # a file that is no record
        return
    for name in LAYERS:
        path = getattr(files, name)
        if name not in named or name in options.layers or not path.is_file():
            continue
        parts = [*written_with(path), *sidecars(path)]
        if inputs & {part.resolve() for part in parts}:
            continue
        for part in parts:
            part.unlink(missing_ok=True)
        log.info("%s: deleted, since it was of the map that is replaced", path)
