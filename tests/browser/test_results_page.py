"""The results page in a real browser: it moves, switches, shows and stays within its bounds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.page.results import write_page
from tests.browser.conftest import PIXEL, violations, wait
from tests.engine.page.results_folder import CLASS_MARKUP, MARKUP, write_results

Open = Callable[..., Any]
CLASSES = (CLASS_MARKUP, 'it\'s "wood"', "oats")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose names are all markup."""
    root = tmp_path_factory.mktemp("results")
    write_results(root, scene=MARKUP, image_set=MARKUP, names=CLASSES, runs=4)
    write_page(root, root / "index.html")
    return root / "index.html"


def one(browser: Any, selector: str) -> Any:
    from selenium.webdriver.common.by import By

    return browser.find_element(By.CSS_SELECTOR, selector)


def keys(element: Any, *names: str) -> None:
    from selenium.webdriver.common.keys import Keys

    element.send_keys(*(getattr(Keys, name) for name in names))


def pixel(browser: Any, side: str, row: int, column: int) -> list[int]:
    """Return the colour of a pixel that a pane shows."""
    found: list[int] = browser.execute_script(PIXEL, side, row, column)
    return found


def test_names_that_are_markup_stay_text(opened: Open, page: Path) -> None:
    browser = opened(page)
    assert browser.execute_script("return window.bad") is None
    assert browser.execute_script("return document.querySelectorAll('img[src=x]').length") == 0
    assert one(browser, ".scene h3").text == MARKUP
    assert one(browser, ".legend button span:nth-child(2)").text == CLASS_MARKUP
    assert one(browser, "#compare .case option").text == f"{MARKUP}, noise:15"


def test_the_divide_moves_by_keys(opened: Open, page: Path) -> None:
    browser = opened(page)
    wipe = one(browser, "#compare .wipe")
    cut = "return document.querySelector('#compare .wiper').style.getPropertyValue('--cut')"
    assert browser.execute_script(cut) == "50%"
    keys(wipe, "ARROW_RIGHT", "ARROW_RIGHT", "ARROW_RIGHT")
    assert browser.execute_script(cut) == "53%"
    assert wipe.get_attribute("aria-valuetext") == "53 % input, the rest dncnn-b (shipped)"
    keys(wipe, "HOME")
    assert browser.execute_script(cut) == "0%"


