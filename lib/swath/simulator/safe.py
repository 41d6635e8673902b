"""The names and metadata files of a SAFE folder.

Structure: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), sections on Level-1C user products and
granules, as of processing baseline 05.10.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent, register_namespace

from rasterio.warp import transform

from swath.algo.solar import earth_sun_distance_au
from swath.grid import Grid
from swath.simulator.angle_grids import add_tile_angles
from swath.simulator.overpass import Geometry
from swath.simulator.sentinel2_bands import BANDS, OFFSET, QUANTIFICATION

BASELINE: Final = "05.10"
ABSOLUTE_ORBIT: Final = 47_651
RELATIVE_ORBIT: Final = 22
PRODUCT_XSD: Final = "https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd"
TILE_XSD: Final = "https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeNames:
    """How a product and its parts are called.

    Args:
        acquired: Sensing time, UTC.
        tile: Without the leading T.
    """

    acquired: datetime
    tile: str

    @property
    def processed(self) -> datetime:
        """When the product was made."""
        return (self.acquired + timedelta(hours=4)).replace(microsecond=0)

    @property
    def stamp(self) -> str:
        """Sensing time in names."""
        return f"{self.acquired:%Y%m%dT%H%M%S}"

    @property
    def made(self) -> str:
        """Processing time in names."""
        return f"{self.processed:%Y%m%dT%H%M%S}"

    @property
    def product(self) -> str:
        """Identifier of the product."""
        baseline = BASELINE.replace(".", "")
        return f"S2A_MSIL1C_{self.stamp}_N{baseline}_R{RELATIVE_ORBIT:03d}_T{self.tile}_{self.made}"

    @property
    def safe(self) -> str:
        """Name of the folder."""
        return f"{self.product}.SAFE"

    @property
    def granule(self) -> str:
        """Name of the granule's folder."""
        return f"L1C_T{self.tile}_A{ABSOLUTE_ORBIT:06d}_{self.stamp}"

    @property
    def tile_id(self) -> str:
        """Long identifier of the granule."""
        return f"S2A_OPER_MSI_L1C_TL_2APS_{self.made}_A{ABSOLUTE_ORBIT:06d}_T{self.tile}_N{BASELINE}"

    @property
    def datastrip_id(self) -> str:
        """Long identifier of the datastrip."""
        return f"S2A_OPER_MSI_L1C_DS_2APS_{self.made}_S{self.stamp}_N{BASELINE}"

    def image(self, native_id: str) -> str:
        """Path of a band's image inside the folder, as the metadata gives it: without suffix."""
        return f"GRANULE/{self.granule}/IMG_DATA/T{self.tile}_{self.stamp}_{native_id}"

    def band_path(self, native_id: str) -> Path:
        """Path of a band's file inside the folder."""
        return Path(self.image(native_id) + ".jp2")


def write_safe_metadata(folder: Path, names: SafeNames, *, grid: Grid, geometry: Geometry, cloud_percent: float) -> Path:
    """Write MTD_MSIL1C.xml, MTD_TL.xml and manifest.safe; returns the first."""
    product = folder / "MTD_MSIL1C.xml"
    _write(product, _product(names, grid=grid, cloud_percent=cloud_percent))
    tile = folder / "GRANULE" / names.granule / "MTD_TL.xml"
    _write(tile, _tile(names, grid=grid, geometry=geometry, cloud_percent=cloud_percent))
    images = [folder / names.band_path(b.native_id) for b in BANDS]
    _write(folder / "manifest.safe", _manifest(folder, [product, tile, *images]))
    return product


def _write(path: Path, root: Element) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    indent(root)
    ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


def _text(parent: Element, tag: str, text: object, **attributes: str) -> Element:
    node = SubElement(parent, tag, attributes)
    node.text = str(text)
    return node


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def _root(tag: str, xsd: str) -> Element:
    register_namespace("n1", xsd)
    return Element(f"{{{xsd}}}{tag}")


