"""The server's answers about a real output: values as rasterio reads them, and nothing for strangers."""

import io
import json
from typing import Any

import morecantile
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.warp import transform
from starlette.testclient import TestClient
from tests.view.conftest import Viewed


def _item(viewed: Viewed, product: str) -> tuple[dict[str, Any], Any]:
    path = next(viewed.root.glob(f"products/*/*/*/*/{product}/{product}.json"))
    return json.loads(path.read_bytes()), path.parent


def _tile_of(lon_deg: float, lat_deg: float, z: int) -> tuple[int, int]:
    tile = morecantile.tms.get("WebMercatorQuad").tile(lon_deg, lat_deg, z)
    return tile.x, tile.y


def test_the_page_opens_with_days_accounts_and_runs(client: TestClient, viewed: Viewed) -> None:
    told = client.get("/api/output").json()
    assert told["products"] == 2
    assert told["collections"] == ["mapped-landsat-oli", "mapped-sentinel-2-msi"]
    assert told["days"]["2024-08-05"] == {"reused": 1}
    assert [r["run_id"] for r in told["runs"]] == ["second", "first"]
    listed = {p["id"]: p for p in client.get("/api/products").json()["products"]}
    assert (listed[viewed.landsat]["run"], listed[viewed.landsat]["met_by"]) == ("first", "second")
    assert (listed[viewed.sentinel]["state"], listed[viewed.sentinel]["run"]) == ("made", "second")


def test_products_are_found_by_day_state_and_words(client: TestClient, viewed: Viewed) -> None:
    def ids(**asked: str) -> list[str]:
        return [p["id"] for p in client.get("/api/products", params=asked).json()["products"]]

    assert ids(first="2024-08-05", last="2024-08-05") == [viewed.landsat]
    assert ids(state="made") == [viewed.sentinel]
    assert ids(words="lc09") == [viewed.landsat]
    assert ids(collection="mapped-sentinel-2-msi") == [viewed.sentinel]
    assert ids(first="2025-01-01") == []
    assert len(ids(limit="1")) == 1
    assert client.get("/api/products", params={"limit": "1"}).json()["total"] == 2


def test_quarantine_tells_its_message_and_is_where_its_path_and_row_are(client: TestClient, viewed: Viewed) -> None:
    (refused,) = client.get("/api/quarantine").json()
    landsat, _ = _item(viewed, viewed.landsat)
    assert refused["scene_id"] == viewed.broken
    assert refused["error"] == "read"
    assert refused["day"] == "2024-08-21"
    assert "a raster is truncated" in refused["message"]
    assert refused["bbox"] == landsat["bbox"]


@pytest.mark.parametrize("which", ["landsat", "sentinel"])
def test_a_pixel_has_the_values_that_rasterio_reads(client: TestClient, viewed: Viewed, which: str) -> None:
    product = getattr(viewed, which)
    item, folder = _item(viewed, product)
    west, south, east, north = item["bbox"]
    random = np.random.default_rng(3)
    compared = 0
    for lon, lat in zip(random.uniform(west, east, 6), random.uniform(south, north, 6), strict=True):
        told = client.get(f"/api/products/{product}/point", params={"lon": lon, "lat": lat}).json()
        for reading in told["readings"]:
            asset = item["assets"][reading["asset"]]
            with rasterio.open(folder / asset["href"]) as raster:
                xs, ys = transform("EPSG:4326", raster.crs, [lon], [lat])
                row, column = raster.index(xs[0], ys[0])
                stored = raster.read(1)[row, column]
            assert reading["stored"] == stored, (reading, lon, lat)
            if stored == asset.get("nodata"):
                assert reading["value"] is None
            else:
                wanted = stored * asset.get("raster:scale", 1.0) + asset.get("raster:offset", 0.0)
                assert reading["value"] == pytest.approx(wanted, rel=1e-5)
                assert reading["unit"] == asset.get("unit", "")
            compared += 1
    assert compared > 30


