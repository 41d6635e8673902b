"""SMAC against CESBIO's own program, and on the real angle grids of a Sentinel-2 scene."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere, smac_terms, surface_reflectance, toa_reflectance_over
from swath.algo.lattice import Axis, correct_on_lattice
from swath.algo.smac_table import smac_sensor
from swath.readers.angles import angle_field
from swath.readers.sentinel2.scene import read_scene

CROP = "openeo_icor/icor/atmocorr"
TILE_M = 109_800


def pixels(path: Path) -> NDArray[np.float64]:
    with rasterio.open(path) as dataset:
        values: NDArray[np.float64] = dataset.read(1).astype(np.float64)
    return values


def test_the_point_value(oracles: dict[str, Any]) -> None:
    told = oracles["surface_reflectance"][0]
    inputs = told["inputs"]
    terms = smac_terms(
        smac_sensor("sentinel-2a").bands["blue"],
        sun_zenith_deg=inputs["sza"],
        view_zenith_deg=inputs["vza"],
        relative_azimuth_deg=inputs["raa"],
        atmosphere=Atmosphere(
            aot550=inputs["aot550"],
            ozone_atm_cm=inputs["uo3_cm"],
            water_vapour_g_cm2=inputs["uh2o_g_cm2"],
            pressure_hpa=inputs["pressure_hPa"],
        ),
    )
    assert surface_reflectance(inputs["r_toa"], terms) == pytest.approx(told["expected"], abs=told["tol"])


def test_the_raster_within_a_count(scenes: Path) -> None:
    def read(name: str) -> NDArray[np.float64]:
        return pixels(scenes / CROP / f"{name}.tif")

    terms = smac_terms(
        smac_sensor("sentinel-2a").bands["blue"],
        sun_zenith_deg=read("ref_input_S2_sunZenithAngles"),
        view_zenith_deg=read("ref_input_S2_viewZenithMean"),
        relative_azimuth_deg=read("ref_input_S2_sunAzimuthAngles") - read("ref_input_S2_viewAzimuthMean"),
        atmosphere=Atmosphere(aot550=0.14, ozone_atm_cm=0.33, water_vapour_g_cm2=0.3, pressure_hpa=1013.0),
    )
    toa = read("ref_input_S2_B02") * 1e-4
    found = surface_reflectance(toa, terms)
    expected = read("ref_check_smac_S2_B02")
    kept = expected <= 60000
    assert np.count_nonzero(~kept) == 4
    assert np.abs(np.floor(found * 1e4) - expected)[kept].max() <= 1
    assert np.abs(toa_reflectance_over(found, terms) - toa).max() < 1e-12


@pytest.mark.parametrize(("band", "pixel_m"), [("blue", 10.0), ("nir", 10.0), ("rededge071", 20.0), ("coastal", 60.0)])
def test_real_angle_grids_are_met_between_the_nodes(scenes: Path, band: str, pixel_m: float) -> None:
    (path,) = (scenes / "eodatasets").glob("S2A_MSIL1C_*.zip")
    scene = read_scene(str(path))
    angles = angle_field(scene)
    assert angles is not None
    grid = scene.assets[band].grid
    hazy = Atmosphere(aot550=0.3)

    def terms_at(down_m: NDArray[np.float64], across_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        sun, sun_azimuth, view, view_azimuth = angles.sample(x=grid.left + across_m, y=grid.top - down_m, band=band)
        found = smac_terms(
            smac_sensor("sentinel-2a").bands[band],
            sun_zenith_deg=sun,
            view_zenith_deg=view,
            relative_azimuth_deg=sun_azimuth - view_azimuth,
            atmosphere=hazy,
        )
        return tuple(np.asarray(t) for t in (found.path_reflectance, found.transmission, found.spherical_albedo))

    # A band of rows across the whole tile: every detector's edge is in it.
    across = int(TILE_M / pixel_m)
    first, count = across // 3, int(6000 / pixel_m)
    toa = np.full((count, across), 0.3)
    rows, columns = Axis.of(first, count, pixel=pixel_m), Axis.of(0, across, pixel=pixel_m)
    path_reflectance, transmission, albedo = terms_at(rows.nodes, columns.nodes)
    found = correct_on_lattice(
        toa,
        path=path_reflectance,
        transmission=transmission,
        spherical_albedo=float(albedo),
        rows=rows,
        columns=columns,
    )
    each = 4
    down_m, across_m = (
        (np.arange(start, start + n, each, dtype=np.float64) + 0.5) * pixel_m for start, n in ((first, count), (0, across))
    )
    path_reflectance, transmission, albedo = terms_at(down_m, across_m)
    excess = 0.3 - path_reflectance
    direct = excess / (transmission + excess * albedo)
    assert np.abs(found[::each, ::each] - direct).max() < 2e-5
