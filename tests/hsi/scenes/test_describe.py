import numpy as np

from hsi.scenes.describe import describe
from hsi.scenes.scene import Scene, open_scene, write_scene


def test_all_that_is_known_is_told(tmp_path, scene):
    bad = np.isin(np.arange(16), (3, 4, 5, 9))
    where = {"map info": ["UTM", "1", "1", "5e5", "4e6", "20", "20", "16", "North"]}
    known = Scene(
        "s", scene.cube, scene.wavelengths, bad, where,
        ignore_value=0.0, scale=np.full(16, 1e-4), offset=np.arange(16.0),
    )  # fmt: skip
    write_scene(tmp_path / "s.hdr", known)
    told = describe(open_scene(tmp_path / "s.hdr"))
    assert told["size"] == "30 rows × 27 columns × 16 bands"
    assert told["type"] == "uint16, 0.0 MiB"
    assert told["format"] == "ENVI bip"
    assert told["wavelengths"] == "400 to 2400 nm"
    assert told["wavelength units"] == "Nanometers in the file"
    assert told["bad bands"] == "4 (4–6, 10, counted from 1)"
    assert told["no data"] == "0"
    assert told["scale"] == "0.0001, not applied"
    assert told["offset"] == "0 to 15, not applied"
    assert told["map info"] == "UTM, 1, 1, 5e5, 4e6, 20, 20, 16, North"


def test_a_coordinate_system_is_named():
    wkt = 'PROJCS["WGS 84 / UTM zone 16N",GEOGCS["WGS 84",AUTHORITY["EPSG","4326"]],'
    wkt += 'UNIT["metre",1],AUTHORITY["EPSG","32616"]]'
    where = {"crs": wkt, "transform": (20.0, 0.0, 5e5, 0.0, -20.0, 4e6)}
    told = describe(Scene("s", np.ones((2, 2, 3)), georeference=where))
    assert told["crs"] == "WGS 84 / UTM zone 16N (EPSG:32616)"
    assert told["transform"] == "20, 0, 500000, 0, -20, 4000000"
    assert "georeference" not in told


def test_what_is_not_known_is_told_too():
    told = describe(Scene("s", np.ones((2, 2, 3))))
    assert told["wavelengths"] == "not stated"
    assert told["bad bands"] == "no list"
    assert told["no data"] == "no value stated"
    assert told["georeference"] == "none"
