"""What tells a scene from others, so that work on it resumes only where it is the same."""

from pathlib import Path
from typing import Any

from hsi.errors import HsiError
from hsi.formats.registry import files
from hsi.scenes.scene import Scene


def identity(scene: Scene) -> dict[str, Any]:
    """Return what tells a scene from others: sizes and times of its files, or its checksum."""
    stated = [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in sorted(scene_files(scene))]
    return {
        "source": str(scene.provenance.get("source", "")),
        "shape": list(scene.cube.shape),
        "files": stated or [scene.checksum()],
    }


def scene_files(scene: Scene) -> set[Path]:
    """Return the files that a scene was read from, masks and metadata beside them included."""
    source = str(scene.provenance.get("source", ""))
    try:
        found = files(source) if source else []
    except HsiError:  # a scene that no file holds
        found = []
    return {path.resolve() for path in [*found, *map(Path, scene.provenance.get("files", ()))]}
