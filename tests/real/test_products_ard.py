"""Every real scene through the whole job: `ard`, one run, and what it publishes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from swath.sinks.stac.renders import RENDER_EXTENSION
from swath.sinks.stac.validate import StacValidator

if TYPE_CHECKING:
    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.real, pytest.mark.spark, pytest.mark.slow]
SCHEMAS = Path(__file__).resolve().parents[3] / "shared" / "stac-schemas"
INPUTS = (
    "sat_image/image_test/lc8_image",
    "sat_image/image_test/le7_image",
    "sat_image/image_test/lt5_image",
    "rio_tiler_pds",
    "eodatasets",
    "rstoolbox/inst/external/landsat",
    "satellite_r/inst/extdata",
)
S2A = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
S2B = "S2B_MSIL1C_20180617T001109_N0206_R073_T55JGF_20180617T013729"
#: Spectral files and `qa` of each scene.
EXPECTED = {
    "LC80400282014193LGN00": 10,
    "LE07_L1TP_039028_20100702_20160915_01_T1": 8,
    "LT05_L1TP_040028_20060706_20160909_01_T1": 8,
    "LC08_L1TP_016037_20170813_20170814_01_RT": 11,
    "LC08_L1TP_090084_20160121_20170405_01_T1": 11,
    "LT05_L1TP_090085_19970406_20161231_01_T1": 8,
    S2A: 13,
    S2B: 13,
    "LT52240631988227CUB02": 8,
    "LC08_L1TP_195025_20130707_20170503_01_T1": 11,
    "LE07_L1TP_195025_20010730_20170204_01_T1": 10,
}
#: rio-cogeo calls a file of one block without overviews too small for its 512 pixels: a false alarm at exactly 512.
FALSE_ALARM = "overview"
#: Bits of `qa`, as the items tell them.
NODATA, CLOUD = 1 << 0, 1 << 2
MAPS = {"cloud", "landcover", "landcover_probability"}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ard")


@pytest.fixture(scope="module")
def summary(scenes: Path, output: Path, run_job: Any) -> "RunSummary":
    found: RunSummary = run_job("ard", *(scenes / i for i in INPUTS), output=output)
    return found


def assets_of(product: Any) -> dict[str, str]:
    """Files by asset, as the result of a run tells them."""
    told: dict[str, str] = product.to_contract()["assets"]
    return told


def files_of(summary: "RunSummary", output: Path) -> Iterator[tuple[str, str, Path]]:
    for product in summary.products:
        for name, href in assets_of(product).items():
            yield product.scene_id, name, output / href


def file_of(summary: "RunSummary", output: Path, *, scene: str, asset: str) -> Path:
    (found,) = (path for s, a, path in files_of(summary, output) if (s, a) == (scene, asset))
    return found


def test_every_scene_is_made_and_the_account_balances(summary: "RunSummary") -> None:
    assert {p.scene_id: len(set(assets_of(p)) - MAPS) for p in summary.products} == EXPECTED
    assert summary.balanced
    assert (summary.scenes.taken_in, summary.scenes.made, summary.scenes.quarantined) == (12, 11, 1)
    assert summary.assets.made == sum(len(p.assets) for p in summary.products)


def test_what_is_no_level_1_scene_is_quarantined_with_its_reason(summary: "RunSummary") -> None:
    (refused,) = summary.quarantine
    assert refused.error == "metadata"
    assert "the item's bands are surface reflectance already" in refused.message
    assert "odc:product_family ard" in refused.message


def test_sensors_without_coefficients_get_toa_and_say_so(summary: "RunSummary", output: Path) -> None:
    for product in summary.products:
        corrected = product.scene_id.startswith(("LC08", "LC8", "S2"))
        reflectance = {n.startswith("toa_") for n in assets_of(product)} - {False}
        assert bool(reflectance) is not corrected, product.scene_id
        if not corrected:
            item = json.loads((output / product.item).read_text(encoding="utf-8"))
            assert "sr" in item["properties"]["swath:left_out"]


def test_every_file_is_a_cog_under_the_strict_rules(summary: "RunSummary", output: Path) -> None:
    seen = 0
    for scene, name, path in files_of(summary, output):
        valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
        with rasterio.open(path) as source:
            exactly_512 = 512 in (source.width, source.height)
        excused = exactly_512 and not errors and all(FALSE_ALARM in w for w in warnings)
        assert valid or excused, (scene, name, errors, warnings)
        seen += 1
    assert seen == summary.assets.made


def test_every_stac_record_is_valid_with_all_its_extensions(summary: "RunSummary", output: Path) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of the STAC extensions (../shared/stac-schemas) are not beside this checkout")
    validator = StacValidator(SCHEMAS)
    paths = [output / "catalog.json", *output.glob("collections/**/*.json"), *output.glob("products/**/*.json")]
    kinds: dict[str, int] = {}
    for path in paths:
        record = json.loads(path.read_text(encoding="utf-8"))
        found = validator.validate(record)
        assert (found.findings, set(found.unchecked) - {RENDER_EXTENSION}) == ((), set()), path
        kinds[record["type"]] = kinds.get(record["type"], 0) + 1
    assert (kinds["Feature"], kinds["Collection"]) == (11, 4)


def test_the_static_catalogue_leads_to_every_item(summary: "RunSummary", output: Path) -> None:
    import pystac  # noqa: PLC0415

    catalogue = pystac.Catalog.from_file(str(output / "catalog.json"))
    items = {i.id: i for i in catalogue.get_items(recursive=True)}
    assert set(items) == {f"{scene}.ard" for scene in EXPECTED}
    for item in items.values():
        home = Path(item.get_self_href() or "").parent
        assert all((home / a.href).is_file() for a in item.assets.values()), item.id
        collection = item.get_collection()
        assert collection is not None
        assert collection.id == item.collection_id


def test_checksums_in_the_items_are_those_of_the_files(summary: "RunSummary", output: Path) -> None:
    import hashlib  # noqa: PLC0415

    product = next(p for p in summary.products if p.scene_id == S2A)
    item = json.loads((output / product.item).read_text(encoding="utf-8"))
    for name, href in assets_of(product).items():
        data = (output / href).read_bytes()
        told = item["assets"][name]
        # A multihash: 0x12 names sha256, 0x20 its 32 bytes.
        assert told["file:checksum"] == f"1220{hashlib.sha256(data).hexdigest()}"
        assert told["file:size"] == len(data)


@pytest.mark.parametrize(
    ("number", "scene"), [(0, "LC08_L1TP_016037_20170813_20170814_01_RT"), (1, "LC08_L1TP_090084_20160121_20170405_01_T1")]
)
def test_cloud_share_is_the_oracles(
    summary: "RunSummary", output: Path, oracles: dict[str, Any], number: int, scene: str
) -> None:
    told = oracles["cloud_mask"][number]
    with rasterio.open(file_of(summary, output, scene=scene, asset="qa")) as source:
        bits = source.read(1)
    seen = (bits & NODATA) == 0
    share = float(((bits & CLOUD) > 0)[seen].mean())
    assert share == pytest.approx(told["cloud_fraction"], abs=1e-3)


def test_sentinel2_files_lie_where_the_jp2s_lie(summary: "RunSummary", output: Path, scenes: Path) -> None:
    from swath.readers.registry import read_scene  # noqa: PLC0415

    scene = read_scene(str(scenes / "eodatasets" / f"{S2A}.zip"))
    compared = 0
    for _, name, path in (f for f in files_of(summary, output) if f[0] == S2A and f[1] in scene.assets):
        with rasterio.open(path) as made, rasterio.open(scene.assets[name].href) as delivered:
            assert (made.transform, made.shape, made.crs) == (delivered.transform, delivered.shape, delivered.crs), name
        compared += 1
    assert compared == 12


def test_a_quarter_of_the_sentinel2_scene_has_no_data(summary: "RunSummary", output: Path) -> None:
    with rasterio.open(file_of(summary, output, scene=S2A, asset="blue")) as source:
        blue = source.read(1)
    assert float((blue == -9999).mean()) == pytest.approx(0.27, abs=0.01)
