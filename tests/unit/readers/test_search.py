import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from swath.errors import ConfigError
from swath.readers.discover import discover
from swath.readers.search import is_search, parse_search


def _item(number: int) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": f"scene-{number}",
        "collection": "landsat",
        "geometry": None,
        "properties": {"datetime": f"2024-01-0{number}T00:00:00Z"},
        "links": [],
        "assets": {},
    }


PLAIN = _item(1)


class StacApi(BaseHTTPRequestHandler):
    """A STAC API of three items, two a page."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        if self.path.rstrip("/") != "/api":
            self.send_error(404)
            return
        root = f"http://{self.headers['Host']}/api"
        self._answer({
            "type": "Catalog",
            "id": "fake",
            "stac_version": "1.0.0",
            "description": "fake",
            "conformsTo": ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"],
            "links": [
                {"rel": "self", "href": root},
                {"rel": "root", "href": root},
                {"rel": "search", "href": f"{root}/search", "method": "POST", "type": "application/geo+json"},
            ],
        })  # fmt: skip

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        first = int(body.get("token", 0))
        numbers = [1, 2, 3][first : first + 2]
        following = {"rel": "next", "method": "POST", "href": f"http://{self.headers['Host']}/api/search"}
        links = [{**following, "body": {**body, "token": first + 2}}] if first + 2 < 3 else []
        self._answer({"type": "FeatureCollection", "features": [_item(n) for n in numbers], "links": links})

    def _answer(self, document: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    StacApi.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), StacApi)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    thread.join()
    server.server_close()


def test_all_pages_of_a_search_are_scenes(api: str, tmp_path: Path) -> None:
    given = f"stac+{api}?collections=landsat,other&bbox=5,45,6,46&datetime=2024-01-01/2024-02-01&limit=2"
    found = list(discover([given], scratch=str(tmp_path)))
    (kept,) = tmp_path.glob("search-*")
    assert found == [str(kept / f"landsat.scene-{n}.json") for n in (1, 2, 3)]
    assert json.loads(Path(found[1]).read_text()) == _item(2)
    assert StacApi.asked[0]["collections"] == ["landsat", "other"]
    assert StacApi.asked[0]["bbox"] == [5.0, 45.0, 6.0, 46.0]
    assert StacApi.asked[0]["datetime"] == "2024-01-01T00:00:00Z/2024-02-01T23:59:59Z"
    assert [asked.get("token") for asked in StacApi.asked] == [None, 2]
    assert list(discover([found[0], str(kept)])) == [found[0], *found]


def test_an_item_id_cannot_name_a_place_outside(api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}._item", lambda number: {**PLAIN, "id": f"../../{number}"})
    (tmp_path / "deep").mkdir()
    found = list(discover([f"stac+{api}?collections=landsat"], scratch=str(tmp_path / "deep")))
    assert [Path(href).name for href in found] == [f"landsat...%2F..%2F{n}.json" for n in (1, 2, 3)]
    assert all(Path(href).parent.parent == tmp_path / "deep" for href in found)


def test_max_items_ends_the_search(api: str, tmp_path: Path) -> None:
    assert len(list(discover([f"{api}/search?collections=landsat&max_items=1"], scratch=str(tmp_path)))) == 1


def test_an_address_that_is_no_api_is_a_config_error(api: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the STAC search 'stac\+http.*nothing\?collections=x' failed: .* Check the address"):
        list(discover([f"stac+{api}/nothing?collections=x"], scratch=str(tmp_path)))


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
    root, parameters = parse_search("https://host/v1/search?query=eo:cloud_cover%3C20&query=gsd%3D30&ids=a,b&max_items=5")
    assert root == "https://host/v1"
    assert parameters == {"query": ["eo:cloud_cover<20", "gsd=30"], "ids": ["a", "b"], "max_items": 5}


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
