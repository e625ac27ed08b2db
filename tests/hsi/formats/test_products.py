"""Products that are recognised by what their files say."""

import h5py
import numpy as np
import pytest

from hsi.errors import HsiError
from hsi.formats.registry import files
from hsi.scenes.combined.stack import stack
from hsi.scenes.scene import open_scene, write_scene

rasterio = pytest.importorskip("rasterio")

GRID = rasterio.Affine(30.0, 0.0, 5e5, 0.0, -30.0, 4e6)
SIZE = 16


def image(path, cube, grid=GRID, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    cube = cube if cube.ndim == 3 else cube[..., None]
    settings = {"driver": "GTiff", "crs": "EPSG:32616", "transform": grid} | options
    with rasterio.open(
        path, "w", height=cube.shape[0], width=cube.shape[1], count=cube.shape[2],
        dtype=cube.dtype.name, **settings,
    ) as file:  # fmt: skip
        file.write(np.moveaxis(cube, -1, 0))
    return path


def band(seed, size=SIZE):
    made = np.random.default_rng(seed).integers(1, 9999, (size, size)).astype(np.uint16)
    made[:2] = 0
    return made


DESIS = """<hsi><specific><bandCharacterisation>
<band><bandNumber>1</bandNumber><wavelengthCenterOfBand>401.9</wavelengthCenterOfBand>
<wavelengthWidthOfBand>3.5</wavelengthWidthOfBand><gainOfBand>0.0001</gainOfBand>
<offsetOfBand>0</offsetOfBand></band>
<band><bandNumber>2</bandNumber><wavelengthCenterOfBand>404.1</wavelengthCenterOfBand>
<wavelengthWidthOfBand>3.4</wavelengthWidthOfBand><gainOfBand>0.0001</gainOfBand>
<offsetOfBand>0</offsetOfBand></band>
</bandCharacterisation></specific></hsi>"""


def test_desis(tmp_path):
    cube = np.dstack([band(0), band(1)]).astype(np.int16)
    path = image(tmp_path / "DESIS-HSI-L2A-DT01-SPECTRAL_IMAGE.tif", cube, nodata=-32768)
    metadata = tmp_path / "DESIS-HSI-L2A-DT01-METADATA.xml"
    metadata.write_text(DESIS)
    scene = open_scene(path)
    assert scene.wavelengths.tolist() == [401.9, 404.1]
    assert scene.fwhm.tolist() == [3.5, 3.4]
    assert scene.scale.tolist() == [1e-4, 1e-4]
    assert scene.provenance["product"] == "DESIS"
    assert metadata in files(path)
    metadata.write_text(DESIS.replace("404.1", "blue"))
    with pytest.raises(HsiError, match=r"METADATA\.xml: expected numbers for each band"):
        open_scene(path)


LANDSAT = """GROUP = LANDSAT_METADATA_FILE
  GROUP = PRODUCT_CONTENTS
    PROCESSING_LEVEL = "L2SP"
    FILE_NAME_BAND_2 = "LC08_X_SR_B2.TIF"
    FILE_NAME_BAND_5 = "LC08_X_SR_B5.TIF"
    FILE_NAME_BAND_ST_B10 = "LC08_X_ST_B10.TIF"
  END_GROUP = PRODUCT_CONTENTS
  GROUP = IMAGE_ATTRIBUTES
    SPACECRAFT_ID = "LANDSAT_8"
  END_GROUP = IMAGE_ATTRIBUTES
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
    REFLECTANCE_MULT_BAND_2 = 2.75e-05
    REFLECTANCE_ADD_BAND_2 = -0.2
    REFLECTANCE_MULT_BAND_5 = 2.75e-05
    REFLECTANCE_ADD_BAND_5 = -0.2
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
  GROUP = LEVEL2_SURFACE_TEMPERATURE_PARAMETERS
    TEMPERATURE_MULT_BAND_ST_B10 = 0.00341802
    TEMPERATURE_ADD_BAND_ST_B10 = 149.0
  END_GROUP = LEVEL2_SURFACE_TEMPERATURE_PARAMETERS
  GROUP = LEVEL1_RADIOMETRIC_RESCALING
    REFLECTANCE_MULT_BAND_2 = 2.0000E-05
    REFLECTANCE_ADD_BAND_2 = -0.100000
  END_GROUP = LEVEL1_RADIOMETRIC_RESCALING
END_GROUP = LANDSAT_METADATA_FILE
END
"""


def test_landsat_as_one_cube(tmp_path):
    (tmp_path / "LC08_X_MTL.txt").write_text(LANDSAT)
    names = ("LC08_X_SR_B2.TIF", "LC08_X_SR_B5.TIF", "LC08_X_ST_B10.TIF")
    paths = [image(tmp_path / name, band(n), nodata=0) for n, name in enumerate(names)]
    scene = stack(paths)
    assert scene.wavelengths.tolist() == [482.04, 864.67, 10895.0]
    assert list(scene.band_names) == ["B2", "B5", "B10"]
    assert scene.scale == pytest.approx([2.75e-5, 2.75e-5, 0.00341802])
    assert scene.offset == pytest.approx([-0.2, -0.2, 149.0])
    assert scene.provenance["product"] == "LANDSAT_8 L2SP"
    assert scene.pixels_without_data() == 2 * SIZE
    expected = np.dstack([band(n) for n in range(3)])
    assert np.array_equal(scene.cube, expected)
    assert np.array_equal(scene.cube[3:5, 2:9, 1:], expected[3:5, 2:9, 1:])
    for name in ("a.tif", "a.hdr"):
        write_scene(tmp_path / name, scene)
        again = open_scene(tmp_path / name)
        assert np.array_equal(again.cube, expected)
        assert again.scale == pytest.approx(scene.scale)
        assert list(again.band_names) == ["B2", "B5", "B10"]


SENTINEL = """<n1:Level-2A_User_Product xmlns:n1="x"><n1:General_Info><Product_Info><Datatake>
<SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME></Datatake></Product_Info>
<Product_Image_Characteristics>
<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
</QUANTIFICATION_VALUES_LIST>
<BOA_ADD_OFFSET_VALUES_LIST><BOA_ADD_OFFSET band_id="1">-1000</BOA_ADD_OFFSET>
<BOA_ADD_OFFSET band_id="4">-1000</BOA_ADD_OFFSET></BOA_ADD_OFFSET_VALUES_LIST>
<Spectral_Information_List>
<Spectral_Information bandId="1" physicalBand="B2"><Wavelength><CENTRAL unit="nm">492.1</CENTRAL>
</Wavelength></Spectral_Information>
<Spectral_Information bandId="4" physicalBand="B5"><Wavelength><CENTRAL unit="nm">703.8</CENTRAL>
</Wavelength></Spectral_Information>
</Spectral_Information_List></Product_Image_Characteristics></n1:General_Info>
</n1:Level-2A_User_Product>"""


def test_sentinel_2_of_two_resolutions(tmp_path):
    safe = tmp_path / "S2B_MSIL2A_X.SAFE"
    folder = safe / "GRANULE" / "L2A" / "IMG_DATA"
    jp2 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    fine = image(
        folder / "R10m" / "T32UQD_20240101T101010_B02_10m.jp2", band(0, 32),
        rasterio.Affine(10, 0, 5e5, 0, -10, 4e6), **jp2,
    )  # fmt: skip
    coarse = image(
        folder / "R20m" / "T32UQD_20240101T101010_B05_20m.jp2", band(1, 16),
        rasterio.Affine(20, 0, 5e5, 0, -20, 4e6), **jp2,
    )  # fmt: skip
    assert open_scene(fine).provenance["product"] == "Sentinel-2, by its name"
    assert open_scene(fine).wavelengths.tolist() == [492.4]
    (safe / "MTD_MSIL2A.xml").write_text(SENTINEL)
    assert safe / "MTD_MSIL2A.xml" in files(fine)
    with pytest.raises(HsiError, match=r"expected 32 × 32 pixels .*`repeat` repeats its pixels"):
        stack([fine, coarse])
    scene = stack([fine, coarse], repeat=True)
    assert scene.wavelengths.tolist() == [492.1, 703.8]
    assert scene.scale == pytest.approx([1e-4, 1e-4])
    assert scene.offset == pytest.approx([-0.1, -0.1])
    assert list(scene.band_names) == ["B2", "B5"]
    expected = np.dstack([band(0, 32), band(1, 16).repeat(2, 0).repeat(2, 1)])
    assert np.array_equal(scene.cube, expected)
    assert np.array_equal(scene.cube[3:8, 5:10], expected[3:8, 5:10])
    assert scene.pixels_without_data() == 2 * 32


def test_files_of_other_places_or_sizes_are_refused(tmp_path):
    first = image(tmp_path / "a.tif", band(0))
    moved = image(tmp_path / "b.tif", band(1), rasterio.Affine(30, 0, 5e5 + 30, 0, -30, 4e6))
    with pytest.raises(HsiError, match="b: expected the place of a, found another"):
        stack([first, moved])
    other = image(tmp_path / "c.tif", band(1)[:7])
    with pytest.raises(HsiError, match=r"c: expected 16 × 16 pixels .* give files of one grid"):
        stack([first, other], repeat=True)
    with pytest.raises(HsiError, match="expected several files, found 1"):
        stack([first])


def test_each_file_has_its_own_value_for_no_data(tmp_path):
    left = band(0).astype(np.float32)
    left[0, 0], left[5, 5] = -1, -1
    right = band(1).astype(np.int16)
    right[7, 7] = -9
    scene = stack(
        [image(tmp_path / "a.tif", left, nodata=-1), image(tmp_path / "b.tif", right, nodata=-9)]
    )
    empty = np.zeros((SIZE, SIZE), bool)
    empty[:2] = empty[5, 5] = empty[7, 7] = True  # the first rows are zero in both
    assert np.array_equal(scene.no_data(slice(None)), empty)
    assert scene.cube.dtype == np.float32
    write_scene(tmp_path / "c.hdr", scene)
    assert np.array_equal(open_scene(tmp_path / "c.hdr").no_data(slice(None)), empty)


def test_aviris_3_has_a_place_and_widths(tmp_path):
    cube = np.dstack([band(n) for n in range(3)]).astype(np.float32)
    cube[:2] = -9999
    with h5py.File(tmp_path / "AV3_L2A_RFL_ORT.nc", "w") as file:
        file.attrs["title"] = "AVIRIS-3 L2A Orthocorrected Surface Reflectance"
        file["reflectance/reflectance"] = np.moveaxis(cube, -1, 0)
        file["reflectance/wavelength"] = np.array([400.0, 500.0, 600.0])
        file["reflectance/wavelength"].attrs["units"] = "nanometers"
        file["reflectance/fwhm"] = np.array([8.0, 8.0, 8.5])
        file["reflectance/reflectance"].attrs.update(
            {"grid_mapping": "transverse_mercator", "_FillValue": np.float32([-9999])}
        )
        file["transverse_mercator"] = np.bytes_(b"")
        file["transverse_mercator"].attrs.update(
            {"spatial_ref": rasterio.crs.CRS.from_epsg(32611).to_wkt(),
             "GeoTransform": np.array([5e5, 8.0, 0.0, 4e6, 0.0, -8.0])}
        )  # fmt: skip
    scene = open_scene(tmp_path / "AV3_L2A_RFL_ORT.nc")
    assert np.array_equal(scene.cube, cube)
    assert scene.fwhm.tolist() == [8.0, 8.0, 8.5]
    assert scene.georeference["transform"] == (8.0, 0.0, 5e5, 0.0, -8.0, 4e6)
    assert scene.provenance["title"].startswith("AVIRIS-3 L2A")
    assert scene.pixels_without_data() == 2 * SIZE
    write_scene(tmp_path / "a.tif", scene)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.crs.to_epsg() == 32611
        assert file.tags(3)["fwhm"] == "8.5"
