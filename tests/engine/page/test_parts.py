"""What a page is put together from: pictures, layers, views and the document."""

import base64
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import UserError
from engine.page import document, layers
from engine.page.layers import Run, scenes
from engine.page.pictures import FORMS, Pictures, data_uri
from engine.page.scene_view import MapView, load_view
from tests.engine.page.results_folder import make_view

EMPTY: dict[str, Any] = {"scenes": [], "said": [], "facts": {}, "data": {}}


def decoded(uri: str) -> Any:
    data = base64.b64decode(uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def unpacked(packed: dict[str, Any], dtype: Any = np.uint8) -> Any:
    values = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), dtype)
    return values.reshape(packed["rows"], packed["columns"], -1)


def test_pictures_keep_every_pixel_once() -> None:
    rng = np.random.default_rng(0)
    grey, colour = rng.integers(0, 256, (20, 30)), rng.integers(0, 256, (20, 30, 3))
    pictures = Pictures()
    first = pictures.add(grey.astype(np.uint8))
    assert pictures.add(grey.astype(np.uint8)) == first
    second = pictures.add(colour.astype(np.uint8))
    uris, said = pictures.encode(10**6)
    assert "without loss" in said
    assert (decoded(uris[first]) == grey[..., None]).all()
    assert (decoded(uris[second]) == colour).all()


def test_pictures_shrink_until_they_fit_and_say_so() -> None:
    rng = np.random.default_rng(0)
    pictures = Pictures()
    for _ in range(6):
        pictures.add(rng.integers(0, 256, (256, 256)).astype(np.uint8))
    full = sum(map(len, pictures.encode(10**9)[0]))
    seen = set()
    for share in (0.8, 0.3, 0.05, 0.002):
        uris, said = pictures.encode(int(full * share))
        assert sum(map(len, uris)) <= full * share
        seen.add(said)
    assert len(seen) == 4
    assert "do not fit the page" in said
    assert decoded(data_uri(pictures.arrays[0], FORMS[-1][0])).shape == (256, 256, 3)


def test_layers_are_what_was_given() -> None:
    view = make_view("field", ("a", "b", "c"))
    rng = np.random.default_rng(2)
    numbers = rng.integers(0, 5, view.shape)  # 4 is no class of the scene
    sure = rng.random(view.shape).astype(np.float32)
    split = rng.integers(0, 3, view.shape).astype(np.uint8)
    run = Run("map", numbers, sure, split, view.truth[::-1], {"split": "s", "seed": "0"})
    (data,), said = scenes([(view, [run])], 10**6, 10**6)
    assert said == []
    assert (unpacked(data["truth"])[..., 0] == view.truth).all()
    assert (unpacked(data["runs"][0]["map"])[..., 0] == np.where(numbers < 4, numbers, 0)).all()
    assert abs(unpacked(data["runs"][0]["confidence"])[..., 0] / 200 - sure).max() <= 0.0025
    assert (unpacked(data["runs"][0]["truth"])[..., 0] == view.truth[::-1]).all()
    assert (unpacked(data["splits"]["s 0"])[..., 0] == split).all()
    assert (unpacked(data["spectra"]) == view.spectra).all()
    assert (decoded(data["picture"]) == view.picture).all()


def test_thinned_layers_stay_on_one_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "SIDES", (10,))
    view = make_view("field", ("a", "b", "c"), (40, 31))
    (data,), _ = scenes([(view, [Run("map", view.truth)])], 10**6, 3000)
    assert data["step"] == 4
    assert (unpacked(data["truth"])[..., 0] == view.truth[::4, ::4]).all()
    assert data["truth"] == data["runs"][0]["map"]
    step = data["spectra"]["step"]
    assert step > 1
    assert len(data["spectra"]["data"]) <= 3000
    assert (unpacked(data["spectra"]) == view.spectra[::step, ::step]).all()
    (data,), _ = scenes([(view, [])], 10**6, 10)
    assert data["spectra"] is None


def test_many_classes_take_two_bytes() -> None:
    view = make_view("field", tuple(f"class {n}" for n in range(300)), (40, 40))
    (data,), _ = scenes([(view, [])], 10**6, 10**6)
    assert data["truth"]["bytes"] == 2
    assert (unpacked(data["truth"], "<u2")[..., 0] == view.truth).all()


def test_a_view_is_kept_whole(tmp_path: Path) -> None:
    view = make_view("field", ("a", "b"))
    sure = np.random.default_rng(0).random(view.shape).astype(np.float32)
    kept = [MapView("first", view.truth, sure), MapView("second", view.truth)]
    object.__setattr__(view, "maps", kept)
    view.save(tmp_path / "view.npz")
    found = load_view(tmp_path / "view.npz")
    assert found.class_names == ["a", "b"]
    assert (found.spectra == view.spectra).all()
    assert [one.name for one in found.maps] == ["first", "second"]
    assert found.maps[0].confidence is not None
    assert (found.maps[0].confidence == sure).all()
    assert found.maps[1].confidence is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"description": np.array("[]")}, "expected a view of a scene, found another .npz"),
        ({"colours": np.zeros((1, 3), np.uint8)}, "arrays that do not fit one another"),
        ({"low": np.zeros(3)}, "arrays that do not fit one another"),
    ],
)
def test_other_files_are_no_views(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    make_view("field", ("a", "b")).save(tmp_path / "view.npz")
    with np.load(tmp_path / "view.npz") as arrays:
        found = dict(arrays)
    np.savez(tmp_path / "view.npz", **(found | change))
    with pytest.raises(UserError, match=said):
        load_view(tmp_path / "view.npz")


def test_the_policy_names_the_script_that_is_there() -> None:
    import hashlib
    import re

    page = document.document(
        "sheet.html.j2", title="t", pairs=[], shown="", data={"a": "</script>"}
    )
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (script,) = scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "\\u003c/script\\u003e" in page


def test_a_library_brings_its_licence() -> None:
    page = document.document("scene.html.j2", scripts=("charts.js",), title="t", **EMPTY)
    assert "Copyright (c) 2022 Leon Sorokin" in page
    assert "THE SOFTWARE IS PROVIDED" in page
    libraries = [path.name for path in (Path(document.__file__).parent / "static/vendor").iterdir()]
    assert {name.split(".")[0] for name in libraries} == {"uPlot"}  # each has a licence beside it


def test_no_template_takes_text_for_markup() -> None:
    folder = Path(document.__file__).parent
    for template in (folder / "templates").iterdir():
        text = template.read_text()
        assert "|safe" not in text, template
        assert "autoescape" not in text, template
    own = list((folder / "static").glob("*.js"))
    assert own
    for script in own:
        text = script.read_text()
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert sink not in text, script
