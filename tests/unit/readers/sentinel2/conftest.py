"""A small Sentinel-2 product in the real layouts."""

import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
import rasterio

NAME = "S2C_MSIL1C_20250601T101041_N0511_R022_T32TQM_20250601T120000"
GRANULE = "L1C_T32TQM_A003901_20250601T101043"
NATIVE_IDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
SPACING_M = {"B01": 60, "B09": 60, "B10": 60, "B02": 10, "B03": 10, "B04": 10, "B08": 10}
#: Ten-metre pixels a side of the crop that is delivered.
SIDE = 120
NODES = 5

OFFSETS = "".join(f'<RADIO_ADD_OFFSET band_id="{n}">{-1000 - n}</RADIO_ADD_OFFSET>' for n in range(13))
PRODUCT: Mapping[str, str] = {
    "PRODUCT_START_TIME": "2025-06-01T10:10:41.024Z",
    "PRODUCT_URI": f"{NAME}.SAFE",
    "PROCESSING_LEVEL": "Level-1C",
    "PRODUCT_TYPE": "S2MSI1C",
    "PROCESSING_BASELINE": "05.11",
    "GENERATION_TIME": "2025-06-01T12:00:00.000000Z",
    "SPACECRAFT_NAME": "Sentinel-2C",
    "DATATAKE_TYPE": "INS-NOBS",
    "SENSING_ORBIT_NUMBER": "22",
    "SENSING_ORBIT_DIRECTION": "DESCENDING",
    "QUANTIFICATION_VALUE": "10000",
    "Radiometric_Offset_List": OFFSETS,
    "Cloud_Coverage_Assessment": "12.5",
    "EXT_POS_LIST": "46.0 11.0 46.0 12.0 45.0 12.0 45.0 11.0 46.0 11.0",
}
SPECIAL = "".join(
    f"<Special_Values><SPECIAL_VALUE_TEXT>{text}</SPECIAL_VALUE_TEXT>"
    f"<SPECIAL_VALUE_INDEX>{value}</SPECIAL_VALUE_INDEX></Special_Values>"
    for text, value in (("NODATA", 0), ("SATURATED", 65535))
)


def _product_xml(edits: Mapping[str, str | None]) -> str:
    """``MTD_MSIL1C.xml``; ``edits`` replaces elements by name, None takes one out."""
    told = {name: edits.get(name, value) for name, value in PRODUCT.items()}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in told.items() if value is not None)
    level = (told["PROCESSING_LEVEL"] or "").removeprefix("Level-")
    return (
        f'<n1:Level-{level}_User_Product xmlns:n1="https://psd-15.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd">'
        f'<n1:General_Info><Datatake datatakeIdentifier="GS2C_20250601T101041_003901_N05.11"/>{inside}{SPECIAL}'
        f"</n1:General_Info></n1:Level-{level}_User_Product>"
    )


def _grid_xml(tag: str, *, zenith: float, azimuth: float, gaps: Collection[tuple[int, int]] = (), **attributes: int) -> str:
    def values(start: float, step: float) -> str:
        rows = [
            " ".join("NaN" if (r, c) in gaps else f"{start + step * (r * NODES + c):.4f}" for c in range(NODES))
            for r in range(NODES)
        ]
        listed = "".join(f"<VALUES>{row}</VALUES>" for row in rows)
        return f"<COL_STEP>5000</COL_STEP><ROW_STEP>5000</ROW_STEP><Values_List>{listed}</Values_List>"

    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{said}><Zenith>{values(zenith, 0.1)}</Zenith><Azimuth>{values(azimuth, 0.2)}</Azimuth></{tag}>"


