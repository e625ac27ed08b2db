import errno
import shutil
from collections import namedtuple

import numpy as np
import pytest
import spectral

from hsi.errors import HsiError
from hsi.formats.envi import write as envi_write
from hsi.formats.registry import files
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import Scene, open_scene, write_scene

MAP_INFO = ["UTM", "1", "1", "5e5", "4e6", "20", "20", "16", "North"]


def write_raw(folder, cube, **keys):
    """Write a bip file by hand: what a reader is given, it must understand."""
    values = {
        "samples": cube.shape[1], "lines": cube.shape[0], "bands": cube.shape[2],
        "header offset": 0, "data type": 12, "interleave": "bip", "byte order": 0,
    } | keys  # fmt: skip
    lines = [f"{key} = {value}" for key, value in values.items() if value is not None]
    (folder / "a.hdr").write_text("\n".join(["ENVI", *lines]))
    (folder / "a.raw").write_bytes(cube.tobytes())
    return folder / "a.hdr"


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
@pytest.mark.parametrize("byteorder", ["big", "little"])
def test_interleaves_and_byte_orders_are_equal(tmp_path, cube, interleave, byteorder):
    path = tmp_path / "a.hdr"
    spectral.envi.save_image(str(path), cube, interleave=interleave, byteorder=byteorder)
    scene = open_scene(path)
    assert np.array_equal(scene.cube, cube)
    assert isinstance(scene.cube, np.memmap)
    assert scene.provenance["format"] == f"ENVI {interleave}"
    assert np.array_equal(open_scene(path.with_suffix(".img")).cube, cube)


def test_round_trip_keeps_what_is_known(tmp_path, known):
    written = Scene(
        "a", known.cube, known.wavelengths, known.bad_bands, {"map info": MAP_INFO},
        ignore_value=-9999.0, scale=known.scale, offset=known.offset,
    )  # fmt: skip
    write_scene(tmp_path / "a.hdr", written)
    read = open_scene(tmp_path / "a.hdr")
    assert np.array_equal(read.cube, written.cube)
    assert read.georeference == written.georeference
    assert read.ignore_value == -9999.0
    for key in ("wavelengths", "bad_bands", "scale", "offset"):
        assert np.array_equal(getattr(read, key), getattr(written, key))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.hdr", "a.img"]
    image = spectral.open_image(str(tmp_path / "a.hdr"))
    assert image.bands.centers == [450.5, 550.0, 650.0, 2200.25]
    assert np.array_equal(image.load(), written.cube)


@pytest.mark.parametrize("data", ["a", "a.raw", "a.IMG", "a.cube"])
def test_all_files_of_a_scene_are_known(tmp_path, cube, data):
    header = write_raw(tmp_path, cube)
    (tmp_path / "a.raw").rename(tmp_path / data)
    assert files(header) == files(tmp_path / data) == [header, tmp_path / data]


def test_a_header_called_after_its_data(tmp_path, cube):
    write_raw(tmp_path, cube).rename(tmp_path / "a.raw.hdr")
    assert files(tmp_path / "a.raw") == [tmp_path / "a.raw.hdr", tmp_path / "a.raw"]
    (tmp_path / "a.raw").unlink()
    with pytest.raises(HsiError, match="expected its data beside it"):
        files(tmp_path / "a.raw.hdr")


def test_reflectance_scale_factor_is_kept_and_not_applied(tmp_path, cube):
    scene = open_scene(write_raw(tmp_path, cube, **{"reflectance scale factor": 10000}))
    assert scene.scale == pytest.approx(np.full(4, 1e-4))
    assert np.array_equal(scene.cube, cube)
    write_scene(tmp_path / "b.hdr", scene)
    assert "reflectance scale factor = 10000\n" in (tmp_path / "b.hdr").read_text()


@pytest.mark.parametrize(
    ("unit", "values", "expected"),
    [
        ("Micrometers", (0.45, 0.55, 0.65, 2.2), (450, 550, 650, 2200)),
        ("um", (0.45, 0.55, 0.65, 2.2), (450, 550, 650, 2200)),
        (None, (0.45, 0.55, 0.65, 2.2), (450, 550, 650, 2200)),
        ("Unknown", (450, 550, 650, 2200), (450, 550, 650, 2200)),
        ("Nanometers", (450, 550, 650, 2200), (450, 550, 650, 2200)),
        ("Wavenumber", (25000, 20000, 10000, 5000), (400, 500, 1000, 2000)),
    ],
)
def test_wavelengths_become_nanometres(tmp_path, cube, unit, values, expected):
    listed = "{" + ", ".join(map(str, values)) + "}"
    header = write_raw(tmp_path, cube, **{"wavelength units": unit, "wavelength": listed})
    assert open_scene(header).wavelengths == pytest.approx(expected)


def test_band_numbers_are_no_wavelengths(tmp_path, cube):
    header = write_raw(tmp_path, cube, **{"wavelength units": "Index", "wavelength": "{1,2,3,4}"})
    assert open_scene(header).wavelengths is None


