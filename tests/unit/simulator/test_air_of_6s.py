"""Scenes whose light went through the air of 6S."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance, toa_reflectance_over
from swath.algo.smac_table import smac_sensor
from swath.errors import ConfigError
from swath.simulator.request import SceneRequest
from swath.simulator.simulate import DEFAULT_TIMES, Kind, write_scene
from swath.simulator.six_s import levelled

TABLE = Path(__file__).parents[4] / "shared" / "science" / "sixs_toa.csv"
SENTINEL = {"sun_zenith_deg": 38.82, "view_zenith_deg": 6.1, "relative_azimuth_deg": -125.707}


@pytest.mark.parametrize(
    ("band", "worst"),
    [("blue", 0.006), ("green", 0.006), ("red", 0.006), ("nir08", 0.006), ("swir16", 0.006)],
)
def test_an_inversion_by_smac_errs_by_what_smac_errs(band: str, worst: float) -> None:
    ground = np.linspace(0.02, 0.5, 25)
    smac = smac_terms(smac_sensor("sentinel-2a").bands[band], **SENTINEL, atmosphere=Atmosphere())

    found = surface_reflectance(toa_reflectance_over(ground, levelled(smac, platform="sentinel-2a", band=band)), smac)

    error = np.abs(found - ground)
    assert error.max() > 1e-4, "the air of 6S is not SMAC's"
    assert (error < worst + 0.02 * ground).all()


def test_the_air_is_that_of_6s_run_independently() -> None:
    """At other angles the table's level is scaled by SMAC: 6S itself agrees within a count or three of 1e-3."""
    if not TABLE.exists():
        pytest.skip("../shared/science is not beside the checkout")
    with TABLE.open() as lines:
        rows = [r for r in csv.DictReader(lines) if r["platform"] == "sentinel-2a" and r["aot550"] == "0.1"]
    near = [
        r
        for r in rows
        if 30 <= float(r["sza"]) <= 50 and float(r["altitude_km"]) == 0 and abs(float(r["water_g_cm2"]) - 1.42) < 1
    ]
    assert near
    for row in near:
        air = Atmosphere(aot550=0.1, water_vapour_g_cm2=float(row["water_g_cm2"]))
        smac = smac_terms(
            smac_sensor("sentinel-2a").bands[row["band"]], sun_zenith_deg=float(row["sza"]), view_zenith_deg=float(row["vza"]),
            relative_azimuth_deg=float(row["relative_azimuth"]), atmosphere=air,
        )  # fmt: skip
        ours = toa_reflectance_over(float(row["surface"]), levelled(smac, platform="sentinel-2a", band=row["band"]))
        assert ours == pytest.approx(float(row["toa_6s"]), abs=3e-3), row


@pytest.mark.parametrize(
    ("kind", "acquired", "atmosphere"),
    [
        ("landsat9", datetime(2024, 12, 5, 10, 2, 11, tzinfo=UTC), Atmosphere()),
        ("sentinel2", DEFAULT_TIMES["sentinel2"], Atmosphere(aot550=0.3)),
    ],
)
def test_other_scenes_than_those_of_the_table_are_refused(
    tmp_path: Path, kind: Kind, acquired: datetime, atmosphere: Atmosphere
) -> None:
    request = SceneRequest(size=96, seed=7, acquired=acquired, clouds=0.0, atmosphere=atmosphere, truth=False, air="6s")
    with pytest.raises(ConfigError, match=r"no numbers of 6S for (landsat-9|sentinel-2a) at angles .* air='smac'"):
        write_scene(tmp_path, request, kind=kind)