def test_a_pixel_tells_class_bits_and_model_in_words(client: TestClient, viewed: Viewed) -> None:
    item, folder = _item(viewed, viewed.landsat)
    with rasterio.open(folder / item["assets"]["qa"]["href"]) as raster:
        qa = raster.read(1)
        row, column = (int(v) for v in np.argwhere(qa & 1 << 2)[0])  # a cloudy pixel
        xs, ys = raster.xy(row, column)
        lons, lats = transform(raster.crs, "EPSG:4326", [xs], [ys])
    told = client.get(f"/api/products/{viewed.landsat}/point", params={"lon": lons[0], "lat": lats[0]}).json()
    by_asset = {r["asset"]: r for r in told["readings"]}
    set_bits = [
        b["description"] for b in item["assets"]["qa"]["classification:bitfields"] if int(qa[row, column]) >> b["offset"] & 1
    ]
    assert by_asset["qa"]["words"] == set_bits
    assert "Cloud" in set_bits
    classes = {c["value"]: c["description"] for c in item["assets"]["landcover"]["classification:classes"]}
    assert by_asset["landcover"]["words"] == [classes[by_asset["landcover"]["stored"]]]
    assert by_asset["landcover"]["model"] == item["properties"]["swath:models"][0]["digest"]
    assert told["trace"].endswith(f"{viewed.landsat}.json")


def test_a_place_outside_has_no_pixel(client: TestClient, viewed: Viewed) -> None:
    told = client.get(f"/api/products/{viewed.landsat}/point", params={"lon": -100.0, "lat": -40.0}).json()
    assert told["inside"] is False
    assert told["readings"] == []


def test_a_class_tile_has_the_colour_of_the_class_under_it(client: TestClient, viewed: Viewed) -> None:
    item, _ = _item(viewed, viewed.sentinel)
    colours = {c["value"]: c["color_hint"] for c in item["assets"]["landcover"]["classification:classes"]}
    west, south, east, north = item["bbox"]
    x, y = _tile_of((west + east) / 2, (south + north) / 2, 16)
    answer = client.get(f"/api/products/{viewed.sentinel}/tiles/landcover/16/{x}/{y}.png")
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)))
    w, s, e, n = morecantile.tms.get("WebMercatorQuad").xy_bounds(morecantile.Tile(x, y, 16))
    compared = 0
    for row, column in ((60, 60), (128, 128), (200, 90)):
        lons, lats = transform("EPSG:3857", "EPSG:4326", [w + (column + 0.5) * (e - w) / 256], [n - (row + 0.5) * (n - s) / 256])
        told = client.get(f"/api/products/{viewed.sentinel}/point", params={"lon": lons[0], "lat": lats[0]}).json()
        stored = next((r["stored"] for r in told["readings"] if r["asset"] == "landcover"), 255)
        if stored != 255:
            assert tuple(pixels[row, column]) == (*bytes.fromhex(colours[stored]), 255)
            compared += 1
    assert compared >= 2
    hidden = client.get(f"/api/products/{viewed.sentinel}/tiles/landcover/16/{x}/{y}.png", params={"show": ""})
    assert not np.asarray(Image.open(io.BytesIO(hidden.content)))[..., 3].any()


@pytest.mark.parametrize("layer", ["true-colour", "before", "thumbnail", "qa", "cloud", "red", "lwir11"])
def test_every_kind_of_layer_is_drawn(client: TestClient, viewed: Viewed, layer: str) -> None:
    item, _ = _item(viewed, viewed.landsat)
    west, south, east, north = item["bbox"]
    x, y = _tile_of((west + east) / 2, (south + north) / 2, 13)
    show = {"show": "7,8,11"} if layer == "qa" else {}
    answer = client.get(f"/api/products/{viewed.landsat}/tiles/{layer}/13/{x}/{y}.png", params=show)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert pixels.shape == (256, 256, 4)
    assert pixels[..., 3].any()
    if layer in {"true-colour", "before", "thumbnail", "red", "lwir11"}:
        assert pixels[pixels[..., 3] > 0][:, :3].std() > 5


def test_pictures_before_and_after_are_in_the_place_of_the_pixels(client: TestClient, viewed: Viewed) -> None:
    """The picture after correction and true colour of the same tile agree: shifted by some pixels they would not."""
    item, _ = _item(viewed, viewed.sentinel)
    west, south, east, north = item["bbox"]
    x, y = _tile_of((west + east) / 2, (south + north) / 2, 14)

    def grey(layer: str) -> tuple[Any, Any]:
        answer = client.get(f"/api/products/{viewed.sentinel}/tiles/{layer}/14/{x}/{y}.png")
        pixels = np.asarray(Image.open(io.BytesIO(answer.content))).astype(float)
        return pixels[..., :3].mean(axis=-1), pixels[..., 3] > 0

    (after, after_valid), (colour, colour_valid) = grey("thumbnail"), grey("true-colour")
    valid = after_valid & colour_valid
    alike = np.corrcoef(after[valid], colour[valid])[0, 1]
    shifted = np.corrcoef(np.roll(after, 12, axis=1)[valid], colour[valid])[0, 1]
    assert alike > 0.9
    assert alike > shifted + 0.05


