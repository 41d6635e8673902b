"""Sites follow a signed release: their digests change, and nothing else."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.deploy.bundles import key_pair

from swath.cli.sites import sites_group
from swath.deploy.site.files import load_site
from swath.errors import ConfigError
from swath.inference.signed_file import sign_file

ROOT = Path(__file__).resolve().parents[3]
NEW = f"sha256:{'7c' * 32}"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped sites, jobs and schedules."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copytree(ROOT / "spark-operator" / "flux" / "schedules" / "kubernetes", tmp_path / "schedules")
    monkeypatch.setenv("SWATH_CONF", str(tmp_path / "conf"))
    return tmp_path


def released(folder: Path, *names: str, key: str = "site") -> tuple[Path, Path]:
    """A signed images.json, and the public key of ``site``."""
    private, public = key_pair(folder, key)
    place = folder / "images"
    place.mkdir(exist_ok=True)
    (place / "swath.cdx.json").write_text("{}", encoding="utf-8")
    sbom = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    images = [
        {"name": f"registry.build.example/{n}", "tag": "t", "digest": NEW, "sbom": "swath.cdx.json", "sbom_sha256": sbom}
        for n in names
    ]
    plain = {"format": 1, "commit": "a" * 40, "lock_sha256": "b" * 64, "wheel_sha256": "c" * 64, "scan": "s", "images": images}
    path = place / "images.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    sign_file(path, key=private)
    return path, public


def pin(path: Path, public: Path, *words: str) -> Result:
    return CliRunner().invoke(sites_group, ["pin", str(path), "--key", str(public), *words])


def test_the_digest_is_written_and_the_schedule_rendered_and_nothing_else_changes(checkout: Path) -> None:
    path, public = released(checkout, "swath", "swath-emr")
    file = checkout / "conf" / "sites" / "kubernetes.yaml"
    before, old = file.read_text(encoding="utf-8"), load_site("kubernetes").image
    schedule = checkout / "schedules" / "ard-nightly.yaml"
    earlier = yaml.safe_load(schedule.read_text(encoding="utf-8"))
    words = ("--site", "kubernetes", "--schedules", str(checkout / "schedules"))
    done = pin(path, public, *words)
    assert done.exception is None, done.output
    image = f"{old.partition('@')[0]}@{NEW}"
    assert f"-> {NEW[:19]}, commit {'a' * 12}" in done.output
    assert file.read_text(encoding="utf-8") == before.replace(old, image)
    later = yaml.safe_load(schedule.read_text(encoding="utf-8"))
    assert later["spec"]["template"]["image"] == image
    told = {k for k in earlier["spec"]["template"] if earlier["spec"]["template"][k] != later["spec"]["template"][k]}
    assert "image" in told
    assert told <= {"image", "driver", "executor", "sparkConf"}
    again = pin(path, public, *words)
    assert (again.exit_code, again.output) == (0, "")


def test_each_site_takes_the_image_of_its_engine(checkout: Path) -> None:
    path, public = released(checkout, "swath", "swath-emr")
    assert pin(path, public, "--site", "aws-region", "--site", "eks-anywhere").exit_code == 0
    assert load_site("aws-region").image.endswith(f"/swath-emr@{NEW}")
    assert load_site("eks-anywhere").image == f"harbor.dc.example/swath/swath@{NEW}"


def test_what_is_not_released_or_not_signed_changes_nothing(checkout: Path) -> None:
    before = {p: p.read_bytes() for p in (checkout / "conf" / "sites").iterdir()}
    path, public = released(checkout, "swath")
    for words, said in (
        (("--site", "aws-region"), "swath-emr is not an image of this release: swath"),
        (("--site", "laptop"), "site laptop names no image"),
        (("--site", "kubernetes", "--site", "eks-anywhere", "--schedules", str(checkout)), "--schedules are of one site"),
    ):
        done = pin(path, public, *words)
        assert isinstance(done.exception, ConfigError)
        assert said in str(done.exception)
    _, other = key_pair(checkout, "other")
    assert isinstance(pin(path, other, "--site", "kubernetes").exception, ConfigError)
    path.write_text(path.read_text(encoding="utf-8").replace(NEW, f"sha256:{'0' * 64}"), encoding="utf-8")
    assert isinstance(pin(path, public, "--site", "kubernetes").exception, ConfigError)
    assert {p: p.read_bytes() for p in (checkout / "conf" / "sites").iterdir()} == before
