"""The before/after sheet: one picture, or one page that stands alone."""

import re

import numpy as np
import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.folders import contact_sheet
from restore.folders.contact_sheet import BeforeAfter
from restore.images import files
from restore.images.picture import Picture


@pytest.fixture
def images(tmp_path):
    found = []
    for index, dtype in enumerate((np.uint8, np.uint16, np.float32)):
        before, after = tmp_path / f"{index}.tif", tmp_path / f"{index}b.tif"
        peak = 1 if dtype is np.float32 else np.iinfo(dtype).max
        files.write(before, Picture(np.full((300, 40), peak, dtype)))
        files.write(after, Picture(np.zeros((300, 40, 3), dtype)))
        found.append(BeforeAfter(f"{index} ä <b>.tif", before, after))
    return found


def test_png(images, tmp_path):
    contact_sheet.sheet(images, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        values = np.asarray(picture)
    assert values.shape == (3 * (contact_sheet.CROP + 20), 2 * contact_sheet.CROP + 4, 3)
    assert (values[100, 20] == 255).all()
    assert (values[100, contact_sheet.CROP + 4 + 20] == 0).all()


def test_html_stands_alone(images, tmp_path):
    contact_sheet.sheet(images, tmp_path / "sheet.html")
    page = (tmp_path / "sheet.html").read_text()
    assert len(re.findall(r'src="data:image/webp;base64,', page)) == 6
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "0 ä &lt;b&gt;.tif" in page


def test_of_many_images_some_are_shown(images, tmp_path, monkeypatch):
    monkeypatch.setitem(contact_sheet.MOST, ".png", 2)
    contact_sheet.sheet(images, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.height == 2 * (contact_sheet.CROP + 20)
    contact_sheet.sheet([], tmp_path / "none.png")


def test_other_names_are_refused():
    with pytest.raises(RestoreError, match=r"expected a name ending in .png or .html"):
        contact_sheet.check(contact_sheet.Path("sheet.pdf"))


@pytest.mark.parametrize("name", ["sheet.png", "sheet.html"])
def test_a_sheet_replaces_an_earlier_one_and_no_other_file(images, tmp_path, name):
    out = tmp_path / name
    contact_sheet.check(out)
    contact_sheet.sheet(images, out)
    contact_sheet.check(out)
    if name.endswith(".png"):
        files.write(out, Picture(np.zeros((9, 9), np.uint8)))
    else:
        out.write_text("<p>a page of somebody</p>")
    with pytest.raises(RestoreError, match=f"{name}: expected a new file or an earlier sheet"):
        contact_sheet.check(out)
    contact_sheet.check(out, overwrite=True)


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_sheet_is_no_input_and_no_output(images, side):
    out = getattr(images[1], side)
    what = "input" if side == "before" else "output"
    with pytest.raises(RestoreError, match=f"found the name of an {what} "):
        contact_sheet.check_apart(out.parent / ".." / out.parent.name / out.name, images)
    contact_sheet.check_apart(out.with_name("sheet.png"), images)
