"""The bytes that every shipped site is given for every job; SWATH_UPDATE_EXAMPLES=1 writes their digests anew."""

import hashlib
import json
import os
from pathlib import Path

from swath.deploy.render.order import Order
from swath.deploy.render.plain import as_yaml
from swath.deploy.rendering import pod_templates, render
from swath.deploy.site.files import load_job, load_site, site_names
from swath.errors import ConfigError

_ROOT = Path(__file__).resolve().parents[2]
_KEPT = _ROOT / "tests" / "golden" / "renderings.json"
_RUN_ID = "ard-20261125t021500z-0a1b"


def _rendered(job: str, site: str) -> str:
    try:
        return render(Order(job=load_job(job), site=load_site(site), run_id=_RUN_ID))
    except ConfigError as error:
        return str(error)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _digests() -> dict[str, str]:
    jobs = sorted(path.stem for path in (_ROOT / "conf" / "jobs").glob("*.yaml"))
    runs = {f"{job} at {site}": _digest(_rendered(job, site)) for site in site_names() for job in jobs}
    templates = {site: pod_templates(load_site(site)).items() for site in site_names()}
    pods = {f"{role} pod of {site}": _digest(as_yaml(pod)) for site, both in templates.items() for role, pod in both}
    return runs | pods


def test_shipped_sites_are_given_the_same_bytes() -> None:
    found = _digests()
    if os.environ.get("SWATH_UPDATE_EXAMPLES"):
        _KEPT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    assert found == json.loads(_KEPT.read_text(encoding="utf-8")), f"SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"
