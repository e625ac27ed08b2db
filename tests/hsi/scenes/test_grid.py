"""A raster of as many pixels as a scene is of the same place, or it is refused."""

from dataclasses import replace

import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.scenes.grid import Grid

pytest.importorskip("rasterio")

UTM33 = {"crs": "EPSG:32633", "transform": (10.0, 0.0, 600000.0, 0.0, -10.0, 4500000.0)}
ENVI = {
    "map info": ["UTM", "1", "1", "600000", "4500000", "10", "10", "33", "North", "WGS-84"],
}


def moved(east=0.0, south=0.0, crs="EPSG:32633", size=10.0):
    return {"crs": crs, "transform": (size, 0.0, 6e5 + east, 0.0, -size, 4.5e6 - south)}


@pytest.mark.parametrize(
    "other",
    [
        None,
        {},
        UTM33,
        ENVI,
        moved(east=5.0),  # the corner of one is the centre of the other
        moved(crs="EPSG:25833"),  # ETRS89, within a metre
        {"transform": (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)},  # no coordinate system, so no place
        {"crs": "EPSG:4326"},
        {"crs": "no text of a coordinate system", "transform": UTM33["transform"]},
    ],
)
def test_what_may_be_the_same_place_passes(other):
    Grid("scene land", (60, 84), UTM33).expect_here("labels gt", other)
    Grid("scene land", (60, 84), ENVI).expect_here("labels gt", other)


@pytest.mark.parametrize(
    ("other", "distance"),
    [
        (moved(east=50.0), "5.0 pixels"),
        (moved(south=6.0), "0.6 pixels"),
        (moved(crs="EPSG:32634"), r"\d{4,}\.\d pixels"),
        (moved(size=20.0), "84.0 pixels"),
        ({"crs": "EPSG:32633", "transform": (10, 0, 6e5, 0, 10, 4.4994e6)}, "60.0 pixels"),
        ({"crs": "EPSG:4326", "transform": (1e4, 0, 6e5, 0, -1e4, 4.5e6)}, "out of reach"),
    ],
)
def test_another_place_is_refused(other, distance):
    expected = f"labels gt: expected the place of scene land, found a corner {distance} away"
    for stated in (UTM33, ENVI):
        with pytest.raises(HsiError, match=f"{expected} .*gdalwarp"):
            Grid("scene land", (60, 84), stated).expect_here("labels gt", other)


def test_labels_of_another_place_do_not_fit_a_scene(scene, labels):
    placed = replace(scene, georeference=UTM33)
    replace(labels, georeference=UTM33).check_fits(placed)
    with pytest.raises(HsiError, match=r"expected the place of scene .* 2\.0 pixels away"):
        replace(labels, georeference=moved(east=20.0)).check_fits(placed)


def test_masks_of_another_place_are_refused(tmp_path, labels):
    from hsi.formats.geotiff.write import write_classification
    from hsi.splits.masks import read_side

    sides = np.asarray(labels.ground_truth, np.uint8)
    write_classification(
        tmp_path / "mask.tif", sides, georeference=moved(south=30.0),
        class_names=["", *labels.class_names], colours=np.zeros((len(labels.classes) + 1, 3), "u1"),
    )  # fmt: skip
    read_side(str(tmp_path / "mask.tif"), labels)
    with pytest.raises(HsiError, match=r"mask.tif: expected the place of the labels .* 3.0 pixels"):
        read_side(str(tmp_path / "mask.tif"), replace(labels, georeference=UTM33))


def mercator(rows):
    place = {"crs": "EPSG:3857", "transform": (30.0, 0.0, 1.6e6, 0.0, -30.0, 8.4e6)}
    return Grid("map", (rows, 40), place)


@pytest.mark.parametrize(
    ("crs", "transform", "hectares"),
    [
        ("EPSG:32633", UTM33["transform"], 0.01),
        ("EPSG:32633", (30.0, 0.0, 170000.0, 0.0, -30.0, 10.0), 0.09),  # the edge of the zone
        ("EPSG:3035", (10.0, 0.0, 4e6, 0.0, -10.0, 3e6), 0.01),
        ("EPSG:2263", (10.0, 0.0, 1e6, 0.0, -10.0, 2e5), 0.000929034),  # feet
        ("EPSG:32633", (6.0, 8.0, 6e5, 8.0, -6.0, 4.5e6), 0.01),  # turned
    ],
)
def test_areas_are_those_of_a_projection_that_keeps_them(crs, transform, hectares, caplog):
    grid = Grid("map", (60, 84), {"crs": crs, "transform": transform})
    assert grid.hectares_per_pixel() == pytest.approx(hectares, rel=1e-5)
    assert caplog.text == ""


def test_areas_are_true_where_the_projection_distorts_them(caplog):
    # A quarter by latitude (60 degrees), more by the flattening: 40 x 40 pixels of EPSG:6933.
    assert mercator(40).hectares_per_pixel() == pytest.approx(0.0225776, rel=1e-4)
    assert "pixels of 900 m² by it truly cover 225.8 m²" in caplog.text


def test_areas_that_vary_within_the_scene_are_not_given(caplog):
    assert mercator(4000).hectares_per_pixel() is None
    assert "cover 225.7 to 233.2 m²; areas in pixels; warp the map" in caplog.text


def test_a_place_that_is_nowhere_has_no_area(caplog):
    place = {"crs": "EPSG:3857", "transform": (30.0, 0.0, 1.6e6, 0.0, -30.0, 1e12)}
    assert Grid("map", (40, 40), place).hectares_per_pixel() is None
    assert "no known place on the Earth" in caplog.text
