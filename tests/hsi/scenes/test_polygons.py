"""Polygons become the pixels that GDAL burns; what is wrong with them is told in one line."""

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.grid import Grid
from hsi.scenes.labels import open_labels, write_labels
from hsi.scenes.polygons import Drawing

rasterio = pytest.importorskip("rasterio", reason="the extra geo is not installed")
pyogrio = pytest.importorskip("pyogrio", reason="the extra geo is not installed")
shapely = pytest.importorskip("shapely", reason="the extra geo is not installed")

UTM = "EPSG:32616"
TRANSFORM = (20.0, 0.0, 500000.0, 0.0, -20.0, 4480000.0)
GRID = Grid("scene", (120, 90), {"crs": UTM, "transform": TRANSFORM})
DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile", ".fgb": "FlatGeobuf"}


def write(path, shapes, columns, crs=UTM, **more):
    """Write shapes with columns of values."""
    texts = {key: any(isinstance(value, str) for value in found) for key, found in columns.items()}
    arrays = [np.array(columns[key], object if texts[key] else None) for key in columns]
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array(shapes, object)), arrays, list(columns),
        driver=DRIVERS[Path(path).suffix], geometry_type=more.pop("kind", "Unknown"),
        crs=crs, **more,
    )  # fmt: skip
    return str(path)


def squares(count=4, size=300.0):
    """Squares along the diagonal of the scene."""
    starts = 103 + np.arange(count) * (1500 / count)
    return [
        shapely.box(500000 + s, 4480000 - s - size, 500000 + s + size, 4480000 - s) for s in starts
    ]


def blobs(rng, count):
    """Random polygons with holes and bays, all over the scene and beyond its edges."""
    found = []
    for _ in range(count):
        centre = np.array([500000, 4480000]) + rng.uniform(-200, 2600, 2) * [1, -1]
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 12)))
        ring = centre + rng.uniform(20, 400) * (0.3 + 0.7 * rng.random((len(angle), 1))) * np.stack(
            [np.cos(angle), np.sin(angle)], axis=1
        )
        found.append(shapely.make_valid(shapely.Polygon(ring)))
    return [shape for shape in found if shapely.get_type_id(shape) in (3, 6)]


