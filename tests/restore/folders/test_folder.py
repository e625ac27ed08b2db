"""Folders of images: depth and alpha kept, nothing overwritten, failures named, runs resumed."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import Partial
from restore.denoising.pixels import How
from restore.errors import RestoreError
from restore.folders.journal import JOURNAL, Journal
from restore.folders.options import FolderOptions
from restore.folders.shards import Shard
from restore.images.files import read
from tests.restore.folders.conftest import lines, run


def test_depth_alpha_and_folders_are_kept(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    run(photos, out, weights, recursive=True)
    for name in ("grey.png", "alpha ä.png", "deep.png", "trip/sea.tif"):
        before, after = read(photos / name), read(out / name)
        assert before.pixels.dtype == after.pixels.dtype
        np.testing.assert_array_equal(before.pixels, after.pixels)
        if before.alpha is not None:
            assert after.alpha is not None
            np.testing.assert_array_equal(before.alpha, after.alpha)


def test_second_run_skips_what_is_done(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    run(photos, out, weights)
    before = {p: p.stat().st_mtime_ns for p in out.glob("*.png")}
    (out / "grey.png").unlink()
    run(photos, out, weights)
    after = {p: p.stat().st_mtime_ns for p in out.glob("*.png")}
    assert {p for p in after if before[p] != after[p]} == {out / "grey.png"}


def test_failures_are_named_and_the_rest_is_done(
    photos: Path, tmp_path: Path, weights: str
) -> None:
    (photos / "empty.png").write_bytes(b"")
    (photos / "text.png").write_text("not an image")
    with pytest.raises(Partial, match="2 of 5 images failed"):
        run(photos, tmp_path / "clean", weights)
    records = [json.loads(x) for x in (tmp_path / "clean" / JOURNAL).read_text().splitlines()]
    failed = {Path(r["file"]).name: r["reason"] for r in records if r["status"] == "failed"}
    assert set(failed) == {"empty.png", "text.png"}
    assert sum(r["status"] == "done" for r in records) == 3


def test_a_foreign_output_is_kept(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    out.mkdir()
    (out / "grey.png").write_bytes(b"mine")
    with pytest.raises(Partial, match="1 of 3"):
        run(photos, out, weights)
    assert (out / "grey.png").read_bytes() == b"mine"
    run(photos, out, weights, overwrite=True)
    assert read(out / "grey.png").pixels.shape == (9, 7)


def test_two_inputs_for_one_output_fail_and_the_rest_is_done(
    photos: Path, tmp_path: Path, weights: str
) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(photos / "grey.jpg")
    with pytest.raises(Partial, match="2 of 4 images failed"):
        run(photos, tmp_path / "clean", weights)
    found = lines(tmp_path / "clean")
    assert "grey.png would be written to grey.png too" in found["grey.jpg"]["reason"]
    assert "grey.jpg would be written to grey.png too" in found["grey.png"]["reason"]
    assert not (tmp_path / "clean" / "grey.png").exists()
    assert found["deep.png"]["status"] == "done"


@pytest.mark.parametrize("inner", ["", "clean", ".."])
def test_folders_inside_each_other_are_refused(photos: Path, weights: str, inner: str) -> None:
    with pytest.raises(RestoreError, match="name one beside it"):
        run(photos, photos / inner, weights, recursive=True)


def test_missing_and_empty_folders_are_one_line(tmp_path: Path, weights: str) -> None:
    with pytest.raises(RestoreError, match="no such image or folder"):
        run(tmp_path / "nowhere", tmp_path / "clean", weights)
    (tmp_path / "bare").mkdir()
    with pytest.raises(RestoreError, match="expected a folder with images, found none"):
        run(tmp_path / "bare", tmp_path / "clean", weights)


def test_other_options_make_another_output(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    run(photos, out, weights)
    with pytest.raises(Partial, match="3 of 3 images failed"):
        run(photos, out, weights, how=How(strength=0.5))
    assert {record["status"] for record in lines(out).values()} == {"failed"}
    run(photos, out, weights)  # the first options again: all is there
    run(photos, out, weights, tile="off")  # how it is computed does not matter
    assert {record["status"] for record in lines(out).values()} == {"done"}
    run(photos, out, weights, how=How(strength=0.5), overwrite=True)
    assert {record["status"] for record in lines(out).values()} == {"done"}


def test_a_changed_input_is_not_taken_for_done(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    run(photos, out, weights)
    Image.fromarray(np.zeros((9, 7), np.uint8)).save(photos / "grey.png")
    with pytest.raises(Partial, match="1 of 3"):
        run(photos, out, weights)
    run(photos, out, weights, overwrite=True)
    assert read(out / "grey.png").pixels.max() == 0


def test_refresh_replaces_what_runs_made_and_nothing_else(
    photos: Path, tmp_path: Path, weights: str
) -> None:
    out = tmp_path / "clean"
    out.mkdir()
    (out / "deep.png").write_bytes(b"mine")
    with pytest.raises(Partial, match="1 of 3"):
        run(photos, out, weights)
    Image.fromarray(np.zeros((9, 7), np.uint8)).save(photos / "grey.png")
    with pytest.raises(Partial, match="2 of 3"):
        run(photos, out, weights)
    assert "use --refresh to make it anew" in failure(out, "grey.png")
    assert "use --overwrite to replace it" in failure(out, "deep.png")
    with pytest.raises(Partial, match="1 of 3"):
        run(photos, out, weights, refresh=True)
    assert read(out / "grey.png").pixels.max() == 0
    assert (out / "deep.png").read_bytes() == b"mine"


def failure(out: Path, name: str) -> str:
    return str(lines(out)[name]["reason"])


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_line_in_the_journal(
    photos: Path, tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    out = tmp_path / "clean"
    real = Journal.add

    def killed(self: Journal, record: dict[str, object]) -> None:
        if moment == "after":
            real(self, record)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            run(photos, out, weights)
    assert not list(out.glob("*.png"))
    run(photos, out, weights)
    assert {record["status"] for record in lines(out).values()} == {"done"}
    assert len(list(out.glob("*.png"))) == 3
    assert not list(out.glob(".denoise*"))


def test_strict_does_not_skip_what_was_doubtful(photos: Path, tmp_path: Path, weights: str) -> None:
    out = tmp_path / "clean"
    run(photos, out, weights, sigma=90)
    assert lines(out)["grey.png"]["status"] == "done"
    with pytest.raises(Partial):
        run(photos, out, weights, sigma=90, strict=True)
    assert "made before, but the noise seems to be 90" in lines(out)["grey.png"]["reason"]
    assert (out / "grey.png").exists()


def test_an_output_folder_on_another_disk(photos: Path, tmp_path: Path, weights: str) -> None:
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system to write to")
    out = tmp_path / "clean"
    out.mkdir()
    with tempfile.TemporaryDirectory(dir=other) as elsewhere:
        (out / "trip").symlink_to(elsewhere)
        run(photos, out, weights, recursive=True)
        assert [path.name for path in Path(elsewhere).iterdir()] == ["sea.tif"]
        run(photos, out, weights, recursive=True, overwrite=True, sigma=3)
        assert (out / "trip/sea.tif").exists()


def test_a_link_in_a_circle_is_left_alone(photos: Path, tmp_path: Path, weights: str) -> None:
    (photos / "loop").symlink_to("loop")
    run(photos, tmp_path / "clean", weights)
    assert set(lines(tmp_path / "clean")) == {"grey.png", "alpha ä.png", "deep.png"}


def test_a_link_that_leads_nowhere_is_told(photos: Path, tmp_path: Path, weights: str) -> None:
    (photos / "lost.png").symlink_to("nowhere.png")
    with pytest.raises(Partial, match="1 of 4"):
        run(photos, tmp_path / "clean", weights)
    assert lines(tmp_path / "clean")["lost.png"]["reason"] == (
        "expected an image, found a link to nowhere.png, which is not there; mend the link"
    )


def test_strict_fails_what_the_model_does_not_suit(
    photos: Path, tmp_path: Path, weights: str
) -> None:
    with pytest.raises(Partial, match="1 of 3"):
        run(photos, tmp_path / "clean", weights, strict=True)
    assert "each channel" in lines(tmp_path / "clean")["alpha ä.png"]["reason"]


def test_the_file_type_can_be_asked_for(photos: Path, tmp_path: Path, weights: str) -> None:
    Image.fromarray(np.zeros((9, 7, 3), np.uint8)).save(photos / "photo.jpg", quality=40)
    run(photos, tmp_path / "same", weights, form="same")
    assert (tmp_path / "same" / "photo.jpg").is_file()
    run(photos, tmp_path / "tiff", weights, form="tiff")
    assert read(tmp_path / "tiff" / "deep.tif").pixels.dtype == np.uint16


def test_another_run_in_the_same_folder_is_refused(
    photos: Path, tmp_path: Path, weights: str
) -> None:
    with (
        Journal(tmp_path / "clean", "", Shard()),
        pytest.raises(RestoreError, match="another run is writing here"),
    ):
        run(photos, tmp_path / "clean", weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile": "big"}, "`tile` big: expected auto, off or a side"),
        ({"sigma": 300.0}, "`sigma` 300: expected None or a number from 0 to 255"),
        ({"form": "gif"}, "`form` gif: expected one of auto, same, png"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(RestoreError, match=message):
        FolderOptions(**options)  # type: ignore[arg-type]


def test_a_name_of_two_lines_is_said_once_in_one(tmp_path: Path, weights: str) -> None:
    path = tmp_path / "two\nlines.png"
    path.write_text("no image")
    with pytest.raises(Partial) as error:
        run(path, tmp_path / "out.png", weights)
    assert str(error.value).startswith(f"{tmp_path}/two lines.png: expected")
    assert str(error.value).count("lines.png") == 1
