"""The pages of the documentation, cut into what can be checked: blocks, inline code and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# These tell how long runs were made, or what a config may hold: their commands are parsed alone.
# The tutorials run, in full, where the site is built.
PARSED = [
    *(ROOT / "results/reference/README.md", ROOT / "config/README.md", ROOT / "docs/backbones.md"),
    *sorted((ROOT / "docs/tutorials").glob("*.md")),
]
# Every block of the others is run.
RUN = sorted(
    {ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")} - set(PARSED)
)
PAGES = [*RUN, *(page for page in PARSED if page.is_file())]

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Line:
    """A line of a page, or a block that begins there."""

    page: Path
    number: int
    text: str
    language: str = ""

    def __str__(self) -> str:
        """Name the place, as compilers do."""
        return f"{name(self.page)}:{self.number}: {self.text.strip()}"


def name(page: Path) -> str:
    """Return a page's path below the root."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Line]:
    """Yield the fenced blocks of a page, with the number of each one's first line."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Line(page, text.count("\n", 0, found.start(2)) + 1, found[2], found[1])


def commands(block: Line) -> Iterator[Line]:
    """Yield the command lines of a shell block; a backslash at the end goes on in the next line."""
    start, held = block.number, ""
    for number, text in enumerate(block.text.splitlines(), block.number):
        start, held = (start, held + text) if held else (number, text)
        if held.endswith("\\"):
            held = held[:-1]
        else:
            if held.strip():
                yield Line(block.page, start, held)
            held = ""


def prose(page: Path) -> str:
    """Return a page's text without its blocks; the lines keep their numbers."""
    text = page.read_text(encoding="utf-8")
    return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)


def inline_code(page: Path) -> Iterator[Line]:
    """Yield what stands between backquotes."""
    text = prose(page)
    for found in re.finditer(r"`([^`]+)`", text):
        yield Line(page, text.count("\n", 0, found.start()) + 1, " ".join(found[1].split()))


def links(page: Path) -> Iterator[Line]:
    """Yield the targets of links and pictures."""
    text = prose(page)
    for found in re.finditer(r"\]\(([^)\s]+)\)", text):
        yield Line(page, text.count("\n", 0, found.start()) + 1, found[1])


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    heads = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
