import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.formats import georeference
from hsi.formats.geotiff import write as geotiff_write
from hsi.formats.registry import files
from hsi.scenes.labels import open_labels
from hsi.scenes.scene import Scene, open_scene, write_scene

rasterio = pytest.importorskip("rasterio")
rasterio_shutil = pytest.importorskip("rasterio.shutil")

UTM = rasterio.crs.CRS.from_epsg(32616)
GRID = rasterio.Affine(20.0, 0.0, 5e5, 0.0, -20.0, 4e6)


def write_tif(path, cube, tags=lambda _: None, **options):
    """Write a cube as others would."""
    settings = {"crs": UTM, "transform": GRID, "dtype": cube.dtype.name, "count": cube.shape[2]}
    settings |= {"height": cube.shape[0], "width": cube.shape[1]} | options
    with rasterio.open(path, "w", driver="GTiff", **settings) as file:
        file.write(np.moveaxis(cube, -1, 0))
        tags(file)
    return path


def place(scene):
    return georeference.for_geotiff(scene.georeference)


def test_round_trip_keeps_what_is_known(tmp_path, known):
    write_scene(tmp_path / "a.tif", known)
    read = open_scene(tmp_path / "a.tif")
    assert np.array_equal(read.cube, known.cube)
    for key in ("wavelengths", "bad_bands", "scale", "offset"):
        assert np.array_equal(getattr(read, key), getattr(known, key))
    assert read.ignore_value == 0.0
    assert place(read) == {"crs": UTM, "transform": GRID}
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]
    with rasterio.open(tmp_path / "a.tif") as file:
        assert (file.crs, file.transform, file.nodata) == (UTM, GRID, 0)
        assert file.tags(1)["wavelength"] == "450.5"
        assert file.descriptions[3] == "2200.25 nm"


@pytest.mark.parametrize(
    ("crs", "grid"),
    [
        ("EPSG:32616", GRID),
        ("EPSG:32733", rasterio.Affine(30, 0, 4e5, 0, -30, 8e6)),
        ("EPSG:4326", rasterio.Affine(0.001, 0, 7, 0, -0.001, 50)),
        ("EPSG:3035", rasterio.Affine(16, 12, 4e6, 12, -16, 3e6)),
    ],
)
def test_georeference_survives_envi_and_back(tmp_path, cube, crs, grid):
    scene = Scene("a", cube, georeference={"crs": crs, "transform": tuple(grid)[:6]})
    write_scene(tmp_path / "a.hdr", scene)
    write_scene(tmp_path / "b.tif", open_scene(tmp_path / "a.hdr"))
    found = place(open_scene(tmp_path / "b.tif"))
    assert found["crs"] == rasterio.crs.CRS.from_user_input(crs)
    assert found["transform"].almost_equals(grid, precision=1e-6)
    with rasterio.open(tmp_path / "a.img") as file:  # GDAL understands our header
        assert file.crs == rasterio.crs.CRS.from_user_input(crs)
        assert file.transform.almost_equals(grid, precision=1e-6)


def test_a_map_info_alone_has_its_coordinate_system(tmp_path, cube):
    info = ["UTM", "1", "1", "5e5", "4e6", "20", "20", "16", "North", "WGS-84"]
    found = georeference.for_geotiff({"map info": info})
    assert (found["crs"], found["transform"]) == (UTM, GRID)


def test_a_sheared_grid_is_not_told_wrong_in_envi(tmp_path, cube, caplog):
    grid = (20.0, 5.0, 5e5, 0.0, -20.0, 4e6)
    found = georeference.for_envi({"crs": "EPSG:32616", "transform": grid})
    assert "map info" not in found
    assert "sheared" in caplog.text


def test_what_is_not_georeferenced_stays_so(tmp_path, cube):
    write_scene(tmp_path / "a.tif", Scene("a", cube))
    scene = open_scene(tmp_path / "a.tif")
    assert scene.georeference is None
    assert scene.ignore_value is None
    assert scene.wavelengths is None


