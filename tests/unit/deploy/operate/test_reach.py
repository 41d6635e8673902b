"""A run on this machine reaches a site's stores as its pods do."""

import json
from pathlib import Path

import pytest

from swath.deploy.operate.reach import reach_site
from swath.errors import ConfigError
from swath.stores.options import StoreOptions, store_options

SITE = """
site: bench
engine: spark-submit
link: none
stores:
  scenes: {kind: s3, uri: s3://landsat, region: us-west-2, requester_pays: true, profile: archive}
  products:
    {kind: s3-compatible, uri: s3://products/swath, endpoint: https://s3.dc.example:8443, region: external, addressing: path}
  folder: {kind: folder, uri: /data}
"""


@pytest.fixture
def site(tmp_path: Path) -> str:
    file = tmp_path / "bench.yaml"
    file.write_text(SITE, encoding="utf-8")
    return str(file)


def test_each_bucket_of_a_site_is_reached_its_own_way(site: str) -> None:
    environ: dict[str, str] = {}
    reach_site(site, environ)
    assert store_options("landsat", environ) == StoreOptions(region="us-west-2", requester_pays=True, profile="archive")
    assert store_options("products", environ) == StoreOptions(
        kind="s3-compatible", endpoint="https://s3.dc.example:8443", region="external", addressing="path"
    )
    assert "AWS_ENDPOINT_URL_S3" not in environ


def test_what_the_environment_says_already_stays(site: str) -> None:
    stores = {"SWATH_STORES": json.dumps({}), "SWATH_LOCK": "none", "SWATH_LEDGER": "delta"}
    for environ in (stores, {"SWATH_LINK": "none"}):
        before = dict(environ)
        reach_site(site, environ)
        assert environ == before


def test_a_run_from_here_uses_the_ledger_of_the_site() -> None:
    environ: dict[str, str] = {}
    reach_site("outposts-extended", environ)
    assert (environ["SWATH_LEDGER"], environ["SWATH_LOCK"]) == ("postgresql", "postgresql")


def test_the_laptop_has_nothing_to_reach_and_an_unknown_site_is_a_config_error() -> None:
    environ: dict[str, str] = {}
    reach_site("laptop", environ)
    assert environ == {}
    with pytest.raises(ConfigError, match="nowhere"):
        reach_site("nowhere", environ)


def test_hosts_that_searches_may_ask_reach_each_process(tmp_path: Path) -> None:
    file = tmp_path / "named.yaml"
    file.write_text(f'{SITE}search: {{hosts: [api.example.com, "*.example.org"]}}\n', encoding="utf-8")
    environ: dict[str, str] = {}
    reach_site(str(file), environ)
    assert environ["SWATH_HOSTS"] == "api.example.com,*.example.org"
    assert not {"SWATH_SEARCH_PAGES", "SWATH_SEARCH_GIB"} & environ.keys()
    file.write_text(f"{SITE}search: {{pages: 50, gib: 0.5}}\n", encoding="utf-8")
    reach_site(str(file), environ)
    assert (environ["SWATH_SEARCH_PAGES"], environ["SWATH_SEARCH_GIB"]) == ("50", "0.5")
    file.write_text(f"{SITE}search: {{hosts: ['https://api.example.com']}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="hosts"):
        reach_site(str(file), {})
