"""What a simulated scene leaves on disk: the delivery, and beside it the truth."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swath.grid import Grid
from swath.simulator.clouds import CLOUDY_FROM, SHADOWED_FROM
from swath.simulator.forward import CLEAR, CLOUD, SHADOW, THIN, TRUTH_NODATA, TRUTH_SCALE, UNSEEN
from swath.simulator.landcover import LAND_COVER
from swath.simulator.overpass import Overpass
from swath.simulator.rasters import RasterSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthFiles:
    """The known truth of a scene.

    Args:
        folder: Folder of the truth; never inside the delivery.
        surface_reflectance: Rasters by band name: int16, scale 1e-4, nodata -9999; under clouds and shadows
            too, but not where a glint saturates the sensor.
        temperature: Brightness temperature without clouds by band name: uint16, scale 0.01 K, nodata 0.
        landcover: Class codes, uint8, nodata 255.
        clouds: 0 clear, 1 cloud, 2 shadow, 3 the thin edges of both, 255 not seen; uint8.
        record: JSON with angles, atmosphere, classes and the names of all of these.
    """

    folder: Path
    surface_reflectance: Mapping[str, Path]
    temperature: Mapping[str, Path]
    landcover: Path
    clouds: Path
    record: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedScene:
    """A scene in its delivery format.

    Args:
        scene_id: The provider's identifier.
        delivery: The folder that was delivered.
        metadata: Main metadata file.
        rasters: Files of the delivery by band name.
        truth: Known truth of the scene; None if it was not requested.
        grid: Grid of the finest bands, the pan band excluded.
    """

    scene_id: str
    delivery: Path
    metadata: Path
    rasters: Mapping[str, Path]
    truth: TruthFiles | None
    grid: Grid


def plan_truth(folder: Path, *, bands: Iterable[str], thermal: frozenset[str] = frozenset()) -> TruthFiles:
    """Name the files of a truth with one raster for each band."""
    names = {b: folder / (f"bt_{b}.tif" if b in thermal else f"sr_{b}.tif") for b in bands}
    return TruthFiles(
        folder=folder,
        surface_reflectance={b: p for b, p in names.items() if b not in thermal},
        temperature={b: p for b, p in names.items() if b in thermal},
        landcover=folder / "landcover.tif",
        clouds=folder / "clouds.tif",
        record=folder / "truth.json",
    )


def truth_rasters(truth: TruthFiles, *, grids: Mapping[str, Grid], grid: Grid) -> dict[str, RasterSpec]:
    """The rasters of a truth, named ``sr:<band>``, ``bt:<band>``, ``landcover`` and ``clouds``."""
    specs = {
        f"sr:{b}": RasterSpec(path=p, grid=grids[b], dtype="int16", nodata=TRUTH_NODATA)
        for b, p in truth.surface_reflectance.items()
    }
    specs |= {f"bt:{b}": RasterSpec(path=p, grid=grids[b], dtype="uint16", nodata=0) for b, p in truth.temperature.items()}
    specs["landcover"] = RasterSpec(path=truth.landcover, grid=grid, dtype="uint8", nodata=255)
    specs["clouds"] = RasterSpec(path=truth.clouds, grid=grid, dtype="uint8", nodata=UNSEEN)
    return specs


def write_record(truth: TruthFiles, *, scene_id: str, platform: str, overpass: Overpass, cloud_share: float) -> None:
    """Write the truth's JSON."""
    geometry, air = overpass.geometry, overpass.atmosphere
    record: dict[str, Any] = {
        "scene_id": scene_id,
        "platform": platform,
        "acquired": overpass.acquired.isoformat(),
        "seed": overpass.landscape.seed,
        "radiative_transfer": overpass.air,
        "atmosphere": {
            "aot550": air.aot550,
            "ozone_atm_cm": air.ozone_atm_cm,
            "water_vapour_g_cm2": air.water_vapour_g_cm2,
            "pressure_hpa": air.pressure_hpa,
        },
        "angles": {
            "sun_zenith_deg": geometry.sun_zenith.centre,
            "sun_azimuth_deg": geometry.sun_azimuth.centre,
            "view_zenith_deg": geometry.view_zenith.centre,
            "view_azimuth_deg": geometry.view_azimuth.centre,
        },
        "cloud_share": cloud_share,
        "classes": [{"code": c.code, "name": c.name, "title": c.title, "rgb": c.rgb} for c in LAND_COVER],
        "surface_reflectance": {
            "scale": TRUTH_SCALE,
            "nodata": TRUTH_NODATA,
            "files": {b: p.name for b, p in truth.surface_reflectance.items()},
        },
        "temperature": {"scale_k": 0.01, "nodata": 0, "files": {b: p.name for b, p in truth.temperature.items()}},
        "landcover": {"file": truth.landcover.name, "nodata": 255},
        "clouds": {
            "file": truth.clouds.name,
            "values": {"clear": CLEAR, "cloud": CLOUD, "shadow": SHADOW, "thin": THIN, "not_seen": UNSEEN},
            "cloudy_from_opacity": CLOUDY_FROM,
            "shadowed_from": SHADOWED_FROM,
        },
    }
    truth.record.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
