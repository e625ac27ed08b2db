"""A headless Chromium that opens pages from files, at any width and in both colour schemes."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "axe/axe.min.js"
READY = 20.0  # seconds


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, one for all tests; skipped with the reason where a part of it is absent."""
    pytest.importorskip("selenium", reason="selenium is not installed: pip install selenium")
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        absent = "chromium" if browser is None else "chromedriver"
        pytest.skip(f"no {absent} on this machine (Debian: apt install chromium-driver)")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield found
    finally:
        found.quit()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a page; afterwards, no message may stand in the browser's console."""

    def open_page(path: Path, width: int = 1400, scheme: str = "light") -> Any:
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        media = {"features": [{"name": name, "value": value} for name, value in wanted.items()]}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        chromium.get_log("browser")
        chromium.get(path.resolve().as_uri())
        scenes = chromium.execute_script("return document.querySelectorAll('.scene').length")
        if scenes:
            wait(chromium, "return document.documentElement.dataset.ready === 'true'")
        return chromium

    yield open_page
    assert [entry["message"] for entry in chromium.get_log("browser")] == []


# The colour of a pixel that a pane shows, of (side, row, column), read from a copy.
PIXEL = """
const canvas = document.querySelector(`[data-side=${arguments[0]}] canvas`);
const copy = new OffscreenCanvas(canvas.width, canvas.height);
const context = copy.getContext("2d", {willReadFrequently: true});
context.drawImage(canvas, 0, 0);
const found = [...context.getImageData(arguments[2], arguments[1], 1, 1).data];
return found;
"""


def wait(browser: Any, script: str, *given: Any) -> Any:
    """Wait until a script's value is true, and return it."""
    until = time.monotonic() + READY
    while not (found := browser.execute_script(script, *given)):
        assert time.monotonic() < until, f"never true: {script}"
        time.sleep(0.05)
    return found


def violations(browser: Any) -> list[str]:
    """Return what axe-core finds wrong on the page, a line each."""
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations))"
    )
    return [f"{one['id']}: {node['html'][:150]}" for one in found for node in one["nodes"]]
