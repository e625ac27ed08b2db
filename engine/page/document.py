"""Templates to one HTML document, with its styles, scripts and data inside.

Everything that a template fills in is escaped. The document's own content security policy lets the
browser run its one script alone, by its hash, and fetch nothing.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

STYLES = ("vendor/uPlot.min.css", "page.css")
# Libraries of others, each with its licence, which goes with it into the page.
LIBRARIES = {"vendor/uPlot.iife.min.js": "vendor/uPlot.LICENSE"}
# What every page's script begins with.
SCRIPTS = ("page.js",)


def document(template: str, *, scripts: Sequence[str] = (), **context: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        A file of `templates/`.
    scripts : sequence of str
        Files of `static/` that the page needs beside `page.js`, in their order.
    **context
        What the template shows. Text may hold anything: it stays text.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> page = document("sheet.html.j2", title="<b>", pairs=[], shown="", data={})
    >>> "&lt;b&gt;" in page, "<b>" in page
    (True, False)
    """
    libraries = LIBRARIES if "charts.js" in scripts else {}
    parts = [f"/*!\n{_static(terms)}*/\n{_static(name)}" for name, terms in libraries.items()]
    script = "\n".join([*parts, *(_static(name) for name in (*SCRIPTS, *scripts))])
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup("\n".join(_static(name) for name in STYLES)),
            script=Markup(script),
            script_hash=f"sha256-{digest}",
            **context,
        )
    )


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("engine.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["path"] = path
    return made


def path(name: str) -> str:
    """Return a relative path as a link: its parts quoted, and never taken for a protocol.

    Examples
    --------
    >>> path("hsi/random:0.1/map #1.png")
    './hsi/random%3A0.1/map%20%231.png'
    """
    return "./" + quote(name.encode("utf-8", "surrogateescape"))


@cache
def _static(name: str) -> str:
    """Return a file of `static/`; no end tag in it may close its element."""
    text = files("engine.page").joinpath("static", name).read_text(encoding="utf-8")
    lowered = text.lower()
    if "</script" in lowered or "</style" in lowered:
        raise ValueError(f"{name}: holds an end tag, so it cannot stand inside a page")
    return text