def test_header_offset_is_skipped(tmp_path, cube):
    header = write_raw(tmp_path, cube, **{"header offset": 3})
    data = tmp_path / "a.raw"
    data.write_bytes(b"abc" + data.read_bytes())
    assert np.array_equal(open_scene(header).cube, cube)


def test_data_may_have_no_suffix_or_any(tmp_path, cube):
    header = write_raw(tmp_path, cube)
    (tmp_path / "a.raw").rename(tmp_path / "a")
    assert np.array_equal(open_scene(header).cube, cube)
    assert np.array_equal(open_scene(tmp_path / "a").cube, cube)
    (tmp_path / "a").rename(tmp_path / "a.reflectance")
    assert np.array_equal(open_scene(tmp_path / "a.reflectance").cube, cube)
    assert np.array_equal(open_scene(header).cube, cube)  # it is as long as the header says
    (tmp_path / "a.reflectance").write_bytes(b"notes")
    with pytest.raises(HsiError, match=r"a\.hdr: expected its data beside it, one of a, a\.img"):
        open_scene(header)


def test_key_names_may_be_in_capitals_and_lists_may_break(tmp_path, cube):
    header = write_raw(tmp_path, cube, Wavelength="{\n 450, 550,\n 650, 2200 }")
    assert open_scene(header).wavelengths == pytest.approx([450, 550, 650, 2200])


def test_truncated_data_is_told_in_bytes(tmp_path, cube):
    write_scene(tmp_path / "a.hdr", Scene("a", cube))
    data = tmp_path / "a.img"
    data.write_bytes(data.read_bytes()[:-10])
    with pytest.raises(HsiError, match=r"a\.img: expected 280 bytes .*, found 270; the file is"):
        open_scene(tmp_path / "a.hdr")


def test_missing_keys_are_named(tmp_path, cube):
    header = write_raw(tmp_path, cube, lines=None, interleave=None)
    with pytest.raises(HsiError, match=r"a\.hdr: .* found none of: lines, interleave; add them"):
        open_scene(header)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"interleave": "bix"}, "interleave: expected bsq, bil or bip, found 'bix'"),
        ({"data type": 7}, "data type: expected one of .*, found 7"),
        ({"lines": "many"}, "lines: expected a whole number, found 'many'"),
        ({"bands": 0}, "above 0, found 7 × 5 × 0"),
        ({"wavelength": "{1, 2, 3"}, "wavelength: expected a list that ends with a brace"),
        ({"file compression": 1}, "expected plain data, found compressed data"),
        ({"file type": "ENVI Spectral Library"}, "found an ENVI spectral library"),
    ],
)
def test_a_wrong_header_is_one_clear_line(tmp_path, cube, keys, message):
    with pytest.raises(HsiError, match=message):
        open_scene(write_raw(tmp_path, cube, **keys))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"wavelength": "{1, x, 3, 4}"}, "wavelength: expected numbers"),
        ({"wavelength": "{1, 2, 3}"}, "wavelength: expected 4 numbers, one per band, found 3"),
        ({"bbl": "{1, 1}"}, "bbl: expected 4 numbers, one per band, found 2"),
        ({"fwhm": "{1, 1, ?, 1}"}, "fwhm: expected numbers"),
        ({"default bands": "{9, 1, 2}"}, "default bands: expected one or three numbers from 1 to"),
        ({"band names": "{a, b}"}, "band names: expected 4, one per band, found 2"),
        ({"data gain values": "{1, 2}"}, "data gain values: expected 4 numbers"),
        ({"data ignore value": "dark"}, "data ignore value: expected a number, found 'dark'"),
        ({"class lookup": "{0, 0, 300}"}, "class lookup: expected three numbers 0–255 per class"),
    ],
)
def test_a_broken_list_of_a_side_matter_warns(tmp_path, cube, caplog, keys, message):
    assert np.array_equal(open_scene(write_raw(tmp_path, cube, **keys)).cube, cube)
    assert message in caplog.text


def test_classification_round_trip(tmp_path):
    classes = np.array([[1, 2, 0], [2, 1, 1]], np.uint8)
    colours = np.array([[0, 0, 0], [10, 20, 30], [40, 50, 60]], np.uint8)
    path = tmp_path / "map.hdr"
    envi_write.write_classification(
        path,
        classes,
        class_names=["Unclassified", "oak", "pine, dry"],
        colours=colours,
        georeference={"map info": MAP_INFO},
    )
    labels = open_labels(path)
    assert np.array_equal(labels.ground_truth, classes)
    assert labels.class_names == ("oak", "pine; dry")
    assert np.array_equal(labels.colours, colours[1:])
    image = spectral.open_image(str(path))
    assert image.metadata["file type"] == "ENVI Classification"
    assert image.metadata["class names"] == ["Unclassified", "oak", "pine; dry"]
    assert [int(v) for v in image.metadata["class lookup"]] == colours.ravel().tolist()
    assert image.metadata["map info"] == MAP_INFO


