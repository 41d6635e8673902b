"""Products that contradict their own metadata never become visible."""

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from swath.algo.atmosphere import Atmosphere
from swath.config import load_pipeline, prepare, with_settings
from swath.engine.checks import examine
from swath.engine.child.tasks import perform
from swath.engine.pipeline_json import checks_of
from swath.engine.product_plan import plan_product, product_of
from swath.errors import ConfigError, RangeError
from swath.inference.registry import Registry
from swath.pipeline import Checks
from swath.plain import canonical
from swath.product import AssetRecord
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate
from swath.stores.local import local_store

Json = dict[str, Any]
REGISTRY: Registry = None  # type: ignore[assignment]  # no pipeline here names a model


@pytest.fixture(scope="module")
def sentinel(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return simulate(kind="sentinel2", folder=tmp_path_factory.mktemp("s2"), size=480, truth=False)


def pipeline_text(name: str, *settings: str) -> str:
    return canonical(dict(prepare(with_settings(load_pipeline(name), settings), registry=REGISTRY).plain))


def made(href: Path, folder: Path, *, pipeline: str) -> Json:
    """The answer of a product made from end to end; its item beside it."""
    scene = perform({"op": "ingest", "href": str(href), "scene_id": "s"})
    store = local_store(folder)
    answer = perform(
        {"op": "make", "scene": scene["scene"], "scene_id": scene["scene_id"], "pipeline": pipeline, "output": store.root,
         "strip_rows": None, "split": False, "folder": ".scratch/run", "attempt": "1"}
    )  # fmt: skip
    if "published" in answer:
        answer["item"] = json.loads((folder / answer["published"]["item"]).read_text(encoding="utf-8"))
    return answer


def with_offsets(safe: Path, folder: Path, *, offset: int | None, baseline: str) -> Path:
    """A copy of a delivery whose metadata claims another offset; None claims none."""
    copy = Path(shutil.copytree(safe, folder / safe.name))
    (metadata,) = copy.glob("MTD_MSIL1C.xml")
    text = re.sub(r"<PROCESSING_BASELINE>[^<]*<", f"<PROCESSING_BASELINE>{baseline}<", metadata.read_text(encoding="utf-8"))
    text = re.sub(r"\s*<RADIO_ADD_OFFSET[^>]*>[^<]*</RADIO_ADD_OFFSET>", "", text)
    if offset is not None:
        said = "".join(f'<RADIO_ADD_OFFSET band_id="{n}">{offset}</RADIO_ADD_OFFSET>' for n in range(13))
        text = text.replace(
            "<QUANTIFICATION_VALUE", f"<Radiometric_Offset_List>{said}</Radiometric_Offset_List><QUANTIFICATION_VALUE", 1
        )
    metadata.write_text(text, encoding="utf-8")
    return copy


@pytest.mark.parametrize("name", ["toa", "surface-reflectance", "clouds"])
@pytest.mark.parametrize(("offset", "baseline"), [(None, "02.06"), (-2000, "05.10"), (1000, "05.10")])
def test_an_offset_that_is_missed_or_doubled_is_quarantined(
    sentinel: SimulatedScene, tmp_path: Path, name: str, offset: int | None, baseline: str
) -> None:
    safe = with_offsets(Path(sentinel.delivery), tmp_path, offset=offset, baseline=baseline)
    answer = made(safe, tmp_path / "out", pipeline=pipeline_text(name))
    assert answer["refused"]["class"] == "range"
    assert "the pixels contradict the radiometric offset of the metadata" in answer["refused"]["message"]
    assert not list((tmp_path / "out").rglob("*.json"))


@pytest.mark.parametrize("name", ["toa", "surface-reflectance", "clouds"])
def test_an_offset_that_was_never_there_is_quarantined(scenes: Path, tmp_path: Path, name: str) -> None:
    archive = next((scenes / "eodatasets").glob("S2A_MSIL1C_20180629*.zip"))
    with zipfile.ZipFile(archive) as source:
        source.extractall(tmp_path / "in")
    safe = next((tmp_path / "in").rglob("*.SAFE"))
    assert (
        made(safe, tmp_path / "good", pipeline=pipeline_text(name))["item"]["properties"]["swath:radiometry"]["verdict"]
        == "agrees"
    )
    false = with_offsets(safe, tmp_path, offset=-1000, baseline="05.00")
    answer = made(false, tmp_path / "out", pipeline=pipeline_text(name))
    assert answer["refused"]["class"] == "range"


@pytest.mark.parametrize(
    ("clouds", "atmosphere"),
    [(0.08, Atmosphere()), (1.0, Atmosphere()), (0.0, Atmosphere(pressure_hpa=540.0, water_vapour_g_cm2=0.1, aot550=0.05)),
     (0.0, Atmosphere(aot550=0.8))],
)  # fmt: skip
@pytest.mark.parametrize("name", ["toa", "surface-reflectance"])
def test_clear_cloudy_high_and_hazy_scenes_are_made(tmp_path: Path, clouds: float, atmosphere: Atmosphere, name: str) -> None:
    scene = simulate(kind="sentinel2", folder=tmp_path, size=480, truth=False, clouds=clouds, atmosphere=atmosphere)
    answer = made(Path(scene.delivery), tmp_path / "out", pipeline=pipeline_text(name))
    assert answer["item"]["properties"]["swath:radiometry"]["verdict"] in ("agrees", "cannot tell")
    assert "swath:range" not in answer["item"]["properties"]


def test_a_pipeline_may_allow_it_and_the_item_says_so(sentinel: SimulatedScene, tmp_path: Path) -> None:
    safe = with_offsets(Path(sentinel.delivery), tmp_path, offset=-2000, baseline="05.10")
    answer = made(safe, tmp_path / "out", pipeline=pipeline_text("clouds", "checks.radiometry=note"))
    said = answer["item"]["properties"]["swath:radiometry"]
    assert said["verdict"] == "contradicts"
    assert said["bands"]["blue"]["reflectance"] < said["bands"]["blue"]["lowest"]


def test_counts_do_not_depend_on_the_cut(sentinel: SimulatedScene, tmp_path: Path) -> None:
    scene = perform({"op": "ingest", "href": str(sentinel.delivery), "scene_id": "s"})["scene"]
    request = {"op": "strip", "scene": scene, "scene_id": "s", "pipeline": pipeline_text("toa"),
               "output": local_store(tmp_path).root, "folder": ".scratch/x", "split": False, "strip_rows": None, "strip": 0,
               "pictures": False}  # fmt: skip
    found = [perform({**request, "piece": piece})["dark"] for piece in ((480, 480), (120, 66), (54, 480))]
    assert found[0] == found[1] == found[2]
    assert set(found[0]) == {"blue", "cirrus", "green", "nir", "nir08", "swir16", "swir22"}


def product(scene: str, *, statistics: Json, pipeline: str) -> Any:
    plan = plan_product(scene, pipeline)
    records = [
        {"name": n, "layer": s.name, "href": "x.tif", "key": "k", "bytes": 1, "digest": "d", "statistics": {**statistics}}
        for n, s in plan.graph.outputs.items() if s.name == "toa:red"
    ]  # fmt: skip
    return product_of(plan, pipeline, records=[AssetRecord.from_plain(r) for r in records])


def statistics(*, valid: int = 10_000, clamped: int = 0, median: int = 2_000) -> Json:
    return {"count": valid, "valid": valid, "clamped": clamped, "minimum": 0, "maximum": 1, "total": 0, "squares": 0,
            "histogram": {str(median >> 6): valid}}  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (statistics(clamped=101), r"red: 1\.01 % of the valid pixels are beyond what the file can hold \(at most 1 %\)"),
        (statistics(median=16_500), r"red: the median is 1\.6\d+, which no ground has \(-0\.05 to 1\.6\)"),
        (statistics(median=-700), r"red: the median is -0\.0\d+, which no ground has"),
        (statistics(median=32_767), r"checks\.beyond_ground: note"),
    ],
)
def test_values_out_of_range_are_refused(sentinel: SimulatedScene, numbers: Json, message: str) -> None:
    scene = perform({"op": "ingest", "href": str(sentinel.delivery), "scene_id": "s"})["scene"]
    refused = product(scene, statistics=numbers, pipeline=pipeline_text("toa"))
    with pytest.raises(RangeError, match=message):
        examine(refused, dark=(), checks=Checks(), before=None)
    allowed = examine(refused, dark=(), checks=Checks(clamped_percent=2.0, beyond_ground="note"), before=None)
    assert ("range" in allowed) == (numbers["clamped"] == 0)