def _product(names: SafeNames, *, grid: Grid, cloud_percent: float) -> Element:
    root = _root("Level-1C_User_Product", PRODUCT_XSD)
    general = SubElement(root, f"{{{PRODUCT_XSD}}}General_Info")
    _product_info(SubElement(general, "Product_Info"), names)
    _image_characteristics(SubElement(general, "Product_Image_Characteristics"), names)
    geometric = SubElement(root, f"{{{PRODUCT_XSD}}}Geometric_Info")
    footprint = SubElement(SubElement(geometric, "Product_Footprint"), "Product_Footprint")
    _text(SubElement(footprint, "Global_Footprint"), "EXT_POS_LIST", _ring(grid))
    _text(SubElement(geometric, "Coordinate_Reference_System"), "GEO_TABLES", "EPSG", version="1")
    quality = SubElement(root, f"{{{PRODUCT_XSD}}}Quality_Indicators_Info")
    _text(quality, "Cloud_Coverage_Assessment", f"{cloud_percent:.6f}")
    return root


def _product_info(info: Element, names: SafeNames) -> None:
    sensed = _time(names.acquired)
    _text(info, "PRODUCT_START_TIME", sensed)
    _text(info, "PRODUCT_STOP_TIME", sensed)
    _text(info, "PRODUCT_URI", names.safe)
    _text(info, "PROCESSING_LEVEL", "Level-1C")
    _text(info, "PRODUCT_TYPE", "S2MSI1C")
    _text(info, "PROCESSING_BASELINE", BASELINE)
    _text(info, "PRODUCT_DOI", "https://doi.org/10.5270/S2_-742ikth")
    _text(info, "GENERATION_TIME", f"{names.processed:%Y-%m-%dT%H:%M:%S}.000000Z")
    _text(info, "PREVIEW_IMAGE_URL", "Not applicable")
    _text(info, "PREVIEW_GEO_INFO", "Not applicable")
    take = SubElement(info, "Datatake", datatakeIdentifier=f"GS2A_{names.stamp}_{ABSOLUTE_ORBIT:06d}_N{BASELINE}")
    _text(take, "SPACECRAFT_NAME", "Sentinel-2A")
    _text(take, "DATATAKE_TYPE", "INS-NOBS")
    _text(take, "DATATAKE_SENSING_START", sensed)
    _text(take, "SENSING_ORBIT_NUMBER", RELATIVE_ORBIT)
    _text(take, "SENSING_ORBIT_DIRECTION", "DESCENDING")
    options = SubElement(info, "Query_Options", completeSingleTile="true")
    _text(options, "PRODUCT_FORMAT", "SAFE_COMPACT")
    granules = SubElement(SubElement(info, "Product_Organisation"), "Granule_List")
    granule = SubElement(
        granules,
        "Granule",
        datastripIdentifier=names.datastrip_id,
        granuleIdentifier=names.tile_id,
        imageFormat="JPEG2000",
    )
    for band in BANDS:
        _text(granule, "IMAGE_FILE", names.image(band.native_id))


def _image_characteristics(info: Element, names: SafeNames) -> None:
    for text, value in (("NODATA", 0), ("SATURATED", 65535)):
        special = SubElement(info, "Special_Values")
        _text(special, "SPECIAL_VALUE_TEXT", text)
        _text(special, "SPECIAL_VALUE_INDEX", value)
    order = SubElement(info, "Image_Display_Order")
    for channel, number in (("RED", 3), ("GREEN", 2), ("BLUE", 1)):
        _text(order, f"{channel}_CHANNEL", number)
    _text(info, "QUANTIFICATION_VALUE", QUANTIFICATION, unit="none")
    offsets = SubElement(info, "Radiometric_Offset_List")
    for band in BANDS:
        _text(offsets, "RADIO_ADD_OFFSET", OFFSET, band_id=str(band.number))
    conversion = SubElement(info, "Reflectance_Conversion")
    _text(conversion, "U", f"{earth_sun_distance_au(names.acquired) ** -2:.12f}")
    irradiances = SubElement(conversion, "Solar_Irradiance_List")
    for band in BANDS:
        _text(irradiances, "SOLAR_IRRADIANCE", band.irradiance, bandId=str(band.number), unit="W/m²/µm")
    spectra = SubElement(info, "Spectral_Information_List")
    for band in BANDS:
        physical = band.native_id.replace("B0", "B")
        spectrum = SubElement(spectra, "Spectral_Information", bandId=str(band.number), physicalBand=physical)
        _text(spectrum, "RESOLUTION", band.resolution_m)
        wavelength = SubElement(spectrum, "Wavelength")
        _text(wavelength, "MIN", band.range_nm[0], unit="nm")
        _text(wavelength, "MAX", band.range_nm[1], unit="nm")
        _text(wavelength, "CENTRAL", f"{1000 * band.centre_um:.1f}", unit="nm")


