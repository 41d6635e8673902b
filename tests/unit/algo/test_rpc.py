"""The RPC model against GDAL's points, its own inverse, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.conftest import SHARED

from swath.algo.rpc import Rpc
from swath.errors import MetadataError

_POINTS = SHARED / "science" / "rpc_points_PHR1B_P_201709281038393_SEN_PRG_FC_17860.json"


def simple(**changes: float) -> Rpc:
    """An image of 2000 lines and 3000 samples, north up but for a slant and the relief."""
    zeros = [0.0] * 20
    line, samp, den = zeros.copy(), zeros.copy(), zeros.copy()
    line[1], line[2], line[3], line[4] = 0.05, -1.0, 0.02, 0.001
    samp[1], samp[2], samp[3], samp[7] = 1.0, 0.06, -0.03, 0.002
    den[0], den[1], den[3] = 1.0, 0.001, -0.0005
    numbers = {
        "line_off": 999.5, "samp_off": 1499.5, "lat_off": 44.0, "long_off": 5.0, "height_off": 500.0,
        "line_scale": 1000.0, "samp_scale": 1500.0, "lat_scale": 0.01, "long_scale": 0.02, "height_scale": 500.0,
    }  # fmt: skip
    return Rpc(**{**numbers, **changes}, line_num=tuple(line), line_den=tuple(den), samp_num=tuple(samp), samp_den=tuple(den))


def test_ground_points_fall_where_gdal_puts_them(scenes: object) -> None:
    from swath.readers.rpc.model import read_rpc  # noqa: PLC0415  only with the real scenes

    if not _POINTS.is_file():
        pytest.skip("the reference numbers (../shared/science) are not beside this checkout")
    told = json.loads(_POINTS.read_text(encoding="utf-8"))
    folder = SHARED / "scenes" / "shareloc" / "rpc"
    rpc = read_rpc(str(folder / "RPC_PHR1B_P_201709281038393_SEN_PRG_FC_178609-001.XML"))
    lon, lat, height, column, row = np.array(told["points"]).T
    samples, lines = rpc.image_of(lon, lat, height)
    # GDAL counts from the first edge: the centre of the first pixel is 0.5.
    assert np.abs(samples + 0.5 - column).max() < 1e-6
    assert np.abs(lines + 0.5 - row).max() < 1e-6


def test_ground_and_image_are_each_others_inverse() -> None:
    rpc = simple()
    samples, lines = (a.ravel() for a in np.meshgrid(np.linspace(0, 2999, 21), np.linspace(0, 1999, 17)))
    heights = np.linspace(0.0, 1000.0, samples.size)
    lon, lat = rpc.ground_of(samples, lines, heights)
    back = rpc.image_of(lon, lat, heights)
    assert max(np.abs(back[0] - samples).max(), np.abs(back[1] - lines).max()) < 1e-6


def test_a_point_without_height_has_no_place() -> None:
    samples, lines = simple().image_of(np.array([5.0, 5.0]), np.array([44.0, 44.0]), np.array([500.0, np.nan]))
    assert np.isfinite(samples[0])
    assert np.isnan([samples[1], lines[1]]).all()


def test_the_other_side_of_the_antimeridian_is_the_same_ground() -> None:
    rpc = simple(long_off=179.995)
    one, other = (rpc.image_of(np.array([x]), np.array([44.0]), np.array([0.0]))[0][0] for x in (180.005, -179.995))
    assert one == pytest.approx(other, abs=1e-6)


def test_denominators_that_are_zero_are_refused() -> None:
    with pytest.raises(MetadataError, match="the denominator of its lines is zero inside the image"):
        replace(simple(), line_den=(0.0,) * 20)
    with pytest.raises(MetadataError, match="the denominator of its samples is zero inside the image"):
        replace(simple(), samp_den=(0.5, 1.0, *(0.0,) * 18))


def test_lines_and_samples_that_are_swapped_are_refused() -> None:
    rpc = simple()
    with pytest.raises(MetadataError, match="lines and samples are swapped"):
        replace(rpc, line_num=rpc.samp_num, samp_num=rpc.line_num)
    other = replace(rpc, line_off=1499.5, samp_off=999.5, line_scale=1500.0, samp_scale=1000.0)
    with pytest.raises(MetadataError, match="lines and samples are swapped"):
        other.check_size(height=2000, width=3000)
    rpc.check_size(height=2000, width=3000)
    rpc.check_size(height=128, width=128)  # a crop with the model of its whole image


def test_elevation_outside_its_heights_is_refused() -> None:
    simple().check_heights(0.0, 1040.0)
    with pytest.raises(MetadataError, match="the elevation is outside its range of heights"):
        simple().check_heights(0.0, 2500.0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lat_scale": 0.0}, "a scale is not positive"),
        ({"lat_off": 144.0}, "not on the globe"),
        ({"line_off": np.nan}, "incomplete"),
    ],
)
def test_numbers_that_cannot_be_are_refused(change: dict[str, float], told: str) -> None:
    with pytest.raises(MetadataError, match=told):
        simple(**change)