def _tile_xml(edits: Mapping[str, str]) -> str:
    """``MTD_TL.xml``; ``edits`` replaces text in it."""
    west = {(r, c) for r in range(NODES) for c in range(3, NODES)}
    east = {(r, c) for r in range(NODES) for c in range(2)}
    views = "".join(
        _grid_xml("Viewing_Incidence_Angles_Grids", zenith=5.0, azimuth=100.0 + n, gaps=west, bandId=n, detectorId=5)
        + _grid_xml("Viewing_Incidence_Angles_Grids", zenith=6.0, azimuth=110.0 + n, gaps=east, bandId=n, detectorId=6)
        for n in range(13)
    )
    means = "".join(
        f'<Mean_Viewing_Incidence_Angle bandId="{n}"><ZENITH_ANGLE>{6 + n / 10}</ZENITH_ANGLE>'
        f"<AZIMUTH_ANGLE>{105 + n}</AZIMUTH_ANGLE></Mean_Viewing_Incidence_Angle>"
        for n in range(13)
    )
    geocoding = "".join(
        f'<Size resolution="{m}"><NROWS>{109800 // m}</NROWS><NCOLS>{109800 // m}</NCOLS></Size>'
        f'<Geoposition resolution="{m}"><ULX>600000</ULX><ULY>5100000</ULY><XDIM>{m}</XDIM><YDIM>-{m}</YDIM></Geoposition>'
        for m in (10, 20, 60)
    )
    sun = _grid_xml("Sun_Angles_Grid", zenith=27.0, azimuth=358.0)
    text = (
        '<n1:Level-1C_Tile_ID xmlns:n1="https://psd-15.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd">'
        "<n1:General_Info><TILE_ID>S2C_OPER_MSI_L1C_TL_2CPS_20250601T120000_A003901_T32TQM_N05.11</TILE_ID>"
        "<DATASTRIP_ID>S2C_OPER_MSI_L1C_DS_2CPS_20250601T120000_S20250601T101043_N05.11</DATASTRIP_ID>"
        "<SENSING_TIME>2025-06-01T10:12:13.5Z</SENSING_TIME></n1:General_Info><n1:Geometric_Info><Tile_Geocoding>"
        f"<HORIZONTAL_CS_CODE>EPSG:32632</HORIZONTAL_CS_CODE>{geocoding}</Tile_Geocoding>"
        f"<Tile_Angles>{sun}<Mean_Sun_Angle><ZENITH_ANGLE>28.2</ZENITH_ANGLE><AZIMUTH_ANGLE>0.4</AZIMUTH_ANGLE>"
        f"</Mean_Sun_Angle>{views}<Mean_Viewing_Incidence_Angle_List>{means}</Mean_Viewing_Incidence_Angle_List>"
        "</Tile_Angles></n1:Geometric_Info><n1:Quality_Indicators_Info><Image_Content_QI>"
        "<CLOUDY_PIXEL_PERCENTAGE>12.25</CLOUDY_PIXEL_PERCENTAGE>"
        "<DEGRADED_MSI_DATA_PERCENTAGE>0.5</DEGRADED_MSI_DATA_PERCENTAGE></Image_Content_QI></n1:Quality_Indicators_Info>"
        "</n1:Level-1C_Tile_ID>"
    )
    for old, new in edits.items():
        assert old in text, f"{old!r} is not in the granule's metadata"
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="session")
def product_xml() -> Callable[..., str]:
    """``product_xml(edits)``: ``MTD_MSIL1C.xml`` as text."""
    return _product_xml


@pytest.fixture(scope="session")
def tile_xml() -> Callable[..., str]:
    """``tile_xml(edits)``: ``MTD_TL.xml`` as text."""
    return _tile_xml


@pytest.fixture
def write_band(write_raster: Any) -> Callable[..., Path]:
    """``write_band(path, native_id, **profile)``: a JPEG 2000 as a crop of the tile's corner."""

    def write(path: Path, native_id: str, **profile: Any) -> Path:
        spacing = SPACING_M.get(native_id, 20)
        side = SIDE * 10 // spacing
        full = {
            "driver": "JP2OpenJPEG",
            "width": side,
            "height": side,
            "crs": "EPSG:32632",
            "transform": rasterio.Affine(spacing, 0.0, 600000.0, 0.0, -spacing, 5100000.0),
            "compress": None,
            "QUALITY": 100,
            "REVERSIBLE": "YES",
            **profile,
        }
        written: Path = write_raster(path, **full)
        return written

    return write


@pytest.fixture
def write_safe(tmp_path: Path, write_band: Callable[..., Path]) -> Callable[..., Path]:
    """``write_safe(product=, tile=, without=, rasters=)``: a SAFE folder of baseline 05.11."""

    def write(
        *,
        product: Mapping[str, str | None] | None = None,
        tile: Mapping[str, str] | None = None,
        without: Collection[str] = (),
        rasters: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Path:
        safe = tmp_path / f"{NAME}.SAFE"
        images = safe / "GRANULE" / GRANULE / "IMG_DATA"
        images.mkdir(parents=True)
        (safe / "MTD_MSIL1C.xml").write_text(_product_xml(product or {}), encoding="utf-8")
        (images.parent / "MTD_TL.xml").write_text(_tile_xml(tile or {}), encoding="utf-8")
        for native_id in NATIVE_IDS:
            if native_id not in without:
                name = f"T32TQM_20250601T101041_{native_id}.jp2"
                write_band(images / name, native_id, **(rasters or {}).get(native_id, {}))
        return safe

    return write


@pytest.fixture
def zip_folder() -> Callable[[Path], Path]:
    """Zip a folder with its own name at the top, as products are delivered."""

    def pack(folder: Path) -> Path:
        archive = folder.with_suffix(".zip")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            for path in sorted(folder.rglob("*")):
                target.write(path, path.relative_to(folder.parent).as_posix())
        return archive

    return pack
