"""Deliveries of raw images: DIMAP in tiles, Maxar in one file; their reflectance is that of the published formulas."""

from collections.abc import Callable
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.unit.algo.test_rpc import simple
from tests.unit.readers.test_rpc_model import dimap_of, rpb_of

from swath.algo.raw_image import model_of
from swath.algo.rpc import Rpc
from swath.algo.solar import earth_sun_distance_au
from swath.errors import GeometryError, MetadataError, ReadError
from swath.grid import Window
from swath.readers.discover import discover
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Reflectance, Scene, Uncalibrated

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
HEIGHT, WIDTH = 70, 90
#: Where the tiles of the DIMAP delivery begin.
ROWS, COLUMNS = (0, 40), (0, 50)
Write = Callable[..., Path]


def model() -> Rpc:
    return simple(line_off=34.5, line_scale=35.0, samp_off=44.5, samp_scale=45.0)


def pixels() -> np.ndarray[Any, Any]:
    return (np.arange(2 * HEIGHT * WIDTH).reshape(2, HEIGHT, WIDTH) % 4000 + 1).astype(np.uint16)


def raster(path: Path, values: np.ndarray[Any, Any]) -> None:
    count, height, width = values.shape
    with rasterio.open(path, "w", driver="GTiff", count=count, height=height, width=width, dtype="uint16") as target:
        target.write(values)


def dim(**changes: str) -> str:
    told = {"time": "10:31:02.5Z", "level": "SENSOR", "processing": "BASIC", "sun": "55.25"} | changes
    bands = "".join(
        f"<Band_Radiance><BAND_ID>{b}</BAND_ID><GAIN>{g}</GAIN><BIAS>{o}</BIAS></Band_Radiance>"
        f"<Band_Solar_Irradiance><BAND_ID>{b}</BAND_ID><VALUE>{e}</VALUE></Band_Solar_Irradiance>"
        for b, g, o, e in (("B2", "9.5", "0.5", "1540"), ("B1", "9.2", "0", "1830"))
    )
    files = "".join(
        f'<Data_File tile_R="{r}" tile_C="{c}"><DATA_FILE_PATH href="IMG_R{r}C{c}.TIF"/></Data_File>'
        for r in (1, 2)
        for c in (1, 2)
    )
    index = "".join(
        f"<Raster_Index><BAND_ID>{b}</BAND_ID><BAND_INDEX>{i}</BAND_INDEX></Raster_Index>"
        for i, b in enumerate(("B1", "B2"), start=1)
    )
    places = "".join(
        f"<Located_Geometric_Values><LOCATION_TYPE>{where}</LOCATION_TYPE><Acquisition_Angles><INCIDENCE_ANGLE>{view}"
        f"</INCIDENCE_ANGLE><AZIMUTH_ANGLE>190</AZIMUTH_ANGLE></Acquisition_Angles><Solar_Incidences><SUN_AZIMUTH>151.5</SUN_AZIMUTH>"
        f"<SUN_ELEVATION>{told['sun']}</SUN_ELEVATION></Solar_Incidences></Located_Geometric_Values>"
        for where, view in (("Top Center", "11"), ("Center", "12.5"))
    )
    return (
        f"<Dimap_Document><Dataset_Identification><DATASET_NAME>DS_PHR1A_X</DATASET_NAME></Dataset_Identification>"
        f"<Source><MISSION>PHR</MISSION><MISSION_INDEX>1A</MISSION_INDEX><IMAGING_DATE>2022-06-01</IMAGING_DATE>"
        f"<IMAGING_TIME>{told['time']}</IMAGING_TIME></Source><PROCESSING_LEVEL>{told['level']}</PROCESSING_LEVEL>"
        f"<RADIOMETRIC_PROCESSING>{told['processing']}</RADIOMETRIC_PROCESSING>{index}{bands}{files}{places}"
        "<Special_Value><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_COUNT>0</SPECIAL_VALUE_COUNT></Special_Value>"
        "</Dimap_Document>"
    )


@pytest.fixture
def pleiades(tmp_path: Path) -> Write:
    def write(**changes: str) -> Path:
        home = tmp_path / "IMG_PHR1A_MS_001"
        home.mkdir()
        (home / "DIM_PHR1A_X.XML").write_text(dim(**changes), encoding="utf-8")
        (home / "RPC_PHR1A_X.XML").write_text(dimap_of(model(), profile="PHR_SENSOR", origin=1.0), encoding="utf-8")
        rows, columns = (*ROWS, HEIGHT), (*COLUMNS, WIDTH)
        for r in (1, 2):
            for c in (1, 2):
                part = pixels()[:, rows[r - 1] : rows[r], columns[c - 1] : columns[c]]
                raster(home / f"IMG_R{r}C{c}.TIF", part)
        return home

    return write


