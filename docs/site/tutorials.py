"""Run the commands of a tutorial, and put what they made into its page.

A page says where: ``<!-- picture: FILE: caption -->`` and ``<!-- table: FILE.csv: columns -->``. A
block of YAML that begins with ``# NAME`` is a file of that name. What the commands of a block print
follows the block.
"""

import csv
import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"^<!-- picture: (\S+): (.*) -->$", re.MULTILINE)
_TABLE = re.compile(r"^<!-- table: (\S+): (.*) -->$", re.MULTILINE)

log = logging.getLogger(__name__)


def made(page: Path, work: Path, pictures: Path) -> str:
    """Return the text of a tutorial with what its run made.

    Parameters
    ----------
    page : Path
    work : Path
        Folder of its runs; kept, so that only a page or code that changed runs again.
    pictures : Path
        Folder to copy pictures to; the page links to them as `pictures/NAME`.
    """
    text = page.read_text(encoding="utf-8")
    folder = work / f"{page.stem}-{_state(text)}"
    done = folder / "done"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for number, block in enumerate(_BLOCK.finditer(text)):
            _run(page, folder, number, *block.groups())
        done.touch()
    shown = _with_output(text, folder)
    shown = _PICTURE.sub(lambda found: _picture(page, folder, pictures, *found.groups()), shown)
    return _TABLE.sub(lambda found: _table(folder / found[1], found[2].split(", ")), shown)


def _state(text: str) -> str:
    """Return a hash of a page and of all code."""
    digest = hashlib.sha256(text.encode())
    for package in ("engine", "restore", "hsi", "workflow"):
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".py", ".smk", ".csv", ".safetensors"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _run(page: Path, folder: Path, number: int, language: str, text: str) -> None:
    if language == "yaml":
        name = text.splitlines()[0].removeprefix("# ")
        (folder / name).write_text(text, encoding="utf-8")
        return
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    where = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    printed = ""
    for line in text.replace("\\\n", "").splitlines():
        log.info("%s: %s", page.name, line)
        shell = re.sub(r"^(restore|hsi) ", rf"{sys.executable} -m \1 ", line)
        if shell.startswith("snakemake "):
            plan = f"{sys.executable} -m snakemake --cores 2 --snakefile {ROOT / 'Snakefile'}"
            shell = f"{plan} {shell.removeprefix('snakemake ')}"
        ended = subprocess.run(
            shell, shell=True, cwd=folder, env=where, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise SystemExit(f"{page}: `{line}` ended with {ended.returncode}:\n{ended.stderr}")
        if not line.startswith("snakemake"):  # its plan is long
            printed += ended.stdout
    (folder / f"block{number}.txt").write_text(printed, encoding="utf-8")


def _with_output(text: str, folder: Path) -> str:
    parts, end = [], 0
    for number, block in enumerate(_BLOCK.finditer(text)):
        parts.append(text[end : block.end()])
        end = block.end()
        file = folder / f"block{number}.txt"
        printed = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
        if printed:
            parts.append(f"\n\n```{{code-block}} text\n:class: output\n\n{printed}\n```")
    return "".join([*parts, text[end:]])


def _picture(page: Path, folder: Path, pictures: Path, name: str, caption: str) -> str:
    file = folder / name
    if not file.is_file():
        raise SystemExit(f"{page}: the run made no {name}")
    kept = f"{page.stem}-{name.replace('/', '-').replace(':', '')}"
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, pictures / kept)
    return f"![{caption}](pictures/{kept})\n\n*{caption}.*"


def _table(file: Path, columns: list[str]) -> str:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    body = ["| " + " | ".join(row[name] for name in columns) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|", *body])
