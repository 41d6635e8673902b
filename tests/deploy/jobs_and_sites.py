"""Fixtures: jobs and sites for the tests of the renderers; the conftest.py of both folders imports them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from swath.deploy.render.order import Order
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site

ROOT = Path(__file__).resolve().parents[2]
RUN_ID = "ard-20261125t000000z-abcd"


@pytest.fixture(autouse=True)
def shipped_conf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_CONF", str(ROOT / "conf"))


@pytest.fixture
def job() -> JobSpec:
    return load_job("ard")


@pytest.fixture
def order(job: JobSpec) -> Callable[[str], Order]:
    """An order of the shipped job at a shipped site."""
    return lambda site: Order(job=job, site=load_site(site), run_id=RUN_ID)


@pytest.fixture
def change() -> Callable[..., Site]:
    """A shipped site with some fields replaced, checked anew."""

    def changed(name: str, **fields: object) -> Site:
        data = load_site(name).model_dump(mode="json", exclude_unset=True)
        for path, value in fields.items():
            *parents, last = path.split("__")
            place = data
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        return Site.model_validate(_memory_as_text(data))

    return changed


def _memory_as_text(data: object) -> object:
    """Memory is dumped as a mapping; files have text."""
    if isinstance(data, dict):
        if set(data) == {"mib"}:
            return f"{data['mib']}m"
        return {key: _memory_as_text(value) for key, value in data.items()}
    return data