@pytest.fixture
def worldview(tmp_path: Path) -> Write:
    def write(satellite: str = "WV02") -> Path:
        home = tmp_path / "WV_P001_PAN"
        home.mkdir()
        (home / "A_P001.IMD").write_text(
            f'version = "28.3";\nBEGIN_GROUP = BAND_P\n\tabsCalFactor = 5.678345e-02;\n\teffectiveBandwidth = 2.846000e-01;\n'
            f'END_GROUP = BAND_P\nBEGIN_GROUP = IMAGE_1\n\tsatId = "{satellite}";\n'
            "\tfirstLineTime = 2012-08-20T08:01:02.345678Z;\n"
            "\tmeanSunAz = 145.1;\n\tmeanSunEl = 60.2;\n\tmeanSatAz = 20.5;\n\tmeanSatEl = 75.5;\nEND_GROUP = IMAGE_1\nEND;\n",
            encoding="utf-8",
        )
        (home / "A_P001.RPB").write_text(rpb_of(model()), encoding="utf-8")
        raster(home / "A_P001.TIF", pixels()[:1])
        return home

    return write


def read_band(scene: Scene, band: str, window: Window) -> Any:
    with BandReader() as reader:
        return reader.read(scene, band, window)


def test_a_dimap_in_tiles_is_one_image(pleiades: Write) -> None:
    home = pleiades()
    assert list(discover([str(home.parent)])) == [str(home)]
    scene = Scene.from_json(read_scene(str(home)).to_json())
    assert (scene.scene_id, scene.platform, scene.instrument) == ("DS_PHR1A_X", "pleiades-1a", "hiri")
    assert scene.acquired.isoformat() == "2022-06-01T10:31:02.500000+00:00"
    assert (scene.angles.sun_elevation_deg, scene.angles.view_zenith_deg) == (55.25, 12.5)
    red = scene.assets["red"]
    assert (red.grid.height, red.grid.width, red.band_index) == (HEIGHT, WIDTH, 2)
    assert model_of(red.grid.crs).rpc.scalars == pytest.approx(model().scalars, abs=1e-9)
    for window in (Window(0, 0, HEIGHT, WIDTH), Window(35, 45, 10, 10), Window(41, 0, 3, 4)):
        expected = pixels()[1][Window(0, 0, HEIGHT, WIDTH).slices_of(window)]
        np.testing.assert_array_equal(read_band(scene, "red", window).values, expected)


def test_gain_and_bias_of_a_dimap_become_reflectance(pleiades: Write) -> None:
    scene = read_scene(str(pleiades()))
    red = scene.assets["red"].calibration
    assert isinstance(red, Reflectance)
    share = pi * earth_sun_distance_au(scene.acquired) ** 2 / 1540.0
    assert red.gain == pytest.approx(share / 9.5)
    assert red.offset == pytest.approx(share * 0.5)
    assert not red.sun_normalised


def test_counts_that_were_stretched_have_no_calibration(pleiades: Write) -> None:
    assert isinstance(read_scene(str(pleiades(processing="DISPLAY"))).assets["red"].calibration, Uncalibrated)


def test_the_factors_of_an_imd_become_reflectance(worldview: Write) -> None:
    scene = read_scene(str(worldview()))
    pan = scene.assets["pan"].calibration
    assert isinstance(pan, Reflectance)
    share = pi * earth_sun_distance_au(scene.acquired) ** 2 / 1571.36
    assert pan.gain == pytest.approx(share * 5.678345e-2 / 0.2846)
    assert (scene.platform, scene.angles.view_zenith_deg) == ("worldview-2", 14.5)
    np.testing.assert_array_equal(read_band(scene, "pan", Window(0, 0, 5, 6)).values, pixels()[0, :5, :6])


def test_a_satellite_without_a_known_irradiance_gives_counts(worldview: Write) -> None:
    assert isinstance(read_scene(str(worldview("WV09"))).assets["pan"].calibration, Uncalibrated)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"level": "ORTHO"}, "the image is on a map already"),
        ({"time": "noon"}, "the acquisition time cannot be read"),
        ({"sun": ""}, "the sun's angles are missing"),
    ],
)
def test_what_a_dimap_lacks_is_named(pleiades: Write, changes: dict[str, str], told: str) -> None:
    with pytest.raises(MetadataError, match=told):
        read_scene(str(pleiades(**changes)))


def test_tiles_that_are_missing_or_do_not_fit_are_refused(pleiades: Write) -> None:
    home = pleiades()
    raster(home / "IMG_R2C2.TIF", pixels()[:, 40:, 51:])
    with pytest.raises(GeometryError, match="the tiles of the image do not fit together: expected 30 x 40 pixels"):
        read_scene(str(home))
    (home / "IMG_R2C2.TIF").unlink()
    with pytest.raises(MetadataError, match=r"a file of the image is missing: expected IMG_R2C2\.TIF"):
        read_scene(str(home))


def test_lines_and_samples_that_are_swapped_are_refused(worldview: Write) -> None:
    home = worldview()
    swapped = simple(line_off=44.5, line_scale=45.0, samp_off=34.5, samp_scale=35.0)
    (home / "A_P001.RPB").write_text(rpb_of(swapped), encoding="utf-8")
    with pytest.raises(MetadataError, match="its lines and samples are swapped"):
        read_scene(str(home))


def test_an_image_with_fewer_bands_than_its_metadata_says_is_refused(pleiades: Write) -> None:
    home = pleiades()
    for path in home.glob("IMG_*.TIF"):
        with rasterio.open(path) as source:
            values = source.read([1])
        raster(path, values)
    with pytest.raises(ReadError, match="the image has fewer bands than its metadata says: expected 2 bands; got 1 in"):
        read_scene(str(home))
