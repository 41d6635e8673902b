import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.engine.graph import resolve
from swath.errors import MetadataError
from swath.pipeline import AssetRule, Pipeline
from swath.readers.angles import InterpolatedAngles, angle_field
from swath.readers.sentinel2.angles import AngleGrids, DirectionGrid, mean_azimuth
from swath.readers.sentinel2.scene import read_scene
from swath.readers.sentinel2.tile import read_tile
from swath.steps.smac import Smac
from swath.steps.toa import Toa

Xml = Callable[..., str]
LEFT, TOP, STEP = 600_000.0, 5_100_000.0, 5_000.0


def grids_of(text: str, folder: Path) -> AngleGrids:
    path = folder / "MTD_TL.xml"
    path.write_text(text)
    grids = read_tile(str(path)).angles
    assert grids is not None
    return grids


def places(number: int, spacing: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps = spacing * np.arange(number, dtype=np.float64)
    return np.asarray(LEFT + steps, dtype=np.float64), np.asarray(TOP - steps, dtype=np.float64)


def field_of(azimuths: list[list[float]], zeniths: list[list[float]] | None = None) -> InterpolatedAngles:
    azimuth = np.array(azimuths, dtype=np.float64)
    zenith = np.full(azimuth.shape, 30.0) if zeniths is None else np.array(zeniths, dtype=np.float64)
    grid = DirectionGrid(zenith_deg=zenith, azimuth_deg=azimuth)
    return InterpolatedAngles.of(
        AngleGrids(crs="EPSG:32632", left=LEFT, top=TOP, dx=STEP, dy=STEP, sun=grid, views={"B04": grid})
    )


def test_detectors_are_merged_and_shared_nodes_get_the_mean(tile_xml: Xml, tmp_path: Path) -> None:
    view = grids_of(tile_xml({}), tmp_path).views["B01"]
    # Columns 0 and 1 are detector 5 alone, column 2 both, columns 3 and 4 detector 6 alone.
    np.testing.assert_allclose(view.zenith_deg[0], [5.0, 5.1, (5.2 + 6.2) / 2, 6.3, 6.4], atol=1e-12)
    np.testing.assert_allclose(view.azimuth_deg[1], [101.0, 101.2, 106.4, 111.6, 111.8], atol=1e-9)


def test_a_gap_takes_the_nearest_node(tile_xml: Xml, tmp_path: Path) -> None:
    row = "27.0000 27.1000 27.2000 27.3000 27.4000"
    sun = grids_of(tile_xml({row: "NaN NaN 27.2000 NaN 27.4000"}), tmp_path).sun
    # (1, 0) is the nearest of (0, 0); (0, 2) and (1, 1) are as near to (0, 1), and (0, 2) comes first in row order.
    np.testing.assert_allclose(sun.zenith_deg[0], [27.5, 27.2, 27.2, 27.2, 27.4], atol=1e-12)


def test_a_band_without_a_grid_gets_its_mean_direction(tile_xml: Xml, tmp_path: Path) -> None:
    views = grids_of(tile_xml({'bandId="3" detectorId': 'bandId="99" detectorId'}), tmp_path).views
    assert np.unique(views["B04"].zenith_deg).tolist() == [6.3]
    assert np.unique(views["B04"].azimuth_deg).tolist() == [108.0]


def without_values(text: str, *, start: str, stop: str) -> str:
    """The grids between two marks with NaN in place of every number."""
    first, last = text.index(start), text.rindex(stop)
    return text[:first] + re.sub(r"\d+\.\d{4}", "NaN", text[first:last]) + text[last:]


@pytest.mark.parametrize(
    ("old", "new"),
    [("27.0000 27.1000", "27.0000"), ("27.0000 27.1000", "27.0000 warm"), ("<COL_STEP>5000<", "<COL_STEP>0<"),
     ("<COL_STEP>5000<", "<COL_STEP>inf<"), ("Sun_Angles_Grid", "Other_Grid")],
)  # fmt: skip
def test_without_a_usable_sun_grid_mean_angles_are_used_and_said(
    write_safe: Callable[..., Path], tile_xml: Xml, old: str, new: str
) -> None:
    safe = write_safe(tile={old: new})
    scene = read_scene(str(safe))
    assert scene.angles_href is None
    assert angle_field(scene) is None
    assert scene.left_out["angles"] == "the granule has no angle grids; mean angles are used everywhere"
    assert scene.angles.view_zenith_deg == pytest.approx(6.6)


def test_a_sun_grid_of_nothing_but_nan_is_none(tile_xml: Xml, tmp_path: Path) -> None:
    path = tmp_path / "MTD_TL.xml"
    path.write_text(without_values(tile_xml({}), start="<Sun_Angles_Grid>", stop="</Sun_Angles_Grid>"))
    assert read_tile(str(path)).angles is None


def band_grids(text: str, band: int, **edits: str) -> str:
    """The text with changes in the view grids of one band, given as ``old=new`` patterns."""

    def changed(match: re.Match[str]) -> str:
        found = match[0]
        for old, new in edits.items():
            found = re.sub(PATTERNS[old], new, found)
        return found

    return re.sub(rf'<Viewing_Incidence_Angles_Grids bandId="{band}".*?</Viewing_Incidence_Angles_Grids>', changed, text)


PATTERNS = {"numbers": r"\d+\.\d{4}", "rows": r"<VALUES>[^<]*</VALUES>", "first": r"<VALUES>\S+"}


@pytest.mark.parametrize(
    "edit", [{"numbers": "NaN"}, {"numbers": "-999"}, {"numbers": "no"}, {"rows": ""}, {"first": "<VALUES>"}]
)
def test_a_band_whose_view_grid_is_unusable_gets_its_mean_and_the_scene_says_so(
    write_safe: Callable[..., Path], tile_xml: Xml, edit: dict[str, str]
) -> None:
    safe = write_safe()
    (granule,) = safe.glob("GRANULE/*/MTD_TL.xml")
    granule.write_text(band_grids(tile_xml({}), 3, **edit))
    scene = read_scene(str(safe))
    field = angle_field(scene)
    assert field is not None
    x, y = places(5, STEP)
    *_, zenith, azimuth = field.sample(x=x, y=y, band="red")
    # The Mean_Viewing_Incidence_Angle of bandId 3.
    np.testing.assert_allclose(zenith, 6.3, atol=1e-12)
    np.testing.assert_allclose(azimuth, 108.0, atol=1e-9)
    assert field.sample(x=x, y=y, band="green")[2][0, 0] == 5.0
    told = {n: why for n, why in scene.left_out.items() if n.startswith("angles")}
    assert told == {"angles_red": "the grid of view angles of B04 has no usable value; its mean direction is used everywhere"}


def test_without_any_view_grid_every_band_gets_its_own_mean(write_safe: Callable[..., Path], tile_xml: Xml) -> None:
    safe = write_safe()
    (granule,) = safe.glob("GRANULE/*/MTD_TL.xml")
    text = re.sub(r"<Viewing_Incidence_Angles_Grids .*</Viewing_Incidence_Angles_Grids>", "", tile_xml({}))
    granule.write_text(text)
    scene = read_scene(str(safe))
    field = angle_field(scene)
    assert field is not None
    x, y = places(2, STEP)
    assert [field.sample(x=x, y=y, band=b)[2][0, 0] for b in ("coastal", "swir22")] == pytest.approx([6.0, 7.2])
    assert len([n for n in scene.left_out if n.startswith("angles_")]) == 13


def test_a_band_with_neither_grid_nor_mean_gets_the_mean_of_the_others(write_safe: Callable[..., Path], tile_xml: Xml) -> None:
    safe = write_safe()
    (granule,) = safe.glob("GRANULE/*/MTD_TL.xml")
    text = band_grids(tile_xml({}), 3, numbers="NaN").replace("<ZENITH_ANGLE>6.3<", "<ZENITH_ANGLE>NaN<")
    granule.write_text(text)
    scene = read_scene(str(safe))
    field = angle_field(scene)
    assert field is not None
    zenith = field.sample(x=np.array([LEFT]), y=np.array([TOP]), band="red")[2]
    # Means of the other twelve: 6.0 to 7.2 without 6.3.
    assert zenith[0, 0] == pytest.approx((13 * 6.6 - 6.3) / 12)
    assert scene.left_out["angles_red"].endswith("the mean direction of the other bands is used everywhere")


def test_a_granule_that_says_nothing_of_the_view_is_read_and_says_so(write_safe: Callable[..., Path], tile_xml: Xml) -> None:
    safe = write_safe()
    (granule,) = safe.glob("GRANULE/*/MTD_TL.xml")
    text = re.sub(r"<Viewing_Incidence_Angles_Grids .*</Viewing_Incidence_Angles_Grids>", "", tile_xml({}))
    granule.write_text(re.sub(r"<Mean_Viewing_Incidence_Angle_List>.*</Mean_Viewing_Incidence_Angle_List>", "", text))
    scene = read_scene(str(safe))
    assert scene.left_out["view_angles"] == "the granule does not say from where the satellite looks"
    toa = Pipeline(name="t", title="t", steps=(Toa(), Smac()), assets=(AssetRule(layers="sr|toa"),))
    graph = resolve(toa, scene)
    assert {s.name.split(":")[0] for s in graph.outputs.values()} == {"toa"}
    assert "without the direction of the view" in graph.left_out["sr"]
    required = Pipeline(name="t", title="t", steps=(Toa(), Smac()), assets=(AssetRule(layers="sr:red", required=True),))
    with pytest.raises(MetadataError, match="without the direction of the view"):
        resolve(required, scene)


def test_nodes_are_reproduced(tile_xml: Xml, tmp_path: Path) -> None:
    grids = grids_of(tile_xml({}), tmp_path)
    x, y = places(5, STEP)
    sampled = InterpolatedAngles.of(grids).sample(x=x, y=y, band="rededge071")
    np.testing.assert_array_equal(sampled[0], grids.sun.zenith_deg)
    assert sampled[1].max() < 360.0
    np.testing.assert_allclose(np.sin(np.radians(sampled[1] - grids.sun.azimuth_deg)), 0.0, atol=1e-13)
    np.testing.assert_array_equal(sampled[2], grids.views["B05"].zenith_deg)
    np.testing.assert_allclose(sampled[3], grids.views["B05"].azimuth_deg, atol=1e-11)


def test_between_359_and_1_lies_0() -> None:
    azimuth = field_of([[359.0, 1.0], [359.0, 1.0]]).sample(x=np.array([LEFT + STEP / 2]), y=np.array([TOP - 10.0]), band="red")[
        1
    ]
    assert min(azimuth[0, 0], 360 - azimuth[0, 0]) < 1e-9


def test_zeniths_are_bilinear() -> None:
    field = field_of([[10.0, 10.0], [10.0, 10.0]], [[10.0, 20.0], [30.0, 60.0]])
    x, y = np.array([LEFT + 0.25 * STEP]), np.array([TOP - 0.5 * STEP])
    # (10 .75 + 20 .25 + 30 .75 + 60 .25) / 2
    assert field.sample(x=x, y=y, band="red")[0][0, 0] == pytest.approx(25.0)


def test_nothing_is_extrapolated() -> None:
    field = field_of([[10.0, 20.0], [10.0, 20.0]], [[10.0, 20.0], [30.0, 40.0]])
    x, y = np.array([LEFT - 1e6, LEFT + 1e6]), np.array([TOP + 1e6, TOP - 1e6])
    np.testing.assert_allclose(field.sample(x=x, y=y, band="red")[0], [[10.0, 20.0], [30.0, 40.0]])


@settings(deadline=None)
@given(
    row=st.integers(0, 60), col=st.integers(0, 60), height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 9)
)
def test_any_window_gives_the_same_numbers(row: int, col: int, height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    field = field_of(rng.uniform(0, 360, (5, 5)).tolist(), rng.uniform(0, 80, (5, 5)).tolist())
    x, y = places(100, 200.0)
    whole = field.sample(x=x, y=y, band="red")
    part = field.sample(x=x[col : col + width], y=y[row : row + height], band="red")
    for all_of_it, some in zip(whole, part, strict=True):
        np.testing.assert_array_equal(all_of_it[row : row + height, col : col + width], some)


@given(azimuths=st.lists(st.floats(-60, 60), min_size=1, max_size=13), turn=st.floats(0, 360, exclude_max=True))
def test_a_mean_azimuth_turns_with_its_azimuths(azimuths: list[float], turn: float) -> None:
    mean = mean_azimuth([(a + turn) % 360 for a in azimuths])
    expected = (sum(azimuths) / len(azimuths) + turn) % 360
    assert min(abs(mean - expected), 360 - abs(mean - expected)) < 1e-9


def test_a_scene_brings_its_angles(write_safe: Callable[..., Path]) -> None:
    scene = read_scene(str(write_safe()))
    field = angle_field(scene)
    assert field is not None
    grid = scene.reference
    sun_zenith, sun_azimuth, view_zenith, view_azimuth = field.sample(
        x=np.array([grid.left]), y=np.array([grid.top]), band="coastal"
    )
    assert (sun_zenith[0, 0], view_zenith[0, 0]) == (27.0, 5.0)
    assert (sun_azimuth[0, 0], view_azimuth[0, 0]) == (pytest.approx(358.0), pytest.approx(100.0))
    assert angle_field(scene) is field


def test_a_scene_without_grids_has_no_field(write_safe: Callable[..., Path]) -> None:
    scene = read_scene(str(write_safe()))
    assert angle_field(replace(scene, angles_href=None)) is None
    assert angle_field(replace(scene, family="landsat-oli")) is None


def test_a_band_that_nobody_knows_is_an_error() -> None:
    field = field_of([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(MetadataError, match=r"expected a grid or a mean direction for blue; got only B04"):
        field.sample(x=np.array([LEFT]), y=np.array([TOP]), band="blue")
