"""The page of one scene."""

import logging
from pathlib import Path

from engine.artifacts import write_text
from engine.errors import why
from engine.page.accuracies import runs_of
from engine.page.document import document
from engine.page.layers import scenes
from engine.page.scene_view import SceneView
from hsi.errors import HsiError
from hsi.scenes.describe import describe
from hsi.scenes.scene import Scene

log = logging.getLogger(__name__)

MAPS, SPECTRA = 6_000_000, 7_500_000  # characters of the page
SCRIPTS = ("charts.js", "scenes.js")


def write_page(view: SceneView, out: Path, scene: Scene | None = None) -> None:
    """Write a page that shows a scene with its maps.

    Parameters
    ----------
    view : SceneView
        As `hsi.views.scene_view.make_view` returns it.
    out : Path
        An .html file, which is replaced if it is there.
    scene : Scene, optional
        The scene itself, for what the page says about its file.

    Raises
    ------
    HsiError
        `out` ends otherwise, or cannot be written.
    """
    if out.suffix != ".html":
        raise HsiError(f"{out}: expected a name that ends with .html")
    data, said = scenes([(view, runs_of(view))], MAPS, SPECTRA)
    facts = {} if scene is None else {key: str(value) for key, value in describe(scene).items()}
    text = document(
        "scene.html.j2",
        scripts=SCRIPTS,
        title=view.name,
        scenes=data,
        said=said,
        facts=facts,
        data={"scenes": data},
    )
    try:
        write_text(out, text)
    except OSError as error:
        raise HsiError(f"{out}: cannot be written ({why(error)})") from error
    log.info("%s: %.1f MB", out, len(text.encode()) / 1e6)
