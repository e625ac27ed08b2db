"""What decided the figures of a results folder: settings, seeds, hashes, and the machine."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import yaml

from engine.artifacts import sha256_file, versions
from engine.page.folder import ResultsFolder, Row


def hashes(
    images: Sequence[Row], runs: Sequence[Row], folder: ResultsFolder
) -> list[dict[str, str]]:
    """Return the SHA-256 of weights, a row a model: `what`, `schedule`, `seed`, `sha256`, `how`."""
    made = [
        {
            "what": row["model"],
            "schedule": row["schedule"],
            "seed": row.get("seed", ""),
            "sha256": row["weights_sha256"],
            "how": row.get("precision", ""),
        }
        for row in images
        if row.get("weights_sha256")
    ]
    for row in runs:
        home = ("hsi", row["scene"], row["split"], row["classifier"], f"seed{row['seed']}")
        record = folder.json(*home, "map.json")
        made.append(
            {
                "what": f"{row['classifier']}, {row['scene']}, {row['split']}",
                "schedule": str(record.get("schedule") or ""),
                "seed": row["seed"],
                "sha256": str(record.get("model_sha256", "")),
                "how": f"{record.get('precision', '')}, {record.get('device', '')}".strip(", "),
            }
        )
    return list({tuple(line.items()): line for line in made}.values())


def settings(folder: ResultsFolder, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as text, and the SHA-256 of their file."""
    path = folder.find("config.yaml", needed=False)
    return {
        "text": yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True) if config else "",
        "sha256": "" if path is None else sha256_file(path),
        "seed": config.get("seed"),
        "device": config.get("device"),
    }


def machine() -> dict[str, str]:
    """Return this machine and its software, by what the page calls each."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{memory:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        **{"Python" if name == "python" else name: version for name, version in versions().items()},
    }


def _processor() -> str:
    """Return the processor's name, where the system states it."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
