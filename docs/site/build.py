"""Build the documentation site: `make docs`, or `python docs/site/build.py [OUT]`.

Pages are written for the repository's folder. Here they are put together under `build/docs/source`:
tutorials run, the reference is written from the commands and the public lists, links to files that
are no page become their names, and Sphinx builds it all; a warning is an error.
"""

import logging
import os
import re
import shutil
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent
ROOT = SITE.parents[1]
sys.path[:0] = [str(ROOT), str(SITE)]

import commands  # noqa: E402
import tutorials  # noqa: E402

import hsi  # noqa: E402
import hsi.__main__  # noqa: E402
import restore  # noqa: E402
import restore.__main__  # noqa: E402

BUILD = ROOT / "build" / "docs"
SOURCE = BUILD / "source"
# Pages of the repository -> of the site.
PAGES = {
    **{page: page.name for page in sorted((ROOT / "docs").glob("*.md"))},
    **{
        page: f"tutorials/{page.name}" for page in sorted((ROOT / "docs/tutorials").glob("*.md"))
    },
    SITE / "index.md": "index.md",
    ROOT / "CONTRIBUTING.md": "contributing.md",
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "config/README.md": "reference/config.md",
    ROOT / "results/reference/README.md": "reference/results.md",
    **{
        card: f"reference/weights/{card.name}"
        for card in sorted((ROOT / "restore/weights").glob("*.md"))
    },
}  # fmt: skip
ALSO = {
    ROOT / "README.md": "index.md",
    ROOT / "restore/weights": "reference/weights.md",
}
_LINK = re.compile(r"(!?)\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

log = logging.getLogger(__name__)


def build(out: Path) -> int:
    """Build the site and return Sphinx's exit status."""
    from sphinx.cmd.build import main as sphinx

    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    shutil.copy(SITE / "conf.py", SOURCE)
    shutil.copytree(SITE / "_static", SOURCE / "_static")
    for page, place in PAGES.items():
        if page.is_file():
            target = SOURCE / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(staged(page, place), encoding="utf-8")
    write_reference()
    return int(sphinx(["-W", "--keep-going", "-q", "-E", "-b", "html", str(SOURCE), str(out)]))


def staged(page: Path, place: str) -> str:
    """Return a page's text as the site has it."""
    if place.startswith("tutorials/"):
        pictures = SOURCE / "tutorials" / "pictures"
        text = tutorials.made(page, BUILD / "runs", pictures)
    else:
        text = page.read_text(encoding="utf-8")
    text = text.replace("```snakemake\n", "```python\n")
    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [relinked(text[end : fence.start()], page, place), fence[0]]
        end = fence.end()
    return "".join([*parts, relinked(text[end:], page, place)])


def relinked(text: str, page: Path, place: str) -> str:
    """Return text whose links lead to pages and pictures of the site, or are names of files."""

    def link(found: re.Match[str]) -> str:
        mark, label, address = found.groups()
        if "://" in address or address.startswith(("#", "pictures/", "mailto:")):
            return found[0]
        path, _, anchor = address.partition("#")
        file = (page.parent / path).resolve()
        if mark:
            kept = SOURCE / "pictures" / "-".join(file.relative_to(ROOT).parts)
            kept.parent.mkdir(exist_ok=True)
            shutil.copy(file, kept)
            return f"![{label}]({_from(place, 'pictures/' + kept.name)})"
        there = PAGES.get(file) or ALSO.get(file)
        if there is None:
            name = file.relative_to(ROOT).as_posix()
            return f"`{name}`" if label.strip("`") == name else f"{label} (`{name}`)"
        return f"[{label}]({_from(place, there)}{'#' * bool(anchor)}{anchor})"

    return _LINK.sub(link, text)


def _from(place: str, target: str) -> str:
    return Path(os.path.relpath(target, Path(place).parent)).as_posix()


def write_reference() -> None:
    """Write the pages of commands, of public names and of weights."""
    folder = SOURCE / "reference"
    folder.mkdir(exist_ok=True)
    for program, app in (("restore", restore.__main__.app), ("hsi", hsi.__main__.app)):
        (folder / f"{program}.md").write_text(commands.reference(program, app), encoding="utf-8")
    for package in (restore, hsi):
        parts = [f"# Python: `import {package.__name__}`", str(package.__doc__)]
        for name in package.__all__:
            value = getattr(package, name)
            error = isinstance(value, type) and issubclass(value, Exception)
            kind = "exception" if error else "class" if isinstance(value, type) else "function"
            members = "" if kind != "class" else ":members:\n:special-members: __call__\n"
            parts += [
                f"## {name}",
                f"```{{eval-rst}}\n.. auto{kind}:: {package.__name__}.{name}\n"
                + "".join(f"   {line}\n" for line in members.splitlines())
                + "```",
            ]
        page = folder / f"python-{package.__name__}.md"
        page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    cards = [place for place in PAGES.values() if place.startswith("reference/weights/")]
    lines = "\n".join(
        Path(place).with_suffix("").relative_to("reference").as_posix() for place in cards
    )
    (folder / "weights.md").write_text(
        "# Shipped weights\n\nEach has a card: what made it, and its scores.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{lines}\n```\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    os.environ.setdefault("MPLBACKEND", "Agg")
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/_site"
    status = build(site)
    if status == 0:
        log.info("open %s", site / "index.html")
    sys.exit(status)