@pytest.mark.parametrize("all_touched", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_pixels_are_those_of_gdal(tmp_path, seed, all_touched):
    rng = np.random.default_rng(seed)
    shapes = blobs(rng, 60)
    classes = rng.integers(1, 6, len(shapes))
    source = write(tmp_path / "a.gpkg", shapes, {"class": classes})
    labels = open_labels(source, scene=GRID, drawing=Drawing(all_touched=all_touched))
    expected = rasterio.features.rasterize(
        list(zip(shapes, classes.tolist(), strict=True)), out_shape=GRID.shape,
        transform=rasterio.Affine(*TRANSFORM), all_touched=all_touched, dtype="int32",
    )  # fmt: skip
    assert np.array_equal(labels.ground_truth, expected)
    drawn = labels.polygons > 0
    assert np.array_equal(classes[labels.polygons[drawn] - 1], expected[drawn])


@pytest.mark.parametrize("suffix", DRIVERS)
def test_every_format_gives_the_same_labels(tmp_path, suffix):
    plain = open_labels(write(tmp_path / "a.gpkg", squares(), {"class": [1, 2, 1, 3]}), scene=GRID)
    shapes = squares()
    crs = UTM
    if suffix == ".geojson":  # whose coordinates are longitudes and latitudes
        from rasterio.warp import transform

        shapes = shapely.transform(
            np.array(shapes), lambda p: np.stack(transform(UTM, "EPSG:4326", *p.T), axis=1)
        )
        crs = "EPSG:4326"
    source = write(tmp_path / f"b{suffix}", shapes, {"class": [1, 2, 1, 3]}, crs, kind="Polygon")
    found = open_labels(source, scene=GRID)
    assert np.array_equal(found.ground_truth, plain.ground_truth)
    assert found.polygons.max() == 4


def test_texts_are_classes_in_their_own_or_the_listed_order(tmp_path):
    source = write(tmp_path / "a.gpkg", squares(), {"crop": ["wheat", "corn", "wheat", "oats"]})
    labels = open_labels(source, scene=GRID)
    assert labels.class_names == ("corn", "oats", "wheat")
    listed = open_labels(
        source, scene=GRID, drawing=Drawing(class_names=["wheat", "rye", "corn", "oats"])
    )
    assert dict(zip(listed.classes.tolist(), listed.class_names, strict=True)) == {
        1: "wheat", 3: "corn", 4: "oats",
    }  # fmt: skip
    with pytest.raises(HsiError, match="found none for oats"):
        open_labels(source, scene=GRID, drawing=Drawing(class_names=["wheat", "corn"]))


def test_points_are_pixels_or_discs(tmp_path):
    points = [shapely.Point(500510, 4479490), shapely.Point(501010, 4478990)]
    source = write(tmp_path / "a.gpkg", points, {"class": [1, 2]})
    labels = open_labels(source, scene=GRID)
    assert np.argwhere(labels.ground_truth).tolist() == [[25, 25], [50, 50]]
    discs = open_labels(source, scene=GRID, drawing=Drawing(radius=50.0))
    assert discs.count().tolist() == [21, 21]  # centres within 2.5 pixels of that of the middle


def test_labels_are_written_and_read_again(tmp_path):
    source = write(tmp_path / "a.gpkg", squares(), {"crop": ["wheat", "corn", "wheat", "oats"]})
    labels = open_labels(source, scene=GRID)
    for suffix in (".tif", ".hdr"):
        write_labels(tmp_path / f"raster{suffix}", labels)
        again = open_labels(tmp_path / f"raster{suffix}")
        assert np.array_equal(again.ground_truth, labels.ground_truth)
        assert again.class_names == labels.class_names
        assert again.georeference is not None


def test_a_layer_is_named_where_there_are_several(tmp_path):
    path = tmp_path / "a.gpkg"
    write(path, squares(), {"class": [1, 2, 1, 2]}, layer="one")
    write(path, squares(2), {"class": [3, 2]}, layer="two", append=True)
    with pytest.raises(HsiError, match="expected one layer, found one, two; name one as"):
        open_labels(path, scene=GRID)
    assert open_labels(f"{path}:two", scene=GRID).classes.tolist() == [2, 3]
    with pytest.raises(HsiError, match="no layer 'three'; the file holds one, two"):
        open_labels(f"{path}:three", scene=GRID)


def lines(path):
    return write(path, [shapely.LineString([(500100, 4479000), (500400, 4479000)])], {"class": [1]})


BAD = {
    "no CRS": (
        lambda p: write(p, squares(), {"class": [1, 2, 1, 2]}, crs=None),
        "expected a coordinate system, found none; state it with `crs`",
    ),
    "another hemisphere": (
        lambda p: write(p, squares(), {"class": [1, 2, 1, 2]}, crs="EPSG:32716"),
        "expected polygons inside scene .* found all 4 outside of it",
    ),
    "no polygons": (lambda p: write(p, [], {"class": np.array([], int)}), "found none; draw some"),
    "field": (
        lambda p: write(p, squares(), {"crop": [1, 2, 1, 2], "farm": [1, 1, 1, 1]}),
        "expected to know which field is the class, found crop, farm; name it with `class_field`",
    ),
    "zero class": (
        lambda p: write(p, squares(), {"class": [-1, 2, 1, 2]}),
        "field class: expected class numbers from 1 to 1048576, found -1",
    ),
    "share": (lambda p: write(p, squares(), {"class": [1.5, 2, 1, 2]}), "found 1.5"),
    "lines": (lines, "expected polygons or points, found linestring"),
    "one class": (lambda p: write(p, squares(), {"class": [1] * 4}), "at least two classes"),
}


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("case", BAD)
def test_bad_polygons_get_one_line(tmp_path, case):
    make, message = BAD[case]
    source = make(tmp_path / "bad.gpkg")
    with pytest.raises(HsiError, match=message) as error:
        open_labels(source, scene=GRID)
    assert "\n" not in str(error.value)


def test_what_is_not_there_is_listed(tmp_path):
    source = write(tmp_path / "a.gpkg", squares(), {"crop": [1, 2, 1, 2], "farm": [1, 1, 1, 1]})
    with pytest.raises(HsiError, match="`class_field` crops: no such field; the file has crop, f"):
        open_labels(source, scene=GRID, drawing=Drawing(class_field="crops"))
    with pytest.raises(HsiError, match="give `scene`"):
        open_labels(source)
    with pytest.raises(HsiError, match="expected a coordinate system, which polygons need"):
        open_labels(source, scene=Grid("bare", (9, 9), None), drawing=Drawing("crop"))
    with pytest.raises(HsiError, match="`radius` 0: expected a length above 0"):
        Drawing(radius=0)
    (tmp_path / "torn.gpkg").write_bytes((tmp_path / "a.gpkg").read_bytes()[:5000])
    with pytest.raises(HsiError, match="expected a whole file of polygons"):
        open_labels(tmp_path / "torn.gpkg", scene=GRID)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_stated_system_stands_in_for_a_missing_one(tmp_path):
    source = write(tmp_path / "a.gpkg", squares(), {"class": [1, 2, 1, 2]}, crs=None)
    known = write(tmp_path / "b.gpkg", squares(), {"class": [1, 2, 1, 2]})
    found = open_labels(source, scene=GRID, drawing=Drawing(crs=UTM))
    assert np.array_equal(found.ground_truth, open_labels(known, scene=GRID).ground_truth)


def test_overlaps_strangers_and_crossings_are_named(tmp_path, caplog):
    bow = shapely.Polygon(
        [(500100, 4478000), (500500, 4478400), (500500, 4478000), (500100, 4478400)]
    )
    shapes = [
        *squares(), shapely.box(500120, 4479600, 500300, 4479880), bow,
        shapely.box(0, 0, 100, 100), None, shapely.box(500901, 4479001, 500903, 4479003),
    ]  # fmt: skip
    source = write(tmp_path / "a.gpkg", shapes, {"class": [1, 2, 1, 2, 2, 1, 1, 1, 1]})
    with caplog.at_level(logging.WARNING):
        labels = open_labels(source, scene=GRID)
    assert labels.ground_truth[10, 10] == 2  # the later one counts
    said = caplog.text
    assert "in polygons of several classes; the later in the file counts: 1 and 5" in said
    assert "1 polygons cross themselves" in said
    assert "Self-intersection" in said
    assert "1 of 8 polygons lie outside scene and are left out: 7" in said
    assert "1 features are empty and are left out: 8" in said
    assert "in no pixel" in said


def test_fifty_thousand_polygons_take_seconds(tmp_path):
    rows, columns = np.divmod(np.arange(50000), 250)
    x, y = 500000 + columns * 40.0, 4480000 - rows * 40.0
    shapes = shapely.box(x + 2, y - 38, x + 38, y - 2)
    source = write(tmp_path / "a.gpkg", shapes, {"class": 1 + np.arange(50000) % 9}, kind="Polygon")
    grid = Grid("scene", (400, 500), {"crs": "EPSG:32617", "transform": TRANSFORM})
    moved = Grid("scene", (400, 500), {"crs": UTM, "transform": TRANSFORM})
    start = time.process_time()
    labels = open_labels(source, scene=moved)
    assert time.process_time() - start < 20
    assert labels.polygons.max() == 50000
    with pytest.raises(HsiError, match="outside"):
        open_labels(source, scene=grid)


@pytest.mark.parametrize("given", ["32616", "EPSG:99999", "somewhere"])
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_stated_system_that_is_none_is_named(tmp_path, capfd, given):
    source = write(tmp_path / "a.gpkg", squares(), {"class": [1, 2, 1, 2]}, crs=None)
    expected = f"`crs`: expected a coordinate system, such as EPSG:32616, found '{given}'"
    with pytest.raises(HsiError, match=expected):
        open_labels(source, scene=GRID, drawing=Drawing(crs=given))
    assert capfd.readouterr().err == ""


def test_a_given_system_beside_the_files_own_is_not_silently_left_out(tmp_path, caplog):
    source = write(tmp_path / "a.gpkg", squares(), {"class": [1, 2, 1, 2]})
    found = open_labels(source, scene=GRID, drawing=Drawing(crs="EPSG:32617"))
    assert np.array_equal(found.ground_truth, open_labels(source, scene=GRID).ground_truth)
    assert "its own coordinate system counts, not the given one" in caplog.text


def test_metres_in_a_file_of_degrees_are_one_line(tmp_path):
    """GeoJSON states no system, and so its coordinates are degrees."""
    source = write(tmp_path / "a.gpkg", squares(), {"class": [1, 2, 1, 2]}, crs="EPSG:4326")
    with pytest.raises(HsiError, match="its coordinates cannot be brought to those of the scene"):
        open_labels(source, scene=GRID)


@pytest.mark.parametrize("values", [["2", "10", "2", "9"], [2, 10, 2, 9]])
def test_numbers_in_a_field_of_texts_are_those_numbers(tmp_path, values):
    """Sorted as texts, "10" would be class 1."""
    source = write(tmp_path / "a.gpkg", squares(), {"class": np.array(values, object)})
    assert open_labels(source, scene=GRID).classes.tolist() == [2, 9, 10]
    names = [f"crop {number}" for number in range(1, 11)]
    found = open_labels(source, scene=GRID, drawing=Drawing(class_names=names))
    assert found.class_names == ("crop 2", "crop 9", "crop 10")


def test_texts_that_the_names_list_keep_their_order(tmp_path):
    source = write(tmp_path / "a.gpkg", squares(), {"class": np.array(["2", "10", "2", "9"], "O")})
    found = open_labels(source, scene=GRID, drawing=Drawing(class_names=["10", "9", "2"]))
    assert found.class_names == ("10", "9", "2")
