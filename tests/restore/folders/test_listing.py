"""Which files of a folder are worked on, and where their results go."""

import pytest
from PIL import Image

from restore.errors import RestoreError
from restore.folders import listing
from restore.folders.naming import output_name


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    (root / "a b").mkdir(parents=True)
    for name in ("ä 1.png", "b.jpg", "c.TIFF", "a b/d.pgm", ".hidden.png", "notes.txt", "e.gif"):
        (root / name).write_bytes(b"x")
    return root


def outputs(jobs):
    return {job.name: job.output for job in jobs}


def test_names_and_sub_folders_are_mirrored(photos, tmp_path, caplog):
    with caplog.at_level("INFO"):
        found = listing.folder(photos, tmp_path / "out", recursive=True)
    assert outputs(found) == {
        "a b/d.pgm": "a b/d.pgm",
        "b.jpg": "b.png",
        "c.TIFF": "c.TIFF",
        "e.gif": "e.gif",
        "ä 1.png": "ä 1.png",
    }
    assert [job.name for job in found if job.problem] == ["e.gif"]
    assert "left alone: 1 hidden images, 1 .txt" in caplog.text
    assert "a b/d.pgm" not in outputs(listing.folder(photos, tmp_path / "out"))


def test_what_is_excluded_is_left_out(photos, tmp_path):
    found = listing.folder(photos, tmp_path / "o", recursive=True, exclude=["a b", "*.gif"])
    assert set(outputs(found)) == {"b.jpg", "c.TIFF", "ä 1.png"}


def test_an_output_folder_inside_is_allowed_where_it_is_excluded(photos):
    with pytest.raises(RestoreError, match="`exclude`"):
        listing.folder(photos, photos / "clean", recursive=True)
    (photos / "clean").mkdir()
    (photos / "clean" / "old.png").write_bytes(b"x")
    found = listing.folder(photos, photos / "clean", recursive=True, exclude=["clean"])
    assert "clean/old.png" not in outputs(found)
    with pytest.raises(RestoreError, match="holds or lies in the input folder"):
        listing.folder(photos, photos, exclude=["*"])
    with pytest.raises(RestoreError, match="holds or lies in the input folder"):
        listing.folder(photos, photos.parent, exclude=["*"])


def test_links_do_not_lead_out_of_the_folder(photos, tmp_path, caplog):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.png").write_bytes(b"x")
    (photos / "link.png").symlink_to(tmp_path / "other" / "secret.png")
    (photos / "linked").symlink_to(tmp_path / "other")
    (photos / "loop").symlink_to(photos)
    (photos / "inside.png").symlink_to(photos / "b.jpg")
    with caplog.at_level("INFO"):
        found = outputs(listing.folder(photos, tmp_path / "out", recursive=True))
    assert "inside.png" in found
    assert not [name for name in found if "link" in name or "loop" in name or "secret" in name]
    assert "1 links out of the folder" in caplog.text
    assert "2 links to folders" in caplog.text


def test_what_is_hidden_is_left_out_and_counted(photos, tmp_path, caplog):
    (photos / ".thumbnails").mkdir()
    for name in (".secret.png", ".DS_Store", ".thumbnails/t.png"):
        (photos / name).write_bytes(b"x")
    with caplog.at_level("INFO"):
        found = outputs(listing.folder(photos, tmp_path / "out", recursive=True))
    assert not [name for name in found if "." in name[:1] or "thumb" in name]
    assert "1 hidden folders" in caplog.text
    assert "2 hidden images" in caplog.text  # one of the fixture


@pytest.mark.parametrize(
    ("name", "form", "ending"),
    [("x.tif", "png", ".png"), ("x.png", "tiff", ".tif"), ("x.png", "same", ".jpg")],
)
def test_a_name_and_a_form_that_contradict_are_refused(photos, tmp_path, name, form, ending):
    with pytest.raises(RestoreError, match=rf"^`form` {form}: expected a name .* \{ending}, "):
        listing.single(photos / "b.jpg", tmp_path / name, form)
    assert listing.single(photos / "b.jpg", tmp_path / f"x{ending}", form).output == f"x{ending}"
    assert listing.single(photos / "b.jpg", tmp_path / name, "auto").output == name


def test_outputs_that_would_be_one_are_found(photos, tmp_path):
    (photos / "b.png").write_bytes(b"x")
    found = {job.name: job.problem for job in listing.folder(photos, tmp_path / "out")}
    assert "b.png would be written to b.png too" in found["b.jpg"]
    assert found["b.png"]
    assert not found["c.TIFF"]


def test_only_a_lossy_webp_becomes_png(photos):
    image = Image.new("RGB", (20, 20), "red")
    image.save(photos / "lossless.webp", lossless=True)
    image.save(photos / "lossy.webp", quality=50)
    image.save(photos / "profile.webp", quality=50, icc_profile=b"x" * 7)
    names = {n: output_name(photos / f"{n}.webp", "auto") for n in ("lossless", "lossy")}
    assert names == {"lossless": "lossless.webp", "lossy": "lossy.png"}
    assert output_name(photos / "profile.webp", "auto") == "profile.png"
    assert output_name(photos / "lossy.webp", "same") == "lossy.webp"
    assert output_name(photos / "c.TIFF", "tiff") == "c.TIFF"
    assert output_name(photos / "b.jpg", "tiff") == "b.tif"


def test_one_image_to_a_file_or_a_folder(photos, tmp_path):
    source = photos / "b.jpg"
    assert listing.single(source, tmp_path / "out", "auto").target == tmp_path / "out" / "b.png"
    assert listing.single(source, tmp_path / "x.tif", "auto").target == tmp_path / "x.tif"
    with pytest.raises(RestoreError, match="the output is the input itself"):
        listing.single(source, source, "auto")
    with pytest.raises(RestoreError, match="expected an image name"):
        listing.single(source, tmp_path / "x.pdf", "auto")
