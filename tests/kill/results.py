"""What a command has written, as it must be equal to that of an unbroken run."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

_OF_TIME = ("second", "finished", "started", "versions")
_NO_RESULTS = {".snakemake", "logs", "benchmarks"}


def content(path: Path) -> str:
    """Return what must be equal: bytes, or tensors, rows and keys without times."""
    try:
        if path.suffix == ".safetensors":
            from engine.tensors import load_tensors, sha256_weights

            tensors, described = load_tensors(path)
            return sha256_weights(tensors, _timeless(described))
        if path.suffix == ".json":
            return json.dumps(_timeless(json.loads(path.read_text())), sort_keys=True)
        if path.suffix == ".jsonl":
            rows = [_timeless(json.loads(line)) for line in path.read_text().splitlines()]
            return "\n".join(sorted(json.dumps(row, sort_keys=True) for row in rows))
        if path.suffix == ".csv":
            with path.open() as file:
                return json.dumps([_timeless(row) for row in csv.DictReader(file)])
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except Exception as error:
        return f"not readable: {error}"


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _timeless(part) for key, part in value.items() if not str(key).startswith(_OF_TIME)
        }
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def files(folder: Path) -> dict[str, str]:
    """Return the content of all files below a folder by their names."""
    return {
        str(path.relative_to(folder)): content(path)
        for path in folder.rglob("*")
        if path.is_file() and not _NO_RESULTS & {*path.relative_to(folder).parts}
    }
