"""The kernels of the fused pass as ordinary pandas UDFs, for SQL and notebooks.

A tile is a binary column: the little-endian bytes of its pixels in row order. Corrections give float64 bytes (NaN where
invalid), so that a chain of UDFs rounds nowhere; the fused pass, which never ships pixels, is the way for whole scenes.

    tiles.withColumn("toa", calibrate(calibration, sun_elevation_deg=51.2, dtype="uint16", nodata=0)("dn"))
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import Column
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import BinaryType

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance
from swath.algo.smac_table import smac_sensor
from swath.engine.encode import encode_values
from swath.errors import ConfigError
from swath.inference.features import scaled
from swath.inference.loader import load_predictor
from swath.inference.manifest import Manifest
from swath.ledger.schemas import CLASSIFIED
from swath.product import PROBABILITY
from swath.scene import Angles, Reflectance, Thermal
from swath.steps.landcover import classify
from swath.steps.toa import calibration_table

TileUdf = Callable[..., Column]
_PHYSICAL = np.dtype("<f8")


def calibrate(
    calibration: Reflectance | Thermal, *, sun_elevation_deg: float, dtype: str = "uint16", nodata: int | None = 0
) -> TileUdf:
    """A UDF from a tile of DN to TOA reflectance [1] or brightness temperature [K].

    Args:
        calibration: Calibration of the band.
        sun_elevation_deg: Sun elevation at the scene's centre; unused where the reflectance is sun-normalised.
        dtype: Data type of the DN: ``uint8``, ``uint16`` or ``int16``.
        nodata: The DN without data.
    """

    def convert(dn: pd.Series) -> pd.Series:
        table = calibration_table(dtype, nodata=nodata, calibration=calibration, sun_elevation_deg=sun_elevation_deg)
        codes = np.dtype(dtype).newbyteorder("<")
        unsigned = f"<u{codes.itemsize}"
        return dn.map(lambda tile: np.take(table, np.frombuffer(tile, unsigned)).astype(_PHYSICAL).tobytes())

    return _udf(convert)


def correct(platform: str, band: str, *, angles: Angles, atmosphere: Atmosphere) -> TileUdf:
    """A UDF from a tile of TOA reflectance (float64 bytes) to surface reflectance, with scene-wide angles.

    Args:
        platform: STAC platform (``sentinel-2a``).
        band: Common name (``blue``).
        angles: Angles of the scene.
        atmosphere: Over the scene.

    Raises:
        UnsupportedSensorError: There are no coefficients for the platform.
    """
    terms = smac_terms(
        smac_sensor(platform).bands[band],
        sun_zenith_deg=90.0 - angles.sun_elevation_deg,
        view_zenith_deg=angles.view_zenith_deg,
        relative_azimuth_deg=angles.sun_azimuth_deg - angles.view_azimuth_deg,
        atmosphere=atmosphere,
    )

    def convert(toa: pd.Series) -> pd.Series:
        return toa.map(lambda tile: surface_reflectance(_pixels(tile), terms).astype(_PHYSICAL).tobytes())

    return _udf(convert)


def predict(path: str, digest: str, *, manifest: Manifest) -> TileUdf:
    """A UDF from one tile a feature (float64 bytes, in the manifest's order) to ``struct<landcover, probability>``.

    ``landcover`` holds uint8 class codes (255 nodata), ``probability`` uint8 percent (255 nodata).

    Args:
        path: Model directory that every worker sees.
        digest: Digest of the directory; any other is refused.
        manifest: Manifest of the model.

    Raises:
        ConfigError: The model looks around; tiles have no surroundings.
    """
    if manifest.margin_px:
        msg = f"model {manifest.name} looks {manifest.margin_px} pixels around, a tile has no surroundings; use a run"
        raise ConfigError(msg)
    codes = np.array([c.value for c in manifest.classes], dtype=np.uint8)

    def convert(*columns: pd.Series) -> pd.DataFrame:
        predictor = load_predictor(path, digest)
        rows: list[tuple[bytes, bytes]] = []
        for tiles in zip(*columns, strict=True):
            features = [scaled(_pixels(t), scale=manifest.scale, offset=manifest.offset) for t in tiles]
            mapped, percent = classify(features, predictor=predictor, codes=codes)
            stored, _ = encode_values(percent.astype(np.float64), PROBABILITY)
            rows.append((mapped.tobytes(), stored.tobytes()))
        return pd.DataFrame(rows, columns=CLASSIFIED.names)

    wrap: Any = pandas_udf  # its overloads know no functions of any number of columns
    made: TileUdf = wrap(convert, returnType=CLASSIFIED)
    return made


def _pixels(tile: bytes) -> NDArray[np.float64]:
    return np.frombuffer(tile, _PHYSICAL)


def _udf(convert: Callable[[pd.Series], pd.Series]) -> TileUdf:
    wrap: Any = pandas_udf
    made: TileUdf = wrap(convert, returnType=BinaryType())
    return made
