"""Real pairs are scored as their files are, by weights, baselines, and all of restore denoise."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import restore
from engine.command import main
from restore.__main__ import app
from restore.degradations.degradation import parse
from restore.errors import RestoreError
from restore.evaluation.benchmark import benchmark
from restore.evaluation.figures import strip
from restore.evaluation.methods import load_methods
from restore.evaluation.protocol import COLUMNS
from restore.evaluation.real_pairs import RealPairs
from restore.evaluation.summary import SUMMARY_COLUMNS, write_tables
from restore.image_sets.find import paired

Pixels = npt.NDArray[np.uint8]
Maker = Callable[..., Path]


def scene(colour: bool = True) -> Pixels:
    rows, columns = np.mgrid[:40, :48]
    waves = 128 + 60 * np.sin(columns / 5) + 40 * np.cos(rows / 7)
    return np.stack([waves, waves[::-1], waves[:, ::-1]], -1 if colour else 0).astype(np.uint8)[
        ... if colour else 0
    ]


def noisy_of(clean: Pixels, sigma: float = 20) -> Pixels:
    noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
    return np.clip(clean + noise, 0, 255).astype(np.uint8)


def save(folder: Path, name: str, pixels: npt.NDArray[np.generic]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Path, Path]:
    """A pair in colour and a pair in grey."""
    noisy, truth = tmp_path / "noisy", tmp_path / "truth"
    for name, clean in (("colour.png", scene()), ("grey.png", scene(colour=False))):
        save(truth, name, clean)
        save(noisy, name, noisy_of(clean))
    return noisy, truth


def score(noisy: Path, truth: Path, *models: str, **more: object) -> pd.DataFrame:
    given = {"device": "cpu", "precision": "float32", "truth": truth, **more}
    return benchmark(models, noisy, **given)  # type: ignore[arg-type]


def test_rows_have_the_columns_of_all_others(pairs: tuple[Path, Path], make_weights: Maker) -> None:
    still, shaken = (str(make_weights(shaken=shaken)) for shaken in (False, True))
    rows = score(*pairs, still, shaken, "tv", name="night")
    assert tuple(rows.columns) == COLUMNS
    assert rows[["set", "degradation", "level"]].drop_duplicates().to_numpy().tolist() == [
        ["night", "pairs", "night"]
    ]
    assert list(rows.image) == ["colour", "grey"] * 3
    for row in rows[:2].itertuples():  # untrained weights change nothing
        assert (row.psnr_db, row.ssim) == (row.psnr_input_db, row.ssim_input)
        clean, noisy = (
            np.asarray(Image.open(folder / f"{row.image}.png")) for folder in pairs[::-1]
        )
        assert row.psnr_db == pytest.approx(peak_signal_noise_ratio(clean, noisy), abs=1e-4)
        similarity = structural_similarity(
            clean, noisy, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=255, channel_axis=-1 if clean.ndim == 3 else None,
        )  # fmt: skip
        assert row.ssim == pytest.approx(similarity, abs=1e-4)
    assert (rows.psnr_db[2:4].to_numpy() != rows.psnr_input_db[2:4].to_numpy()).all()
    assert (rows.psnr_db[4:] > rows.psnr_input_db[4:] + 3).all()  # tv, at the estimated noise level


def test_grey_weights_run_on_each_channel_and_colour_weights_on_three_equal_ones(
    pairs: tuple[Path, Path], make_weights: Maker
) -> None:
    grey = make_weights("dncnn-b", shaken=True)
    colour = make_weights("dncnn-b-color", 3, shaken=True)
    rows = score(*pairs, str(grey), str(colour)).set_index(["model", "image"])
    for path, name in ((grey, "dncnn-b"), (colour, "dncnn-b-color")):
        model = restore.load_model(path, device="cpu", precision="float32")
        clean, noisy = (np.asarray(Image.open(folder / "colour.png")) for folder in pairs[::-1])
        if name == "dncnn-b":
            made = np.stack([model(noisy[..., channel]) for channel in range(3)], -1)
        else:
            made = model(noisy)
        expected = restore.psnr(clean, np.floor(np.clip(made, 0, 255) + 0.5))
        assert rows.psnr_db[name, "colour"] == pytest.approx(expected, abs=1e-4)
    clean, noisy = (np.asarray(Image.open(folder / "grey.png")) for folder in pairs[::-1])
    made = model(np.stack([noisy] * 3, -1)).mean(-1)
    expected = restore.psnr(clean, np.floor(np.clip(made, 0, 255) + 0.5))
    assert rows.psnr_db["dncnn-b-color", "grey"] == pytest.approx(expected, abs=1e-4)


def test_auto_is_all_of_restore_denoise(pairs: tuple[Path, Path], tmp_path: Path) -> None:
    noisy, truth = pairs
    Image.open(noisy / "colour.png").save(noisy / "jpeg.jpg", quality=60)
    save(truth, "jpeg.png", scene())
    rows = score(noisy, truth, "auto").set_index("image")
    restore.denoise_folder(noisy, tmp_path / "out", device="cpu", precision="float32")
    for name in ("colour", "grey", "jpeg"):
        clean, made = (
            np.asarray(Image.open(folder / f"{name}.png")) for folder in (truth, tmp_path / "out")
        )
        assert rows.psnr_db[name] == pytest.approx(restore.psnr(clean, made), abs=1e-4)
        assert rows.ssim[name] == pytest.approx(restore.ssim(clean, made), abs=1e-4)
    assert rows.weights_sha256.nunique() == 1


def test_auto_on_made_noise_is_denoise_of_the_degraded_files(
    pairs: tuple[Path, Path], tmp_path: Path
) -> None:
    given = {"device": "cpu", "precision": "float32"}
    rows = benchmark("auto", pairs[1], ["noise:25", "jpeg:20"], seed=3, **given)  # type: ignore[arg-type]
    assert list(rows.image) == ["grey", "colour"] * 2
    assert (rows.psnr_db > rows.psnr_input_db + 1)[:2].all()
    degraded = restore.degrade(scene(), "noise:25", seed=3, name="colour")
    clean = scene()
    assert rows.psnr_input_db[1] == pytest.approx(restore.psnr(clean, degraded), abs=1e-4)
    made = np.floor(np.clip(restore.denoise(degraded, device="cpu"), 0, 255) + 0.5)
    assert rows.psnr_db[1] == pytest.approx(restore.psnr(clean, made), abs=0.1)  # bf16 or float32
    with pytest.raises(RestoreError, match="model auto: expected noise, jpeg or camera, found bic"):
        benchmark("auto", pairs[1], "bicubic:2", device="cpu")


def test_16_bit_and_alpha_are_scored_and_float_is_refused(
    tmp_path: Path, make_weights: Maker
) -> None:
    noisy, truth, clean = tmp_path / "noisy", tmp_path / "truth", scene(colour=False)
    save(noisy, "deep.png", noisy_of(clean).astype(np.uint16) * 257)
    save(truth, "deep.png", clean.astype(np.uint16) * 257)
    save(noisy, "eight.png", noisy_of(clean))
    save(truth, "eight.png", clean)
    opaque = np.full((40, 48, 1), 77, np.uint8)
    save(noisy, "alpha.png", np.dstack([noisy_of(scene()), opaque]))
    save(truth, "alpha.png", scene())
    save(noisy, "plain.png", noisy_of(scene()))
    save(truth, "plain.png", scene())
    rows = score(noisy, truth, str(make_weights(shaken=True)), "auto").set_index(["model", "image"])
    for model in ("dncnn-s-25", "auto"):
        assert rows.psnr_db[model, "deep"] == pytest.approx(rows.psnr_db[model, "eight"], abs=0.02)
        assert rows.psnr_db[model, "alpha"] == rows.psnr_db[model, "plain"]
    assert rows.psnr_input_db["auto", "deep"] == rows.psnr_input_db["auto", "eight"]
    save(noisy, "float.tif", np.zeros((40, 48), np.float32))
    save(truth, "float.tif", np.ones((40, 48), np.float32))
    with pytest.raises(RestoreError, match=r"truth/float\.tif: expected 8 or 16 bit pixels, found"):
        score(noisy, truth, "tv")


@pytest.mark.parametrize(
    ("noisy", "truth", "message"),
    [
        (
            scene()[:30],
            scene(),
            r"a\.png: expected 48x40 in colour as .*found 48x30 in col",
        ),
        (
            scene(colour=False),
            scene(),
            r"a\.png: expected 48x40 in colour .*found 48x40 in grey",
        ),
        (
            scene()[:7],
            scene()[:7] // 2,
            r"a\.png: SSIM needs at least 11x11 pixels, found .*48x7",
        ),
        (scene(), scene(), r"truth: expected the ground truth .*found the same pixels in all 1 "),
    ],
)
def test_wrong_pairs_are_one_line(
    tmp_path: Path, noisy: Pixels, truth: Pixels, message: str
) -> None:
    save(tmp_path / "noisy", "a.png", noisy)
    save(tmp_path / "truth", "a.png", truth)
    with pytest.raises(RestoreError, match=message) as error:
        score(tmp_path / "noisy", tmp_path / "truth", "tv")
    assert "\n" not in str(error.value)


def test_a_single_pair_without_noise_is_named(pairs: tuple[Path, Path]) -> None:
    noisy, truth = pairs
    Image.open(truth / "grey.png").save(noisy / "grey.png")
    with pytest.raises(RestoreError, match=r"noisy/grey\.png: has the pixels of its ground truth"):
        score(noisy, truth, "tv")


def test_what_auto_cannot_denoise_is_said(pairs: tuple[Path, Path], tmp_path: Path) -> None:
    noisy, truth = pairs
    (noisy / "grey.png").rename(tmp_path / "elsewhere.png")
    (noisy / "grey.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(RestoreError, match=r"noisy/grey\.png: expected a file, found a link out"):
        score(noisy, truth, "auto")


def command(*arguments: object) -> int:
    """Run the command line in this process; return its exit status."""
    import sys

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", ["restore", *map(str, arguments)])
        main(app, "restore")
    return int(str(end.value.code or 0))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--truth", "truth", "--degradation", "noise:25"], "--degradation noise:25: pairs bring"),
        (
            ["--truth", "truth", "--images", "truth"],
            "--images: expected one folder of noisy im",
        ),
        (["--truth", "noisy"], "--truth noisy: is the folder of the noisy images"),
        (["--truth", "none"], "--truth none: expected a folder of images, found none"),
        (["--truth", "truth", "--names", "x"], "--names x: expected auto, same or NOISY=CLEAN"),
        (["--truth", "truth", "--luma", "full"], "--luma full: pairs are scored in the colours"),
        (["--truth", "truth", "--degraded", "x"], "--degraded: pairs bring their noise with them"),
        (["--names", "same"], "--names same: it is for pairs of folders; name the folder of"),
        ([], "image set noisy: expected a --degradation such as noise:25, or the folder of ground"),
    ],
)
def test_wrong_options_are_one_line(
    pairs: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("--model", "tv", "--images", "noisy", "--out", "o.csv", *given)
    assert command("benchmark", *asked) == 2
    assert f"restore: {message}" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "o.csv").exists()


def test_the_commands_write_tables_and_strips(
    pairs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("--model", "tv", "--images", "noisy", "--truth", "truth", "--name", "night")
    assert command("benchmark", *asked, "--out", "o.csv") == 0
    assert command("benchmark", *asked[2:], "--model", "dncnn-s-25", "--out", "s.csv") == 0
    means = write_tables([tmp_path / "o.csv", tmp_path / "s.csv"], {}, tmp_path / "tables")
    assert tuple(means.columns) == SUMMARY_COLUMNS
    assert list(means.level) == ["night", "night"]
    assert list(means.psnr_published_db) == ["", ""]
    assert command("compare", *asked, "--out", "strip.png") == 0
    with Image.open(tmp_path / "strip.png") as picture:
        assert picture.width / 2.6 / 110 == pytest.approx(3, rel=0.01)
    taken = ("--out", "noisy/grey.png")
    assert command("compare", *asked, *taken) == 2


def test_a_strip_shows_methods_of_all_colours(pairs: tuple[Path, Path], tmp_path: Path) -> None:
    methods = load_methods(["tv", "dncnn-b-color"], "cpu", "float32")
    chosen = paired(*pairs)
    strip(methods, chosen, RealPairs(chosen.name), tmp_path / "strip.png", seed=0)
    strip(methods[1:], paired(*pairs), RealPairs("x"), tmp_path / "one.png", seed=0, images=1)
    with pytest.raises(RestoreError, match="the image is grey"):
        strip(methods[1:], chosen, parse("noise:25"), tmp_path / "no.png", seed=0)


@pytest.mark.reference
def test_the_input_of_polyu_is_as_measured_elsewhere(shared_data: Path) -> None:
    table = pd.read_csv(shared_data.parent / "reference/real_noise.csv")
    (expected,) = table.psnr_db[(table.set == "PolyU (100 crops)") & (table.method == "noisy")]
    folder = shared_data / "images/PolyU"
    chosen = paired(folder / "noisy", folder / "mean")
    found = [
        restore.psnr(clean.load(), noisy.load())
        for clean, noisy in zip(chosen.items, chosen.noisy, strict=True)
    ]
    assert np.mean(found) == pytest.approx(float(expected), abs=0.005)