def _ring(grid: Grid) -> str:
    """The grid's outline as latitude longitude pairs, closed."""
    left, bottom, right, top = grid.bounds
    x, y = [left, right, right, left, left], [top, top, bottom, bottom, top]
    longitudes, latitudes = transform(grid.crs, "EPSG:4326", x, y)[:2]
    return " ".join(f"{lat:.12f} {lon:.12f}" for lat, lon in zip(latitudes, longitudes, strict=True))


def _tile(names: SafeNames, *, grid: Grid, geometry: Geometry, cloud_percent: float) -> Element:
    root = _root("Level-1C_Tile_ID", TILE_XSD)
    general = SubElement(root, f"{{{TILE_XSD}}}General_Info")
    _text(general, "TILE_ID", names.tile_id, metadataLevel="Brief")
    _text(general, "DATASTRIP_ID", names.datastrip_id, metadataLevel="Standard")
    _text(general, "DOWNLINK_PRIORITY", "NOMINAL", metadataLevel="Standard")
    _text(general, "SENSING_TIME", _time(names.acquired), metadataLevel="Standard")
    geometric = SubElement(root, f"{{{TILE_XSD}}}Geometric_Info")
    geocoding = SubElement(geometric, "Tile_Geocoding", metadataLevel="Brief")
    _text(geocoding, "HORIZONTAL_CS_NAME", "WGS84 / UTM zone 33N")
    _text(geocoding, "HORIZONTAL_CS_CODE", grid.crs)
    for resolution in (10, 20, 60):
        size = SubElement(geocoding, "Size", resolution=str(resolution))
        _text(size, "NROWS", grid.height * 10 // resolution)
        _text(size, "NCOLS", grid.width * 10 // resolution)
    for resolution in (10, 20, 60):
        position = SubElement(geocoding, "Geoposition", resolution=str(resolution))
        _text(position, "ULX", int(grid.left))
        _text(position, "ULY", int(grid.top))
        _text(position, "XDIM", resolution)
        _text(position, "YDIM", -resolution)
    add_tile_angles(SubElement(geometric, "Tile_Angles", metadataLevel="Standard"), grid=grid, geometry=geometry)
    quality = SubElement(root, f"{{{TILE_XSD}}}Quality_Indicators_Info", metadataLevel="Standard")
    content = SubElement(quality, "Image_Content_QI")
    _text(content, "CLOUDY_PIXEL_PERCENTAGE", f"{cloud_percent:.6f}")
    return root


def _manifest(folder: Path, files: list[Path]) -> Element:
    xfdu = "urn:ccsds:schema:xfdu:1"
    register_namespace("xfdu", xfdu)
    root = Element(f"{{{xfdu}}}XFDU", version="esa/safe/sentinel-2/1.1")
    objects = SubElement(root, "dataObjectSection")
    for path in files:
        name = path.relative_to(folder).as_posix()
        item = SubElement(objects, "dataObject", ID=name.replace("/", "_").replace(".", "_"))
        stream = SubElement(item, "byteStream", mimeType="application/octet-stream", size=str(path.stat().st_size))
        SubElement(stream, "fileLocation", locatorType="URL", href=f"./{name}")
        with path.open("rb") as file:
            _text(stream, "checksum", file_digest(file, "sha3_256").hexdigest(), checksumName="SHA3-256")
    return root
