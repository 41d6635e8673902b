"""What a site's environment says, somebody reads."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

import swath
from swath.deploy.render.environment import environment
from swath.deploy.site.files import load_job, load_site, site_names

LIB = Path(swath.__file__).parent
RENDERER = LIB / "deploy" / "environment.py"


@pytest.mark.parametrize("name", site_names())
def test_every_variable_of_ours_is_read_by_the_code_that_runs(name: str) -> None:
    rendered = {v for v in environment(load_job("ard"), site=load_site(name)) if v.startswith("SWATH_")}
    text = "".join(p.read_text(encoding="utf-8") for p in LIB.rglob("*.py") if p != RENDERER)
    assert rendered
    assert rendered - set(re.findall(r'"(SWATH_[A-Z_]+)"', text)) == set()


def test_a_ledger_in_postgresql_models_and_prices_reach_the_run() -> None:
    names = ("outposts-extended", "outposts-local", "aws-region")
    extended, local, region = (dict(environment(load_job("ard"), site=load_site(n))) for n in names)
    # S3 on Outposts shows lists of yesterday: no Delta ledger there.
    assert extended["SWATH_LEDGER"] == "postgresql"
    assert (local["SWATH_LEDGER"], local["SWATH_LINK"]) == ("delta", "intermittent")
    assert local["SWATH_MODELS"].startswith("s3://")
    assert region["SWATH_PRICE_FILE"].endswith("/conf/prices/example.yaml")


def test_what_a_site_demands_of_models_reaches_the_run() -> None:
    site = load_site("kubernetes")
    strict = {"demands": ["reference", "signature"], "keys": ["/etc/swath/keys.yaml"], "revoked": "/etc/swath/revoked"}
    models = type(site.models).model_validate({"uri": site.models.uri, "licences": ["Apache-2.0", "MIT"], **strict})
    told = dict(environment(load_job("ard"), site=site.model_copy(update={"models": models})))
    assert told["SWATH_MODEL_LICENCES"] == "Apache-2.0,MIT"
    assert told["SWATH_MODEL_DEMANDS"] == "reference,signature"
    assert told["SWATH_MODEL_KEYS"] == "/etc/swath/keys.yaml"
    assert told["SWATH_MODEL_REVOKED"] == "/etc/swath/revoked"
    assert not any(name.startswith("SWATH_MODEL_") for name in environment(load_job("ard"), site=site))
    with pytest.raises(ValidationError, match=r"models\.demands: signature needs models\.keys"):
        type(site.models).model_validate({"demands": ["signature"]})
