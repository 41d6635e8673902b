import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.readers.stac_api import Api, Json, item_of, serving

from swath.errors import ConfigError, ServiceError
from swath.readers.discover import discover
from swath.readers.files import fetch
from swath.readers.stac import search_pages
from swath.readers.stac.item import read_item
from swath.readers.stac.search import is_search, parse_search


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def root(api: Api) -> Iterator[str]:
    with serving(api) as root:
        yield root


def find(href: str, folder: Path, **options: Any) -> list[str]:
    return list(discover([href], scratch=str(folder), **options))


def names(found: list[str]) -> list[str]:
    return [Path(href).name for href in found]


def test_all_pages_of_a_search_are_scenes(api: Api, root: str, tmp_path: Path) -> None:
    given = f"stac+{root}?collections=landsat,other&bbox=5,45,6,46&datetime=2024-01-01/2024-02-01&limit=2"
    said: list[str] = []
    found = find(given, tmp_path, say=said.append)
    (kept,) = tmp_path.glob("search-*/")
    assert found == [str(kept / f"landsat.scene-{n}.json") for n in (1, 2, 3)]
    item = read_item(found[1])
    assert {k: v for k, v in item.record.items() if k != "swath:search"} == item_of(2)
    assert (
        item.canonical()
        == json.dumps({k: v for k, v in item_of(2).items() if k != "links"}, sort_keys=True, separators=(",", ":")).encode()
    )
    assert api.asked[0]["collections"] == ["landsat", "other"]
    assert api.asked[0]["bbox"] == [5.0, 45.0, 6.0, 46.0]
    assert api.asked[0]["datetime"] == "2024-01-01T00:00:00Z/2024-02-01T23:59:59Z"
    assert [(a.get("token"), a["limit"]) for a in api.asked] == [(None, 2), (2, 2)]
    assert said == ["search of 127.0.0.1: 2 items", "search of 127.0.0.1: 3 items"]
    assert list(discover([found[0], str(kept)])) == [found[0], *found]


def test_an_api_that_has_get_alone_is_paged_by_get(api: Api, root: str, tmp_path: Path) -> None:
    api.methods = ("GET",)
    assert len(find(f"stac+{root}?collections=landsat&limit=1", tmp_path)) == 3
    assert [a.get("token") for a in api.asked] == [None, "1", "2"]


def test_an_api_that_refuses_post_after_all_is_asked_by_get(api: Api, root: str, tmp_path: Path) -> None:
    api.landing = lambda: {**Api(root=root).landing()}  # type: ignore[method-assign]  # says POST
    api.methods = ("GET",)
    assert len(find(f"stac+{root}?collections=landsat", tmp_path)) == 3


def test_an_answer_that_was_kept_to_its_end_is_used_again(api: Api, root: str, tmp_path: Path) -> None:
    given = f"stac+{root}?collections=landsat"
    found = find(given, tmp_path)
    api.items = [item_of(n) for n in (4, 5)]
    assert find(given, tmp_path) == found
    assert names(find(f"{given}&limit=9", tmp_path)) == ["landsat.scene-4.json", "landsat.scene-5.json"]


def test_an_answer_that_broke_off_is_asked_for_again(api: Api, root: str, tmp_path: Path) -> None:
    api.pages = lambda number, _: {"features": [item_of(number)], "links": [{"rel": "next", "href": "nowhere"}]}
    given = f"stac+{root}?collections=landsat"
    with pytest.raises(ConfigError, match=r"failed: http\S+/nowhere: HTTP 404"):
        find(given, tmp_path)
    api.pages = None
    assert len(find(given, tmp_path)) == 3


def test_an_item_id_cannot_name_a_place_outside(api: Api, root: str, tmp_path: Path) -> None:
    api.items = [item_of(1, id="../../1"), item_of(2, id="x" * 300), item_of(3, id="\ud800")]
    (tmp_path / "deep").mkdir()
    found = find(f"stac+{root}?collections=landsat&limit=3", tmp_path / "deep")
    assert names(found)[0] == "landsat...%2F..%2F1.json"
    assert all(Path(href).parent.parent == tmp_path / "deep" and len(Path(href).name) < 200 for href in found)
    assert len(set(found)) == 3


