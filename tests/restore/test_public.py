"""What `import restore` offers: light, documented by examples that run, clear about bad input."""

import doctest
import inspect
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import restore

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", restore.__all__)
def test_every_public_name_has_examples_that_run(name: str) -> None:
    thing = getattr(restore, name)
    module = sys.modules[thing.__module__]
    assert thing.__name__ == name
    (found,) = [
        test
        for test in doctest.DocTestFinder(recurse=False).find(thing, name, module, {})
        if test.name == name
    ]
    assert found.examples, f"restore.{name} has no example"
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(found, out=said.append)
    assert not failed, "".join(said)


def test_the_list_is_all_that_is_offered() -> None:
    assert set(restore.__all__) <= set(dir(restore))
    with pytest.raises(AttributeError, match="has no attribute 'denoize'"):
        restore.denoize  # noqa: B018


@pytest.mark.parametrize("name", [name for name in restore.__all__ if name != "RestoreError"])
def test_every_docstring_has_its_sections(name: str) -> None:
    text = inspect.getdoc(getattr(restore, name)) or ""
    assert text.splitlines()[0].endswith(".")
    if not inspect.isclass(getattr(restore, name)):
        parameters = inspect.signature(getattr(restore, name)).parameters
        assert ("Parameters\n---" in text) == bool(parameters)
        for parameter in parameters:
            assert parameter in text, parameter


def test_the_import_is_light() -> None:
    script = (
        "import sys, time; start = time.perf_counter(); import restore; "
        "spent = time.perf_counter() - start; "
        "heavy = {'torch', 'numpy', 'PIL', 'scipy', 'pandas', 'typer'} & set(sys.modules); "
        "sys.exit(' '.join(heavy) or (f'{spent} s' if spent > 0.1 else 0))"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert time.perf_counter() - start < 3  # 0.1 s and the start of Python, on a busy machine


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(40, 33), (40, 33, 3)])
def test_shape_and_type_stay_and_the_input_too(dtype: type, shape: tuple[int, ...]) -> None:
    peak = 1 if dtype is np.float32 else np.iinfo(dtype).max
    noisy = np.random.default_rng(0).normal(0.5, 0.1, shape).clip(0, 1) * peak
    image = noisy.astype(dtype)
    before = image.copy()
    image.flags.writeable = False
    clean = restore.denoise(image, device="cpu")
    assert (clean.shape, clean.dtype) == (image.shape, image.dtype)
    assert clean.std() < image.std() / 2
    assert clean.flags.writeable
    np.testing.assert_array_equal(image, before)


def test_views_and_big_endian_arrays_are_denoised_as_copies_are() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 30)).astype(np.uint16)
    expected = restore.denoise(image, "dncnn-s-25", device="cpu")
    turned = np.asfortranarray(image)
    np.testing.assert_array_equal(restore.denoise(turned, "dncnn-s-25", device="cpu"), expected)
    swapped = restore.denoise(image.astype(">u2"), "dncnn-s-25", device="cpu")
    np.testing.assert_array_equal(swapped, expected)


def test_a_loaded_model_serves_many_images() -> None:
    image = np.random.default_rng(0).normal(128, 25, (24, 24)).clip(0, 255).astype(np.uint8)
    model = restore.load_model("dncnn-s-25", device="cpu")
    once = restore.denoise(image, "dncnn-s-25", device="cpu")
    np.testing.assert_array_equal(restore.denoise(image, model), once)
    half = restore.denoise(image, model, strength=0.5).astype(int)
    assert np.abs(half - (image.astype(int) + once) / 2).max() <= 1


def test_as_the_command_line_denoises_a_file(tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(128, 20, (48, 40)).clip(0, 255).astype(np.uint8)
    restore.write_image(tmp_path / "noisy.png", image)
    restore.denoise_folder(tmp_path / "noisy.png", tmp_path / "clean.png", device="cpu")
    expected = restore.read_image(tmp_path / "clean.png")
    np.testing.assert_array_equal(restore.denoise(image, device="cpu"), expected)


NAN = np.full((9, 9), np.nan, np.float32)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([[1, 2], [3, 4]], "found list; convert it with numpy.asarray"),
        (np.zeros((9, 9), bool), "found bool; convert it with image.astype"),
        (np.zeros((9, 9), complex), "found complex128; convert"),
        (np.zeros((9, 9)), "found float64; convert"),
        (np.zeros((9, 9), np.int32), "found int32; convert"),
        (np.zeros((9, 0), np.uint8), r"found an empty one of shape \(9, 0\); give it pixels"),
        (np.zeros((9, 9, 5), np.uint8), r"found the shape \(9, 9, 5\); choose one or three"),
        (np.zeros(9, np.uint8), r"found the shape \(9,\); choose"),
        (np.zeros((2, 9, 9, 3), np.uint8), r"found the shape \(2, 9, 9, 3\); choose"),
        (
            np.ma.masked_array(np.zeros((9, 9), np.uint8)),
            "found a masked one; fill it with image.f",
        ),
        (NAN, "`image`: expected finite values, found 81 NaN or infinite; fill them first"),
        (np.float32([[1, np.inf]]), "found 1 NaN or infinite"),
    ],
)
def test_what_is_no_image_is_one_clear_line(image: object, message: str) -> None:
    with pytest.raises(restore.RestoreError, match=message) as caught:
        restore.denoise(image)  # type: ignore[arg-type]
    assert str(caught.value).startswith("`image`: expected ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": -1.0}, "`sigma` -1.0: expected None or a number from 0 to 255"),
        ({"sigma": "25"}, "`sigma` '25': expected None or a number from 0 to 255"),
        ({"sigma": float("nan")}, "`sigma` nan: expected None or a number"),
        ({"strength": 0.0}, "`strength` 0.0: expected more than 0, at most 1"),
        ({"strength": "1"}, "`strength` '1': expected more than 0, at most 1"),
        ({"model": "dncnn-9"}, "model 'dncnn-9': expected a .safetensors file or a shipped name"),
    ],
)
def test_wrong_options_name_the_argument(options: dict[str, object], message: str) -> None:
    with pytest.raises(restore.RestoreError, match=message):
        restore.denoise(np.zeros((9, 9), np.uint8), **options)  # type: ignore[arg-type]


def test_what_cannot_be_degraded_is_one_line() -> None:
    with pytest.raises(restore.RestoreError, match=r"^`image`: expected .* uint8, found list;"):
        restore.degrade([[1, 2]], "noise:25")  # type: ignore[arg-type]
    image = np.ones((9, 9), np.uint8)
    with pytest.raises(restore.RestoreError, match=r"^`image`: expected a plain array, found a ma"):
        restore.degrade(np.ma.masked_equal(image, 1), "noise:25")
    for degradation in ("noise:25", "jpeg:50"):
        with pytest.raises(restore.RestoreError, match=r"^`image`: expected pixels, found none"):
            restore.degrade(image[:0], degradation)
    for seed in (None, "0", 1.5, -1, True):
        with pytest.raises(restore.RestoreError, match=r"^`seed` .*: expected 0 or more, a whole"):
            restore.degrade(image, "noise:25", seed=seed)  # type: ignore[arg-type]
    assert restore.degrade(image, "noise:25", seed=np.int64(3)).shape == (9, 9)