def test_the_divide_moves_by_the_pointer(opened: Open, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser = opened(page)
    wipe = one(browser, "#compare .wipe")
    quarter = -round(wipe.rect["width"] / 4)
    ActionChains(browser).move_to_element_with_offset(wipe, quarter, 0).click().perform()
    assert int(wipe.get_attribute("value")) == pytest.approx(25, abs=3)


def test_pictures_change_with_the_choice_and_the_zoom(opened: Open, page: Path) -> None:
    from selenium.webdriver.support.ui import Select

    browser = opened(page)
    picture = one(browser, "#compare img.right")
    first = picture.get_attribute("src")
    assert "31.20 dB" in one(browser, "#compare .readout").text
    Select(one(browser, "#compare .right-panel")).select_by_visible_text("dncnn-b, 30.10 dB")
    assert picture.get_attribute("src") != first
    assert "30.10 dB" in one(browser, "#compare .readout").text
    Select(one(browser, "#compare .case")).select_by_visible_text(f"{MARKUP}, noise:25")
    assert "31.20 dB" in one(browser, "#compare .readout").text
    width = "return document.querySelector('#compare img.right').getBoundingClientRect().width"
    assert browser.execute_script(width) > 300
    for zoom, expected in ((1, 64), (4, 256)):
        one(browser, f"#compare [data-zoom='{zoom}']").click()
        assert browser.execute_script(width) == expected
    assert one(browser, "#compare [data-zoom='4']").get_attribute("aria-pressed") == "true"


def test_layers_switch_and_maps_change(opened: Open, page: Path) -> None:
    from selenium.webdriver.support.ui import Select

    browser = opened(page)
    data = "return DATA.scenes[0].classes[0].colour"
    (colour, empty) = browser.execute_script(data), pixel(browser, "left", 0, 0)
    assert pixel(browser, "left", 0, 10)[:3] == colour  # class 1 of the ground truth
    one(browser, "[data-side=left] [data-layer=picture]").click()
    wait(browser, "return document.querySelector('[data-side=left] canvas').width === 30")
    assert "860 nm" in one(browser, "[data-side=left] .layer-name").text
    one(browser, "[data-side=right] [data-layer=errors]").click()
    assert "wrong ones red" in one(browser, "[data-side=right] .layer-name").text
    assert pixel(browser, "right", 0, 0) == empty  # no label, so neither right nor wrong
    one(browser, "[data-side=right] [data-layer=confidence]").click()
    shown = pixel(browser, "right", 3, 3)
    Select(one(browser, ".run")).select_by_index(1)
    wait(browser, "return document.querySelector('.run').value === '1'")
    changed = PIXEL.replace("return found", "return String(found) !== String(arguments[3])")
    wait(browser, changed, "right", 3, 3, shown)


def test_a_class_can_be_seen_alone(opened: Open, page: Path) -> None:
    browser = opened(page)
    before = pixel(browser, "left", 0, 20)  # class 2
    button = one(browser, ".legend button")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert pixel(browser, "left", 0, 20) != before
    button.click()
    assert pixel(browser, "left", 0, 20) == before


def test_a_click_shows_the_spectrum_beside_the_means(opened: Open, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser = opened(page)
    canvas = one(browser, "[data-side=left] canvas")
    assert browser.execute_script("return document.querySelector('.spectrum canvas')") is None
    width, height = canvas.rect["width"], canvas.rect["height"]
    # Row 2, column 11, counted from 1: of class 1.
    across, down = (10.5 / 30 - 0.5) * width, (1.5 / 24 - 0.5) * height
    ActionChains(browser).move_to_element_with_offset(canvas, round(across), round(down)).perform()
    said = one(browser, ".scene .readout").text
    assert said.startswith("Row 2, column 11; map: ")
    assert f"ground truth: {CLASS_MARKUP}" in said
    assert ", probability 0." in said
    ActionChains(browser).click().perform()
    wait(browser, "return document.querySelector('.spectrum canvas') !== null")
    label = one(browser, ".spectrum .chart").get_attribute("aria-label")
    assert label.startswith("Spectrum of row 2, column 11, beside mean of ")
    one(browser, ".spectrum-table summary").click()
    kept = browser.execute_script(
        "const k = DATA.scenes[0].spectra; return unpack(k).then((v) => "
        "[...v.slice((1 * 30 + 10) * 12, (1 * 30 + 10) * 12 + 12)])"
    )
    shown = browser.execute_script(
        "return [...document.querySelectorAll('.spectrum-table tbody tr')]"
        ".map((r) => Number(r.cells[1].textContent))"
    )
    assert shown == pytest.approx([(level - 1) / 254 * 1000 for level in kept], rel=1e-3, abs=0.1)


def test_a_map_is_read_by_keys(opened: Open, page: Path) -> None:
    browser = opened(page)
    canvas = one(browser, "[data-side=right] canvas")
    keys(canvas, "ARROW_UP")
    assert one(browser, ".scene .readout").text.startswith("Row 12, column 16;")
    keys(canvas, "ARROW_LEFT", "ARROW_LEFT", "ENTER")
    assert one(browser, ".scene .readout").text.startswith("Row 12, column 14;")
    wait(browser, "return document.querySelector('.spectrum canvas') !== null")


def test_curves_can_be_hidden(opened: Open, page: Path) -> None:
    browser = opened(page)
    assert browser.execute_script("return document.querySelectorAll('.uplot').length") == 2
    button = one(browser, "#levels .keys button")
    assert "input" in button.text
    button.click()
    assert button.get_attribute("aria-pressed") == "false"


def test_colours_follow_the_button(opened: Open, page: Path) -> None:
    browser = opened(page, scheme="dark")
    paper = "return getComputedStyle(document.body).backgroundColor"
    dark = browser.execute_script(paper)
    button = one(browser, "#theme")
    button.click()
    light = browser.execute_script(paper)
    assert button.text.endswith("Light")
    assert light != dark
    button.click()
    assert browser.execute_script(paper) == dark
    button.click()
    assert button.text.endswith("Auto")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_axe_finds_nothing_and_nothing_overflows(
    opened: Open, page: Path, width: int, scheme: str
) -> None:
    browser = opened(page, width, scheme)
    canvas = one(browser, "[data-side=right] canvas")
    keys(canvas, "ENTER")
    wait(browser, "return document.querySelector('.spectrum canvas') !== null")
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    assert violations(browser) == []


def test_pages_of_half_a_run_and_of_nothing(opened: Open, tmp_path: Path) -> None:
    for name, parts in (("images", {"scene": None}), ("scenes", {"images": False}), ("none", None)):
        root = tmp_path / name
        root.mkdir()
        if parts is not None:
            write_results(root, **parts)  # type: ignore[arg-type]
        write_page(root, root / "index.html")
        browser = opened(root / "index.html")
        assert violations(browser) == []
        assert one(browser, "h1").text == "Results"
