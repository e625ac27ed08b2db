"""What tells a scene from others, so that work on it resumes only where it is the same."""

from pathlib import Path
from typing import Any

from hsi.scenes.scene import Scene


def identity(scene: Scene) -> dict[str, Any]:
    """Return what tells a scene from others: sizes and times of its files, or its checksum."""
    files = [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in sorted(scene_files(scene))]
    return {
        "source": str(scene.provenance.get("source", "")),
        "shape": list(scene.cube.shape),
        "files": files or [scene.checksum()],
    }


def scene_files(scene: Scene) -> set[Path]:
    """Return the files that a scene was read from."""
    source = str(scene.provenance.get("source", ""))
    names = {source, source.rpartition(":")[0], str(scene.provenance.get("data", ""))}
    names |= {str(Path(name).with_suffix(".hdr")) for name in names if name}
    return {Path(name).resolve() for name in names if name and Path(name).is_file()}