def test_the_same_item_is_kept_once_and_another_one_of_its_id_too(api: Api, root: str, tmp_path: Path) -> None:
    links = [{"rel": "self", "href": f"{root}/x"}]
    other = item_of(1, properties={"datetime": "2024-01-09T00:00:00Z"})
    api.items = [item_of(1), item_of(2), item_of(1, links=links), other, item_of(1, collection="sentinel")]
    said: list[str] = []
    found = find(f"stac+{root}?ids=scene-1", tmp_path, say=said.append)
    assert [json.loads(Path(f).read_text())["properties"]["datetime"][8:10] for f in found] == ["01", "02", "09", "01"]
    assert len(set(found)) == 4
    assert said[-1].endswith("4 items; 1 came twice")


def test_max_items_ends_the_search(api: Api, root: str, tmp_path: Path) -> None:
    assert len(find(f"{root}/search?collections=landsat&max_items=1", tmp_path)) == 1
    assert len(api.asked) == 1


def test_an_address_that_is_no_api_is_a_config_error(root: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"the STAC search 'stac\+http.*nothing\?collections=x' failed: .*404.* Check the address"
    ):
        find(f"stac+{root}/nothing?collections=x", tmp_path)


def test_an_api_that_is_away_is_a_service_error_in_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_FIRST_WAIT_S", 0.01)
    said: list[str] = []
    told = r"the STAC search .* got no answer: http\S+ does not answer: Failed to establish a new connection: \[Errno 111\] Conn"
    with pytest.raises(ServiceError, match=told):
        find("stac+http://127.0.0.1:9/api?collections=x", tmp_path, say=said.append)
    assert said[0].startswith("127.0.0.1 gives no answer (Failed to establish a new connection: [Errno 111] Connection refused)")


def test_a_busy_server_is_waited_for_as_long_as_it_asks(api: Api, root: str, tmp_path: Path) -> None:
    api.first = [(429, {"Retry-After": "0.3"}), (503, {})]
    said: list[str] = []
    since = time.monotonic()
    assert len(find(f"stac+{root}?collections=landsat", tmp_path, say=said.append)) == 3
    assert time.monotonic() - since > 0.8
    assert said[:2] == [
        "127.0.0.1 answers HTTP 429: asking again in 0.3 s",
        "127.0.0.1 answers HTTP 503: asking again in 1.0 s",
    ]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"code": 500, "description": "no"}, r"page 1 has no list of features; it has code, description"),
        ({"type": "FeatureCollection", "features": None}, r"page 1 has no list of features"),
        ([1], r"page 1 has no list of features; it has list"),
        (b"<html>?sig=abc", r"page 1 is not JSON: it begins with '<html>\?\.\.\.'"),
    ],
)
def test_a_body_without_features_is_named(api: Api, root: str, tmp_path: Path, *, page: Any, message: str) -> None:
    api.pages = lambda *_: page
    with pytest.raises(ConfigError, match=message):
        find(f"stac+{root}?collections=x", tmp_path)