def test_a_stretch_follows_the_values_of_the_overview(client: TestClient, viewed: Viewed) -> None:
    item, folder = _item(viewed, viewed.landsat)
    told = client.get(f"/api/products/{viewed.landsat}/range/red").json()
    with rasterio.open(folder / item["assets"]["red"]["href"]) as raster:
        values = raster.read(1, masked=True).compressed() * item["assets"]["red"]["raster:scale"]
    assert told["low"] == pytest.approx(np.percentile(values, 2), abs=2e-3)
    assert told["high"] == pytest.approx(np.percentile(values, 98), abs=2e-2)
    assert sum(told["bins"]) >= 0.98 * values.size


def test_report_log_and_item_are_linked_and_open(client: TestClient, viewed: Viewed) -> None:
    links = client.get(f"/api/products/{viewed.landsat}").json()["links"]
    assert set(links) == {"item", "report", "log"}
    assert all(client.get(href).status_code == 200 for href in links.values())
    assert "sandbox" in client.get(links["report"]).headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/out/../../../../etc/passwd",
        "/out/%2e%2e/%2e%2e/etc/passwd",
        "/out/reports/..%2f..%2fetc%2fpasswd.html",
        "/out/reports/%2e%2e/ledger.json",
        "/out//etc/passwd",
        "/out/tables/products/_delta_log/00000000000000000000.json",
        "/out/.lock",
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/vendor/..%2f..%2fapp.py",
        "/api/products/..%2f..%2fetc",
        "/api/products/nothing/point?lon=1&lat=1",
    ],
)
def test_no_path_leads_out(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"root:" not in answer.content
    assert b"import" not in answer.content


def test_a_link_that_leads_out_of_the_output_is_not_followed(client: TestClient, viewed: Viewed) -> None:
    link = viewed.root / "reports" / "out.html"
    link.symlink_to("/etc/passwd")
    try:
        assert client.get("/out/reports/out.html").status_code == 404
    finally:
        link.unlink()


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:8000"},
        {"host": "127.0.0.1.evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
def test_another_origin_gets_nothing(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get("/api/output", headers=headers)
    assert answer.status_code == 403
    assert b"products" not in answer.content


def test_our_own_page_is_answered(client: TestClient) -> None:
    own = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    assert client.get("/api/output", headers=own).status_code == 200
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status_code == 200
    assert client.post("/api/output").status_code == 403


def test_the_page_may_reach_this_server_alone(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("asked", ["lon=x&lat=1", "lon=nan&lat=1", "lon=1", "lon=1&lat=inf"])
def test_a_place_that_is_no_number_is_refused(client: TestClient, viewed: Viewed, asked: str) -> None:
    answer = client.get(f"/api/products/{viewed.landsat}/point?{asked}")
    assert answer.status_code == 400
    assert "is not a number" in answer.text


@pytest.mark.parametrize("tile", ["red/2/9/0", "red/40/1/1", "nothing/1/0/0"])
def test_a_tile_that_cannot_be_is_not_found(client: TestClient, viewed: Viewed, tile: str) -> None:
    assert client.get(f"/api/products/{viewed.landsat}/tiles/{tile}.png").status_code == 404


def test_an_unknown_ramp_is_refused_by_name(client: TestClient, viewed: Viewed) -> None:
    answer = client.get(f"/api/products/{viewed.landsat}/tiles/red/1/0/0.png", params={"ramp": "jet"})
    assert answer.status_code == 400
    assert "expected one of gray" in answer.text


def test_a_product_leads_to_its_models_own_item(viewed: Viewed) -> None:
    item, folder = _item(viewed, viewed.landsat)
    (link,) = [entry for entry in item["links"] if entry["rel"] == "mlm:model"]
    model = json.loads((folder / link["href"]).read_text(encoding="utf-8"))
    assert model["properties"]["swath:digest"] == item["properties"]["swath:models"][0]["digest"]
    named = {c["name"] for c in model["properties"]["mlm:output"][0]["classification:classes"]}
    assert named == {c["name"] for c in item["assets"]["landcover"]["classification:classes"]}