def test_layouts_are_equal(tmp_path, cube):
    for interleave in ("pixel", "band"):
        for compress in (None, "deflate"):
            for endianness in ("LITTLE", "BIG"):
                path = tmp_path / f"{interleave}{compress}{endianness}.tif"
                options = {"interleave": interleave, "compress": compress, "ENDIANNESS": endianness}
                write_tif(path, cube, **options)
                found = open_scene(path).cube
                assert np.array_equal(found, cube)
                assert np.array_equal(found[2:4, 1:], cube[2:4, 1:])
                # What is uncompressed is mapped, as ENVI is.
                assert isinstance(found, np.memmap) == (compress is None)
    tiled = {"tiled": True, "blockxsize": 16, "blockysize": 16}
    scene = open_scene(write_tif(tmp_path / "tiled.tif", np.tile(cube, (9, 9, 1)), **tiled))
    assert np.array_equal(scene.cube, np.tile(cube, (9, 9, 1)))


def _bandwise(file):
    for number, micrometres in enumerate((0.45, 0.55, 0.65, 2.2), 1):
        file.update_tags(number, wavelength=str(micrometres), wavelength_units="Micrometers")


def _imagery(file):
    for number, micrometres in enumerate((0.45, 0.55, 0.65, 2.2), 1):
        file.update_tags(number, ns="IMAGERY", CENTRAL_WAVELENGTH_UM=str(micrometres))


def _envi_domain(file):
    file.update_tags(ns="ENVI", wavelength="{450, 550, 650, 2200}", wavelength_units="nm")


def _descriptions(file):
    for number, nanometres in enumerate((450, 550, 650, 2200), 1):
        file.set_band_description(number, f"band {number} ({nanometres}.0 Nanometers)")


@pytest.mark.parametrize("dialect", [_bandwise, _imagery, _envi_domain, _descriptions])
def test_wavelengths_are_read_in_many_dialects(tmp_path, cube, dialect):
    scene = open_scene(write_tif(tmp_path / "a.tif", cube, dialect))
    assert scene.wavelengths == pytest.approx([450, 550, 650, 2200])


def test_enmap_metadata_beside_gives_the_bands(tmp_path, cube):
    bands = "".join(
        f"<bandID number='{n}'><wavelengthCenterOfBand>{w}</wavelengthCenterOfBand>"
        "<GainOfBand>0.0001</GainOfBand><OffsetOfBand>0</OffsetOfBand></bandID>"
        for n, w in enumerate((418.4, 550, 1300, 2200), 1)
    )
    xml = f"<level_X><specific><bandCharacterisation>{bands}</bandCharacterisation><q>"
    xml += "<expectedChannelsList>1,2</expectedChannelsList><expectedChannelsList>4"
    xml += "</expectedChannelsList></q></specific></level_X>"
    (tmp_path / "ENMAP01-L2A-METADATA.XML").write_text(xml)
    image = write_tif(tmp_path / "ENMAP01-L2A-SPECTRAL_IMAGE.TIF", cube, nodata=0)
    assert files(image) == [image, tmp_path / "ENMAP01-L2A-METADATA.XML"]
    scene = open_scene(image)
    assert scene.wavelengths == pytest.approx([418.4, 550, 1300, 2200])
    assert scene.bad_bands.tolist() == [False, False, True, False]
    assert scene.scale == pytest.approx(np.full(4, 1e-4))
    with pytest.raises(HsiError, match=r"METADATA\.XML: expected 3 bands .* found 4"):
        open_scene(write_tif(tmp_path / "ENMAP01-L2A-SPECTRAL_IMAGE.TIF", cube[..., :3]))


