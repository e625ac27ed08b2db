"""Scores follow the protocol; prepared files give the same rows; what is finished is kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from restore.degradations.degradation import Degradation, parse
from restore.errors import RestoreError
from restore.evaluation.benchmark import evaluate
from restore.evaluation.degraded_files import write_folder
from restore.evaluation.methods import Baseline
from restore.evaluation.metrics import psnr, quantise, ssim
from restore.evaluation.protocol import COLUMNS, Scoring
from restore.evaluation.restorations import check, restorations
from restore.image_sets.find import ImageSet, image_set
from restore.networks.denoiser import Denoiser


def test_the_output_is_rounded_and_the_input_is_not(images: ImageSet, identity: Denoiser) -> None:
    rows = evaluate(identity, [images], [parse("noise:50")], seed=0)
    assert [row["image"] for row in rows] == ["0", "1"]
    for row, item in zip(rows, images.items, strict=True):
        assert tuple(row) == COLUMNS
        clean = item.load().astype(float)
        # Clipping the identity's output to 0..255 removes noise; the input keeps all of it.
        assert row["psnr_db"] > row["psnr_input_db"] + 0.2
        assert row["psnr_input_db"] == pytest.approx(20 * np.log10(255 / 50), abs=0.3)
        assert clean.shape == (30, 36)


@pytest.mark.parametrize("text", ["noise:25", "jpeg:10", "bicubic:3"])
def test_prepared_files_give_the_same_rows(
    images: ImageSet, identity: Denoiser, tmp_path: Path, text: str
) -> None:
    wanted = parse(text)
    write_folder(images.items, tmp_path / "degraded" / text, wanted, 7)
    memory = evaluate(identity, [images], [wanted], seed=7)
    assert memory == evaluate(
        identity, [images], [wanted], seed=7, degraded_folder=tmp_path / "degraded"
    )
    if text == "noise:25":
        assert memory != evaluate(identity, [images], [wanted], seed=8)


def test_a_black_image_is_scored_on_the_scale_of_all_others(
    tmp_path: Path, identity: Denoiser
) -> None:
    Image.fromarray(np.zeros((24, 24), np.uint8)).save(tmp_path / "a.png")
    (row,) = evaluate(identity, [image_set(str(tmp_path))], [parse("noise:25")], seed=0)
    assert row["psnr_input_db"] == pytest.approx(20.17, abs=0.5)
    assert row["psnr_db"] == pytest.approx(23.2, abs=0.7)  # half of the noise is cut off at black


def test_scores_agree_with_scikit_image(images: ImageSet) -> None:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    clean = images.items[0].load().astype(float)
    estimate = quantise(clean + np.random.default_rng(0).normal(0, 9, clean.shape))
    expected = peak_signal_noise_ratio(clean, estimate, data_range=255)
    assert psnr(clean, estimate) == pytest.approx(expected, abs=1e-9)
    similarity = structural_similarity(
        clean,
        estimate,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(clean, estimate) == pytest.approx(similarity, abs=1e-9)


def test_baselines_beat_the_noise(images: ImageSet) -> None:
    for name in ("nlm", "wavelet", "tv"):
        rows = evaluate(Baseline(name), [images], [parse("noise:25")], seed=0)
        assert all(row["psnr_db"] > row["psnr_input_db"] + 2 for row in rows)


def test_a_baseline_for_jpeg_is_one_line(images: ImageSet) -> None:
    with pytest.raises(RestoreError, match="model nlm: expected noise, found jpeg:10"):
        evaluate(Baseline("nlm"), [images], [parse("jpeg:10")], seed=0)


def test_prepared_files_of_another_seed_or_grey_are_refused(
    identity: Denoiser, tmp_path: Path
) -> None:
    folder = tmp_path / "colour"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    chosen = image_set(str(folder))
    for text in ("noise:25", "bicubic:2"):
        write_folder(chosen.items, tmp_path / "degraded" / text, parse(text), 3)

    def score(text: str, seed: int, luma: str) -> float:
        rows = evaluate(
            identity,
            [chosen],
            [parse(text)],
            seed=seed,
            degraded_folder=tmp_path / "degraded",
            protocol=Scoring(luma=luma),
        )
        return float(rows[0]["psnr_input_db"])

    with pytest.raises(RestoreError, match=r"noise of seed 0, found seed 3; use `seed` 3 or make"):
        score("noise:25", 0, "auto")
    with pytest.raises(RestoreError, match=r"grey of `luma` matlab.*; leave out `luma` or `degra"):
        score("noise:25", 3, "matlab")
    # The small image is RGB: its luma is taken afterwards, and no seed is in it.
    assert score("bicubic:2", 0, "full") != score("bicubic:2", 3, "auto")


@pytest.mark.parametrize(
    ("shape", "text", "border", "message"),
    [
        ((1, 1), "noise:25", "auto", "at least 11x11 pixels, found an image of 1x1"),
        ((1000, 1), "jpeg:10", "auto", "at least 11x11 pixels, found an image of 1x1000"),
        ((16, 30), "bicubic:3", "auto", "inside a border of 3, found an image of 30x15"),
        ((16, 30), "noise:25", "3", "inside a border of 3, found an image of 30x16"),
        ((2, 2), "bicubic:4", "auto", "too small for scale 4"),
    ],
)
def test_images_too_small_to_score_are_named_before_any_work(
    identity: Denoiser, tmp_path: Path, shape: tuple[int, int], text: str, border: str, message: str
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(folder / "a.png")
    Image.fromarray(np.zeros(shape, np.uint8)).save(folder / "b.png")
    with pytest.raises(RestoreError) as error:
        check([identity], [image_set(str(folder))], [parse(text)], Scoring(border=border))
    assert str(error.value).startswith(f"{folder / 'b.png'}: ")
    assert message in str(error.value)
    assert str(error.value).endswith("; take it out of the set")


def test_what_a_model_cannot_do_is_said_before_any_work(
    images: ImageSet, identity: Denoiser
) -> None:
    with pytest.raises(RestoreError, match="model nlm: expected noise, found jpeg:10"):
        check([identity, Baseline("nlm")], [images], [parse("noise:25"), parse("jpeg:10")])


def test_a_set_that_a_model_learned_from_is_logged(
    images: ImageSet, identity: Denoiser, caplog: pytest.LogCaptureFixture
) -> None:
    check([identity, Baseline("nlm")], [images], [parse("noise:25")])
    assert not caplog.records
    seen = replace(identity, description={"training": {"sets": ["T91", "BSD68"]}})
    check([seen, Baseline("nlm")], [images], [parse("noise:25")])
    assert "dncnn-s-25 learned from BSD68: its scores there say nothing of others" in caplog.text


def test_a_finished_test_is_kept_and_one_that_differs_is_not(
    images: ImageSet, identity: Denoiser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, wanted = tmp_path / "kept", [parse("noise:25"), parse("jpeg:10")]
    first = evaluate(identity, [images], wanted[:1], seed=0, kept=kept)
    (file,) = kept.glob("*.json")

    runs: list[str] = []

    def counted(method: Denoiser, chosen: ImageSet, test: Degradation, *more: Any) -> Any:
        runs.append(str(test))
        return restorations(method, chosen, test, *more)

    monkeypatch.setattr("restore.evaluation.benchmark.restorations", counted)
    both = evaluate(identity, [images], wanted, seed=0, kept=kept)
    assert (both[:2], runs) == (first, ["jpeg:10"])  # another degradation is scored alone
    assert both == evaluate(identity, [images], wanted, seed=0)
    runs.clear()
    evaluate(identity, [images], wanted[:1], seed=1, kept=kept)
    assert runs == ["noise:25"]  # another seed
    runs.clear()
    protocol = Scoring(rounding="off")
    evaluate(identity, [images], wanted[:1], seed=0, kept=kept, protocol=protocol)
    assert runs == ["noise:25"]
    runs.clear()
    Image.fromarray(255 - images.items[0].load()).save(images.items[0].path)
    evaluate(identity, [images], wanted[:1], seed=0, kept=kept)
    assert runs == ["noise:25"]  # another image
    Image.fromarray(255 - images.items[0].load()).save(images.items[0].path)
    for damaged in ("[", "{}", "[]", '[{"image": "0"}]'):
        file.write_text(damaged)
        runs.clear()
        assert evaluate(identity, [images], wanted[:1], seed=0, kept=kept) == first
        assert runs == ["noise:25"]


def test_changed_degraded_files_are_scored_again(
    images: ImageSet, identity: Denoiser, tmp_path: Path
) -> None:
    wanted = parse("noise:25")
    folder = write_folder(images.items, tmp_path / "made/noise:25", wanted, 0).parent
    options: dict[str, Any] = {"seed": 0, "degraded_folder": folder.parent, "kept": tmp_path / "k"}
    rows = evaluate(identity, [images], [wanted], **options)
    assert rows == evaluate(identity, [images], [wanted], **options)
    assert len(list((tmp_path / "k").iterdir())) == 1
    write_folder(images.items, folder, parse("noise:15"), 0, overwrite=True)
    with pytest.raises(RestoreError, match="expected noise:25"):
        evaluate(identity, [images], [wanted], **options)
