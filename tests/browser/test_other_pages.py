"""The page of one scene and the before/after sheet, in a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hsi.scenes.labels import Labels
from hsi.scenes.scene import Scene
from hsi.views.scene_page import write_page
from hsi.views.scene_view import make_view
from restore.folders import contact_sheet
from restore.folders.contact_sheet import BeforeAfter
from restore.images import files
from restore.images.picture import Picture
from tests.browser.conftest import violations, wait
from tests.browser.test_results_page import keys, one
from tests.engine.page.results_folder import CLASS_MARKUP

Open = Callable[..., Any]


def test_a_scene_alone(opened: Open, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, (20, 16)).astype(np.int16)
    colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    labels = Labels(CLASS_MARKUP, truth, (CLASS_MARKUP, "wood"), colours)
    cube = rng.integers(100, 2000, (20, 16, 9)).astype(np.uint16)
    cube[0, 0] = 0  # no data
    scene = Scene(CLASS_MARKUP, cube)
    np.save(tmp_path / "map.npy", np.where(truth, truth, 1).astype(np.uint8))
    view = make_view(scene, labels, [tmp_path / "map.npy"])
    write_page(view, tmp_path / "scene.html", scene)
    browser = opened(tmp_path / "scene.html", 400)
    assert one(browser, "h1").text == CLASS_MARKUP
    assert browser.execute_script("return window.bad") is None
    canvas = one(browser, "[data-side=left] canvas")
    keys(canvas, "ENTER")
    wait(browser, "return document.querySelector('.spectrum canvas') !== null")
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    shown = browser.execute_script(
        "return [...document.querySelectorAll('.spectrum-table tbody tr')]"
        ".map((r) => Number(r.cells[1].textContent))"
    )
    assert abs(np.array(shown) - cube[10, 8]).max() <= 1900 / 254  # half a step, and rounding
    assert browser.execute_script("return document.documentElement.scrollWidth") == 400
    assert violations(browser) == []


def test_a_sheet_of_images(opened: Open, tmp_path: Path) -> None:
    pairs = []
    for index in range(3):
        before, after = tmp_path / f"{index}.png", tmp_path / f"{index}b.png"
        files.write(before, Picture(np.full((60, 90), 40 * index, np.uint8)))
        files.write(after, Picture(np.full((60, 90), 200, np.uint8)))
        pairs.append(BeforeAfter(f"{index} {CLASS_MARKUP}.png", before, after))
    contact_sheet.sheet(pairs, tmp_path / "sheet.html")
    browser = opened(tmp_path / "sheet.html")
    assert one(browser, "figcaption").text == f"0 {CLASS_MARKUP}.png"
    wipe = one(browser, ".wipe")
    keys(wipe, "ARROW_LEFT")
    assert wipe.get_attribute("aria-valuetext") == "49 % before, the rest after"
    one(browser, "[data-zoom='2']").click()
    width = "return document.querySelector('img.right').getBoundingClientRect().width"
    assert browser.execute_script(width) == 180
    assert violations(browser) == []
    contact_sheet.sheet([], tmp_path / "none.html")
    browser = opened(tmp_path / "none.html")
    assert "nothing to show" in one(browser, ".note").text
    assert violations(browser) == []