def test_pages_without_an_end_are_left(api: Api, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(number: int, root: str, *, features: list[Json], following: str) -> Json:
        return {"features": features, "links": [{"rel": "next", "href": f"{root}/search?page={following or number}"}]}

    api.methods = ("GET",)
    api.pages = lambda n, r: page(n, r, features=[item_of(1)], following="same")
    with pytest.raises(ConfigError, match="page 3 of the answer has the address of an earlier one"):
        find(f"stac+{root}?collections=x", tmp_path)
    api.pages = lambda n, r: page(n, r, features=[], following="")
    with pytest.raises(ConfigError, match="20 pages without a feature; narrow the search"):
        find(f"stac+{root}?collections=x", tmp_path)
    monkeypatch.setenv("SWATH_SEARCH_PAGES", "5")
    api.pages = lambda n, r: page(n, r, features=[item_of(1)], following="")
    with pytest.raises(ConfigError, match=r"more than 5 pages; .* allow more: search.pages of the site, SWATH_SEARCH_PAGES"):
        find(f"stac+{root}?collections=x", tmp_path)
    monkeypatch.setenv("SWATH_SEARCH_GIB", "1e-7")
    with pytest.raises(ConfigError, match=r"more than 1e-07 GiB; .* allow more: search.gib of the site, SWATH_SEARCH_GIB"):
        find(f"stac+{root}?collections=x", tmp_path)


def test_an_endless_page_is_left(api: Api, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_pages, "MAX_PAGE_BYTES", 10_000)
    api.pages = lambda *_: b" " * 200_000
    with pytest.raises(ConfigError, match="is larger than 10000 bytes"):
        find(f"stac+{root}?collections=x", tmp_path)


def test_a_next_link_and_a_redirect_lead_to_named_hosts_only(
    api: Api, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = root.replace("127.0.0.1", "localhost")
    asked = f"stac+{root}?collections=x"
    api.pages = lambda number, _: {
        "features": [item_of(number)],
        "links": [{"rel": "next", "href": f"{elsewhere}/search?sig=abc"}],
    }
    with pytest.raises(
        ConfigError, match=r"is not contacted: the host localhost was not named\. Name it: search\.hosts"
    ) as error:
        find(asked, tmp_path)
    assert "abc" not in str(error.value)
    api.pages = None
    for target in (f"{elsewhere}/search", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"):
        api.first = [(307, {"Location": target})]
        with pytest.raises(ConfigError, match=r"is not contacted: .*(was not named|neither http nor https)"):
            find(asked, tmp_path)
    api.first = [(307, {"Location": f"{elsewhere}/search"})]
    assert len(find(f"{asked}&hosts=localhost", tmp_path)) == 3
    monkeypatch.setenv("SWATH_HOSTS", "api.example.com, *.example.org")
    with pytest.raises(ConfigError, match=r"the host 127\.0\.0\.1 was not named"):
        find(asked, tmp_path)


def test_a_password_goes_to_its_host_and_nowhere_else(api: Api, root: str, tmp_path: Path) -> None:
    elsewhere = root.replace("127.0.0.1", "localhost")
    api.pages = lambda n, _: {
        "features": [item_of(n)],
        "links": [{"rel": "next", "href": f"{elsewhere}/search?n=2"}] if n == 1 else [],
    }
    api.methods = ("POST", "GET")
    found = find(f"stac+{root.replace('http://', 'http://me:s3cr%40t@')}?collections=x&hosts=localhost", tmp_path)
    assert len(found) == 2
    assert [h.get("Authorization") for h in api.headers] == ["Basic bWU6czNjckB0", None]
    assert not [p for p in tmp_path.rglob("*.json") if "s3cr" in p.read_text() or "s3cr" in str(p)]
    with pytest.raises(ConfigError, match=r"stac\+http://\.\.\.@127") as error:
        find(f"stac+{root.replace('http://', 'http://me:s3cr%40t@')}/no?collections=x", tmp_path)
    assert "s3cr" not in str(error.value)


def test_an_item_is_kept_with_absolute_addresses_and_without_signatures(api: Api, root: str, tmp_path: Path) -> None:
    here = tmp_path / "here.tif"
    here.touch()
    assets = {
        "a": {"href": "red.tif"}, "b": {"href": f"{root}/x/blue.tif?X-Amz-Signature=canary"}, "c": {"href": "s3://b/c.tif"},
        "d": {"href": str(here)}, "e": {"href": "/other/e.tif"}, "f": {"href": f"file://{here}"},
    }  # fmt: skip
    links = [{"rel": "self", "href": f"{root}/items/1?token=canary"}, {"rel": "thumbnail", "href": "x?sig=canary"}]
    api.items = [item_of(1, assets=assets, links=links)]
    (found,) = find(f"stac+{root}?collections=x", tmp_path)
    text = Path(found).read_text()
    assert "canary" not in text
    hrefs = {k: a["href"] for k, a in json.loads(text)["assets"].items()}
    base = root.removesuffix("/api")
    assert hrefs == {
        "a": f"{root}/items/red.tif", "b": f"{root}/x/blue.tif", "c": "s3://b/c.tif", "d": str(here), "e": f"{base}/other/e.tif",
        "f": str(here),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("stac+https://host/v1?collections=a", True),
        ("https://host/v1/search?collections=a", True),
        ("https://host/item.json", False),
        ("/data/search", False),
        ("s3://bucket/search", False),
    ],
)
def test_a_search_is_known_by_its_form(href: str, *, expected: bool) -> None:
    assert is_search(href) is expected


def test_the_parameters_are_those_of_pystac_client() -> None:
    asked = parse_search("https://host/v1/search?query=eo:cloud_cover%3C20&query=gsd%3D30&ids=a,b&max_items=5&hosts=*.x.org")
    assert asked.root == "https://host/v1"
    assert asked.parameters == {"query": ["eo:cloud_cover<20", "gsd=30"], "ids": ["a", "b"], "max_items": 5}
    assert asked.hosts.named == ("host", "*.x.org")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("collection=a", r"unknown parameter 'collection' .* expected bbox, collections, datetime"),
        ("bbox=a,b", r"the parameter 'bbox' .* is malformed: 'a,b'"),
        ("limit=many", r"the parameter 'limit' .* is malformed: 'many'"),
    ],
)
def test_wrong_parameters_are_named(query: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_search(f"https://host/search?{query}")