@pytest.mark.parametrize("numbers", [statistics(), statistics(clamped=100), statistics(valid=0), statistics(median=15_900)])
def test_values_in_range_are_nothing_to_say(sentinel: SimulatedScene, numbers: Json) -> None:
    scene = perform({"op": "ingest", "href": str(sentinel.delivery), "scene_id": "s"})["scene"]
    assert "range" not in examine(
        product(scene, statistics=numbers, pipeline=pipeline_text("toa")), dark=(), checks=Checks(), before=None
    )


def test_what_was_said_of_more_bands_stays(sentinel: SimulatedScene, tmp_path: Path) -> None:
    first = made(Path(sentinel.delivery), tmp_path, pipeline=pipeline_text("toa"))
    scene = perform({"op": "ingest", "href": str(sentinel.delivery), "scene_id": "s"})["scene"]
    again = product(scene, statistics=statistics(), pipeline=pipeline_text("toa"))
    before = json.dumps(first["item"]).encode()
    assert (
        examine(again, dark=(), checks=Checks(), before=before)["radiometry"] == first["item"]["properties"]["swath:radiometry"]
    )
    for other in (None, b"{", b"[]", json.dumps({"properties": {"swath:scene_digest": "other"}}).encode()):
        assert examine(again, dark=(), checks=Checks(), before=other)["radiometry"]["verdict"] == "cannot tell"


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"clampd_percent": 1}, r"unknown check 'clampd_percent'; did you mean 'clamped_percent'"),
        ({"clamped_percent": 101}, r"a number from 0 to 100, got 101"),
        ({"clamped_percent": True}, r"a number from 0 to 100, got True"),
        ({"radiometry": "off"}, r"checks.radiometry must be quarantine or note, got 'off'"),
    ],
)
def test_checks_that_mean_nothing_are_refused(plain: Json, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        checks_of(plain)


def test_checks_are_no_part_of_keys(sentinel: SimulatedScene) -> None:
    scene = perform({"op": "ingest", "href": str(sentinel.delivery), "scene_id": "s"})["scene"]
    usual, other = (plan_product(scene, pipeline_text("toa", *s)) for s in ((), ("checks.clamped_percent=50",)))
    assert usual.keys == other.keys
