"""``docs/matrix.md``: what swath is tested with, read from where versions are pinned. SWATH_UPDATE_EXAMPLES=1 writes it anew."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml
from tests.deploy.test_examples import kept

from swath.cli.doctor_site import _engine
from swath.deploy.emr_on_eks.releases import RELEASES, release_of
from swath.deploy.render.spark_conf import OLDEST_READER
from swath.deploy.site.files import load_site, site_names
from swath.spark.start.jars import DELTA_VERSION
from swath.spark.start.s3a_jars import S3A_PACKAGES

_ROOT = Path(__file__).resolve().parents[2]
_LOCKS = _ROOT / "tests" / "deploy" / "locks"
_HEAD = """# What swath is tested with

Made by `tests/deploy/test_matrix.py` from the places where versions are pinned.

"""


def _locked(path: Path, name: str) -> str:
    found = re.search(rf"^{re.escape(name)}==(\S+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert found is not None, f"{name} is not in {path}"
    return found[1]


def _said(path: str, pattern: str) -> str:
    found = re.search(pattern, (_ROOT / path).read_text(encoding="utf-8"))
    assert found is not None, f"{pattern} is not in {path}"
    return found[1]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _engines() -> Iterator[tuple[str, ...]]:
    lock = _ROOT / "requirements.lock"
    python = _said("setup.py", r'python_requires="([^"]+)"')
    hadoop = next(each for each in S3A_PACKAGES if ":hadoop-aws:" in each).rpartition(":")[2]
    yield "our image, `spark-submit`", _locked(lock, "pyspark"), DELTA_VERSION, "2.13", f"{python}, S3A {hadoop}", "the lock's"
    for release in RELEASES:
        yield (
            f"`{release.tested}`",
            release.spark,
            release.delta,
            release.scala,
            "3.11, S3A of EMR",
            f"until {release.ends}; rendered, never run here",
        )


def _services() -> Iterator[tuple[str, ...]]:
    lock, kinds = _ROOT / "requirements.lock", json.loads((_LOCKS / "kinds" / "package.json").read_text(encoding="utf-8"))
    operator = next(
        made["spec"]["chart"]["spec"]["version"]
        for made in yaml.safe_load_all((_ROOT / "spark-operator/flux/operator/operator.yaml").read_text(encoding="utf-8"))
        if made["kind"] == "HelmRelease"
    )
    yield "Kubernetes", f"{_said('docs/deploy-security.md', r'needs Kubernetes ([0-9.]*[0-9])')} or later", "admission policy"
    flux, kubernetes = re.findall(
        r"Flux ([0-9.]+) \(Kubernetes ([0-9.]+) or later\)", (_ROOT / "docs/deploy-flux.md").read_text()
    )[0]
    types = kinds["dependencies"]["@kubernetes-models/flux-cd"]
    yield "Flux", f"{flux} (Kubernetes {kubernetes} or later)", f"types of `@kubernetes-models/flux-cd` {types}"
    types = kinds["dependencies"]["@kubernetes-models/argo-workflows"]
    yield (
        "Argo Workflows",
        f"hera {_locked(_LOCKS / 'hera.lock', 'hera')}",
        f"types of `@kubernetes-models/argo-workflows` {types}",
    )
    yield "Spark Operator", operator, "CRDs and webhook rules of this version"
    airflow, amazon = (_locked(_LOCKS / "airflow.lock", n) for n in ("apache-airflow", "apache-airflow-providers-amazon"))
    yield "Airflow", airflow, f"runs in tests; provider amazon {amazon}"
    yield "Prefect", _locked(_LOCKS / "prefect.lock", "prefect"), "runs in tests"
    reader, writer = OLDEST_READER.values()
    yield "Delta protocol", f"reader {reader}, writer {writer}", "tables of every site are read by every other"
    yield "pgSTAC", _locked(lock, "pypgstac"), "migrated and searched in tests, on PostgreSQL 15 with PostGIS 3"
    yield "MLflow", _locked(lock, "mlflow"), "its server runs in tests"


def test_the_page_is_that_of_the_pinned_versions() -> None:
    engines = _table(("runtime", "Spark", "Delta", "Scala", "Python", "support"), list(_engines()))
    services = _table(("beside it", "version", "tested by"), list(_services()))
    text = f"{_HEAD}{engines}\n{services}"
    assert kept(_ROOT / "docs" / "matrix.md", text) == text, f"SWATH_UPDATE_EXAMPLES=1 pytest {__file__}"


@pytest.mark.parametrize("name", site_names())
def test_shipped_sites_have_a_release_of_the_matrix(name: str) -> None:
    site = load_site(name)
    release = release_of(site.cluster.release_label)
    assert (release is not None) == (site.engine == "emr-on-eks")
    assert release is None or release.spark == site.spark_version


@pytest.mark.parametrize(
    ("today", "level", "told"),
    [
        (date(2026, 11, 20), "ok", "until 2027-05-20, 181 days from now"),
        (date(2026, 11, 21), "warning", "until 2027-05-20, 180 days from now"),
        (date(2027, 5, 20), "warning", "until 2027-05-20, 0 days from now"),
        (date(2027, 5, 21), "warning", "no longer: it ended on 2027-05-20"),
    ],
)
def test_the_doctor_warns_half_a_year_before_a_release_ends(today: date, level: str, told: str) -> None:
    (finding,) = _engine(load_site("aws-region"), today=today)
    assert finding.level == level
    assert told in finding.found
    assert bool(finding.remedy) == (level == "warning")


def test_the_doctor_says_nothing_where_no_end_is_known() -> None:
    assert list(_engine(load_site("kubernetes"))) == []
