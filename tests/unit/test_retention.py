"""What a pipeline and a site say of how long things are kept."""

from pathlib import Path

import pytest

from swath.config import load_pipeline
from swath.deploy.site.files import load_site
from swath.errors import ConfigError
from swath.retention import KeepRule, KeepRules


@pytest.mark.parametrize("text", ["1 day", "400 days", "1 version", "3 versions", "never"])
def test_a_rule_is_read_as_it_is_written(text: str) -> None:
    assert str(KeepRule.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "0 days", "-1 days", "30", "30d", "2 weeks", "ever", "1.5 days", "400  days", "999999 days"]
)
def test_anything_else_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="expected a rule such as `400 days`, `2 versions` or `never`"):
        KeepRule.parse(text)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"logs": "2 versions"}, "logs have no versions"),
        ({"repotrs": "30 days"}, "expected a collection, such as ard-landsat-oli, or one of reports, logs, metrics"),
        ({"ard-landsat-oli": "30"}, "retention of ard-landsat-oli: '30': expected a rule"),
    ],
)
def test_names_are_collections_or_kinds(rules: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        KeepRules.parse(rules)


def test_the_first_to_say_something_of_a_collection_is_heard() -> None:
    site = KeepRules.parse({"ard-landsat-oli": "never", "logs": "90 days", "metrics": "never"})
    pipeline = KeepRules.parse({"ard-landsat-oli": "30 days", "ard-sentinel2-msi": "2 versions"})
    both = site.over(pipeline)
    assert {n: str(r) for n, r in both.products.items()} == {"ard-landsat-oli": "never", "ard-sentinel2-msi": "2 versions"}
    assert both.kinds == {"logs": 90}
    assert both.kept("metrics") is None


def test_a_site_and_a_pipeline_are_refused_with_the_field(tmp_path: Path) -> None:
    text = "site: bench\nengine: spark-submit\nlink: always\nstores: {}\nretention: {ard-landsat-oli: 30}\n"
    site = tmp_path / "bench.yaml"
    site.write_text(text.replace("30}", "'30 days', logs: 9 versions}"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"retention.*logs have no versions"):
        load_site(str(site))
    site.write_text(text.replace("30}", "30 days}"), encoding="utf-8")
    assert load_site(str(site)).retention == {"ard-landsat-oli": "30 days"}
    pipeline = tmp_path / "toa.yaml"
    given = "name: toa\nsteps: [toa]\nassets: {required: [toa]}\nretention: {%s: 30 days}\n"
    pipeline.write_text(given % "ard-landsat-oli", encoding="utf-8")
    with pytest.raises(ConfigError, match="a pipeline says how long its own collections are kept, such as toa-landsat-oli"):
        load_pipeline(str(pipeline))
    pipeline.write_text(given % "toa-landsat-oli", encoding="utf-8")
    assert load_pipeline(str(pipeline)).retention == {"toa-landsat-oli": "30 days"}