def test_long_lists_are_read_by_others(tmp_path):
    """GDAL drops a line of 10,000 characters, and all that is behind it."""
    rasterio = pytest.importorskip("rasterio", reason="the extra geotiff")
    bands = 900
    wavelengths = np.linspace(400, 2500, bands).astype(np.float32).astype(np.float64)
    cube = np.zeros((3, 4, bands), np.int16)
    place = {"map info": [*MAP_INFO, "WGS-84", "units=Meters"]}
    names = [f"band, number {band}" for band in range(bands)]
    scene = Scene("long", cube, wavelengths, georeference=place, band_names=names)
    write_scene(tmp_path / "long.hdr", scene)
    text = (tmp_path / "long.hdr").read_text()
    assert max(map(len, text.splitlines())) < 1100
    read = open_scene(tmp_path / "long.hdr")
    assert np.array_equal(read.wavelengths, wavelengths)
    assert read.georeference == place
    metadata = spectral.open_image(str(tmp_path / "long.hdr")).metadata
    assert [float(each) for each in metadata["wavelength"]] == wavelengths.tolist()

    count = 3000
    envi_write.write_classification(
        tmp_path / "map.hdr",
        np.array([[1, count - 1]], np.int16),
        class_names=[f"class {number}" for number in range(count)],
        colours=np.arange(3 * count, dtype=np.uint8).reshape(count, 3),
        georeference=place,
    )
    labels = open_labels(tmp_path / "map.hdr")
    assert labels.class_names == ("class 1", f"class {count - 1}")
    for name in ("long.img", "map.img"):
        with rasterio.open(tmp_path / name) as opened:
            assert opened.crs.to_epsg() == 32616
            assert opened.transform[:6] == (20, 0, 5e5, 0, -20, 4e6)


def test_bands_without_names_stay_without(tmp_path, cube, caplog):
    write_raw(tmp_path, cube, **{"band names": "{blue, , , }"})
    scene = open_scene(tmp_path / "a.hdr")
    assert list(scene.band_names) == ["blue", "", "", ""]
    write_scene(tmp_path / "again.hdr", scene)
    assert list(open_scene(tmp_path / "again.hdr").band_names) == ["blue", "", "", ""]
    write_raw(tmp_path, cube, **{"band names": "{a, b, c, d,}"})  # a comma too many
    assert list(open_scene(tmp_path / "a.hdr").band_names) == ["a", "b", "c", "d"]
    assert caplog.text == ""


def test_full_disk_is_one_line_and_leaves_nothing(tmp_path, known, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 1, 99))
    for name in ("a.npy", "a.tif", "a.hdr"):
        with pytest.raises(HsiError, match=f"{name}: expected 280 bytes free on the disk, found 9"):
            write_scene(tmp_path / name, Scene("a", known.cube))
    monkeypatch.undo()

    class FillsTheDisk(np.ndarray):
        def __getitem__(self, key):
            raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("a.npy", "a.tif", "a.hdr"):
        with pytest.raises(HsiError, match=f"{name}: the disk is full"):
            write_scene(tmp_path / name, Scene("a", known.cube.view(FillsTheDisk)))
    assert list(tmp_path.iterdir()) == []


def test_a_header_is_not_written_beside_data_that_it_would_take(tmp_path, cube):
    (tmp_path / "field").write_bytes(b"older data, without a suffix")
    with pytest.raises(HsiError, match=r"field\.hdr: .*/field would be taken for its data"):
        write_scene(tmp_path / "field.hdr", Scene("field", cube))
    assert [path.name for path in tmp_path.iterdir()] == ["field"]


@pytest.mark.parametrize("coding", ["utf-8", "cp1252"])
def test_letters_beyond_ascii_in_either_coding(tmp_path, cube, coding):
    names = "{" + ", ".join(f"Bänder {n}" for n in range(cube.shape[2])) + "}"
    listed = "{" + ", ".join(str(0.4 + n / 10) for n in range(cube.shape[2])) + "}"
    keys = {"wavelength units": "µm", "wavelength": listed, "band names": names}
    header = write_raw(tmp_path, cube, **keys)
    header.write_bytes(header.read_text().encode(coding))
    scene = open_scene(header)
    assert scene.band_names[1] == "Bänder 1"
    assert scene.wavelengths[:2] == pytest.approx([400, 500])
    write_scene(tmp_path / "copy.hdr", scene)
    assert open_scene(tmp_path / "copy.hdr").band_names[1] == "Bänder 1"


def test_class_names_in_the_code_page_of_windows(tmp_path):
    header = write_raw(
        tmp_path, np.array([[[1], [2]]], np.uint8),
        **{"data type": 1, "classes": 3, "class names": "{none, Rübe, Gehölz}"},
    )  # fmt: skip
    header.write_bytes(header.read_text().encode("cp1252"))
    assert open_labels(header).class_names == ("Rübe", "Gehölz")


def test_class_names_of_another_number_than_classes_are_left_out_and_it_is_said(tmp_path, caplog):
    names = "{Unclassified, Wheat, winter, Forest, Water}"  # "Wheat, winter" is one class
    header = write_raw(
        tmp_path, np.array([[[1], [3]]], np.uint8),
        **{"data type": 1, "classes": 4, "class names": names},
    )  # fmt: skip
    assert "Forest" not in (open_labels(header).class_names or ())
    assert "expected 4 names, as `classes` says, found 5" in caplog.text