def test_a_slice_reads_no_other_bands_or_rows(tmp_path, cube, monkeypatch):
    options = {"interleave": "band", "compress": "deflate"}
    lazy = open_scene(write_tif(tmp_path / "a.tif", cube, **options)).cube
    asked = []
    plain = lazy.read
    monkeypatch.setattr(lazy, "read", lambda *spans: asked.append(spans) or plain(*spans))
    assert np.array_equal(lazy[2:4, :, 1], cube[2:4, :, 1])
    assert asked == [(slice(2, 4), slice(0, 5), slice(1, 2))]


def test_truncated_file_is_one_clear_line(tmp_path, cube):
    path = write_tif(tmp_path / "a.tif", np.tile(cube, (20, 20, 1)))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(HsiError, match=r"a\.tif: expected a whole GeoTIFF, .* cut short"):
        open_scene(path)


def test_classification_round_trip(tmp_path):
    classes = np.array([[1, 2, 0], [2, 1, 1]], np.uint8)
    colours = np.array([[0, 0, 0], [10, 20, 30], [40, 50, 60]], np.uint8)
    names = ["Unclassified", "oak", "pine, «dry»"]
    path = tmp_path / "map.tif"
    where = {"crs": "EPSG:32616", "transform": tuple(GRID)[:6]}
    geotiff_write.write_classification(
        path, classes, class_names=names, colours=colours, georeference=where
    )
    with rasterio.open(path) as file:
        assert (file.crs, file.transform, file.nodata) == (UTM, GRID, 0)
        assert file.colormap(1)[2] == (40, 50, 60, 255)
        assert json.loads(file.tags(1)["class_names"]) == names
    # GDAL itself knows the names: it hands them on to another format.
    rasterio_shutil.copy(path, tmp_path / "map.vrt", driver="VRT")
    found = ElementTree.parse(tmp_path / "map.vrt").iter("Category")
    assert [category.text for category in found] == names
    for sidecar_is_there in (True, False):
        labels = open_labels(path)
        assert np.array_equal(labels.ground_truth, classes)
        assert labels.class_names == tuple(names[1:])
        assert np.array_equal(labels.colours, colours[1:])
        if sidecar_is_there:
            (tmp_path / "map.tif.aux.xml").unlink()


def test_category_names_of_others_are_read(tmp_path):
    classes = np.array([[1, 2], [2, 255]], np.uint8)[..., None]
    write_tif(tmp_path / "gt.tif", classes, nodata=255)
    (tmp_path / "gt.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><CategoryNames><Category>none</Category>"
        "<Category>oak</Category><Category>pine</Category></CategoryNames></PAMRasterBand>"
        "</PAMDataset>"
    )
    labels = open_labels(tmp_path / "gt.tif")
    assert labels.class_names == ("oak", "pine")
    assert labels.ground_truth.tolist() == [[1, 2], [2, 0]]  # no data is not labelled


def test_labels_of_several_bands_are_refused(tmp_path, cube):
    with pytest.raises(HsiError, match="labels: expected one band of class numbers, found 4"):
        open_labels(write_tif(tmp_path / "a.tif", cube))


def test_an_ignore_value_that_cannot_occur_is_left_out(tmp_path, cube, caplog):
    write_scene(tmp_path / "a.tif", Scene("a", cube, ignore_value=-9999.0))
    assert open_scene(tmp_path / "a.tif").ignore_value is None
    assert "no uint16 is -9999" in caplog.text


def test_gdal_adds_no_lines_of_its_own(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0\x08\0\0\0" + bytes(20))
    code = f"import sys; sys.argv = ['hsi', 'info', {str(tmp_path / 'a.tif')!r}];"
    code += "from hsi.__main__ import run; run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "a.tif: expected a whole GeoTIFF" in done.stderr


def test_without_rasterio_one_line_says_what_to_install(tmp_path, cube):
    write_tif(tmp_path / "a.tif", cube)
    code = (
        "import sys; sys.modules['rasterio'] = None; from hsi.__main__ import run;"
        f"sys.argv = ['hsi', 'info', {str(tmp_path / 'a.tif')!r}]; run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'restore-hsi[geotiff]'" in done.stderr
