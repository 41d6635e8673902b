"""CI in AWS: what CodeBuild does, what the pipeline may do, and the images of a commit."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.deploy.bundles import key_pair, registry
from tests.deploy.environments import ROOT, environment
from tests.deploy.test_cloudformation import _listed, _Tags

from swath.cli.images import images_command, verify_command
from swath.deploy.release.released import IMAGES, Release, ReleasedImage, sha256_of
from swath.deploy.release.scan import scan
from swath.errors import ConfigError
from swath.inference.signed_file import sign_file

CI = ROOT / "emr-on-eks" / "ci"
TEMPLATES = [CI / "pipeline.yaml", ROOT / "emr-on-eks" / "events" / "queue.yaml", ROOT / "emr-on-eks" / "database.yaml"]
SAGEMAKER = ROOT / "emr-on-eks" / "sagemaker.yaml"
#: Statements that no narrower resource can have, with the reason.
WIDE = {
    "RegistryToken": "ecr:GetAuthorizationToken knows no resource: a token is of the account's registry",
    "PackagesOfTheGroup": "sagemaker:ListModelPackages: whether IAM takes a group there was not tried",
}


def _read(template: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader=_Tags)  # noqa: S506
    return loaded


def _statements(template: Path) -> Iterator[dict[str, Any]]:
    for resource in _read(template)["Resources"].values():
        properties = resource.get("Properties", {})
        for policy in [properties, *properties.get("Policies", [])]:
            yield from policy.get("PolicyDocument", {}).get("Statement", [])


@pytest.mark.parametrize("template", [*TEMPLATES, SAGEMAKER], ids=lambda p: p.stem)
def test_cfn_lint_finds_nothing_and_nobody_may_do_everything(template: Path) -> None:
    words = [str(Path(sys.executable).with_name("cfn-lint")), str(template)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    statements = {s["Sid"]: s for s in _statements(template)}
    assert statements
    assert not [a for s in statements.values() for a in _listed(s["Action"]) if "*" in a]
    assert {sid for sid, s in statements.items() if "*" in _listed(s["Resource"])} <= set(WIDE)


@pytest.mark.tools
@pytest.mark.timeout(600)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: p.stem)
def test_checkov_finds_nothing(template: Path) -> None:
    checkov = environment("checkov").with_name("checkov")
    words = [str(checkov), "--framework", "cloudformation", "--compact", "--output", "json"]
    done = subprocess.run([*words, "-f", str(template)], capture_output=True, text=True, check=False)
    # Without a network it prints where it failed to ask for its guidelines, and goes on.
    told = json.loads(done.stdout[done.stdout.index("{\n") :])
    assert told["summary"]["passed"] >= 2, told["summary"]
    assert [c["check_id"] for c in told["results"]["failed_checks"]] == []


def test_codebuild_runs_the_tests_of_every_commit_and_makes_its_images() -> None:
    spec = yaml.safe_load((CI / "buildspec.yml").read_text(encoding="utf-8"))
    assert {name: phase["commands"] for name, phase in spec["phases"].items()} == {
        "install": [
            "apt-get update -qq && apt-get install -qq -y --no-install-recommends skopeo",
            "python3 -m pip install --quiet --require-hashes -r emr-on-eks/ci/audit.lock",
        ],
        "pre_build": [".ci/run"],
        "build": [
            'aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"',
            'make images REGISTRY="$REGISTRY"',
        ],
    }
    assert spec["artifacts"] == {"base-directory": "dist/images", "files": [IMAGES, f"{IMAGES}.sig", "*.cdx.json"]}
    project = _read(TEMPLATES[0])["Resources"]["Build"]["Properties"]
    assert project["Source"]["BuildSpec"] == "emr-on-eks/ci/buildspec.yml"
    assert [v["Name"] for v in project["Environment"]["EnvironmentVariables"]] == ["REGISTRY"]
    # Out of the secret that the role may read.
    secret = spec["env"]["secrets-manager"]["SIGNING_KEY"].partition(":")[0]
    assert f"secret:{secret}-" in _read(TEMPLATES[0])["Parameters"]["SigningKeySecretArn"]["AllowedPattern"]


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A signed release in a folder, with its key pair."""
    private, _ = key_pair(tmp_path)
    bill = tmp_path / "swath.cdx.json"
    bill.write_text("{}\n", encoding="utf-8")
    image = ReleasedImage(
        name="r.example/swath", tag="1", digest="sha256:" + "d" * 64, sbom=bill.name, sbom_sha256=sha256_of(bill)
    )
    made = Release(commit="c" * 40, lock_sha256="a" * 64, wheel_sha256="b" * 64, scan="not scanned: no way out", images=(image,))
    (tmp_path / IMAGES).write_text(made.text(), encoding="utf-8")
    sign_file(tmp_path / IMAGES, key=private)
    return tmp_path / IMAGES


def _verify(path: Path, *, key: Path) -> str:
    done = CliRunner().invoke(verify_command, [str(path), "--key", str(key)])
    return done.output if done.exception is None else str(done.exception)


def test_one_command_verifies_what_was_signed(released: Path, tmp_path: Path) -> None:
    told = _verify(released, key=tmp_path / "site.pub")
    assert f"r.example/swath@sha256:{'d' * 64}: commit cccccccccccc, swath.cdx.json" in told
    assert "scan: not scanned: no way out" in told
    _, other = key_pair(tmp_path, "other")
    assert "the trusted keys are" in _verify(released, key=other)
    keys = tmp_path / "keys.yaml"
    keys.write_text("- {key: site.pub, until: 2020-01-01}\n", encoding="utf-8")
    assert "is not trusted any more since 2020-01-01" in _verify(released, key=keys)
    (tmp_path / "swath.cdx.json").write_text("{ }\n", encoding="utf-8")
    assert "swath.cdx.json has SHA-256" in _verify(released, key=tmp_path / "site.pub")
    (tmp_path / "swath.cdx.json").unlink()
    assert "the bill of materials of r.example/swath, is not beside it" in _verify(released, key=tmp_path / "site.pub")
    released.write_text(released.read_text(encoding="utf-8").replace('"1"', '"2"'), encoding="utf-8")
    assert "these are not the files that were signed" in _verify(released, key=tmp_path / "site.pub")


def test_what_was_not_scanned_is_never_called_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert scan(ROOT / "requirements.lock") == "not scanned: pip-audit is not installed"


SWATH = "#!/bin/busybox sh\nset -eu\n/bin/busybox cmp /lock /source/requirements.lock && /bin/busybox cat /bill.json\n"
DOCKERFILE = """FROM scratch
COPY busybox /bin/busybox
COPY --chmod=0755 swath /opt/swath/venv/bin/swath
COPY lock bill.json /
"""


@pytest.fixture
def commit(tmp_path: Path) -> Path:
    """A checkout whose image is busybox, and prints a bill where the lock is the commit's: the making is what is looked at."""
    busybox = shutil.which("busybox")
    if busybox is None or b"statically" not in subprocess.run(["file", busybox], capture_output=True, check=False).stdout:  # noqa: S607
        pytest.skip("busybox-static is not installed")
    root = tmp_path / "checkout"
    (root / "dist").mkdir(parents=True)
    (root / "spark-operator").mkdir()
    shutil.copy(busybox, root / "busybox")
    files = {"swath": SWATH, "lock": "a lock\n", "requirements.lock": "a lock\n", "bill.json": "{}\n", ".gitignore": "dist\n"}
    for name, text in {**files, "spark-operator/Dockerfile": DOCKERFILE}.items():
        (root / name).write_text(text, encoding="utf-8")
    (root / "dist" / "swath-0-py3-none-any.whl").write_bytes(b"wheel")
    _git(root, "init", "-q")
    _commit(root)
    return root


def _git(root: Path, *words: str) -> None:
    names = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", "-C", str(root), *words], check=True, env={**names, "PATH": "/usr/bin:/bin"})  # noqa: S607


def _commit(root: Path) -> None:
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "state")


@pytest.mark.tools
@pytest.mark.timeout(300)
def test_images_of_a_commit_are_pushed_by_digest_and_signed_or_the_build_ends_with_the_name(
    podman: str, commit: Path, tmp_path: Path
) -> None:
    private, public = key_pair(tmp_path)
    out = tmp_path / "images"
    with registry(tmp_path / "registry") as address:
        words = ["--registry", address, "--image", "swath", "--root", str(commit), "--out", str(out), "--engine", "podman"]

        def make(tag: str) -> str:
            done = CliRunner().invoke(images_command, [*words, "--tag", tag, "--sign-key", str(private)])
            if done.exception is None:
                return done.stdout
            assert isinstance(done.exception, ConfigError), done.exception
            return str(done.exception)

        (commit / "stray.txt").write_text("stray", encoding="utf-8")
        assert "stray.txt is not committed: an image is built from a commit and nothing else" in make("1")
        (commit / "stray.txt").unlink()
        pinned = make("1").strip()
        assert re.fullmatch(rf"{address}/swath@sha256:[0-9a-f]{{64}}", pinned)
        release = Release.read(out / IMAGES)
        assert [i.pinned for i in release.images] == [pinned]
        assert release.lock_sha256 == sha256_of(commit / "requirements.lock")
        assert pinned in _verify(out / IMAGES, key=public)
        assert f"{address}/swath:1 is in the registry already" in make("1")
        (commit / "requirements.lock").write_text("another lock\n", encoding="utf-8")
        _commit(commit)
        assert "/lock /source/requirements.lock differ" in make("2")
        told = subprocess.run(
            ["skopeo", "list-tags", "--tls-verify=false", f"docker://{address}/swath"],  # noqa: S607
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert '"2"' not in told, "what is refused never reaches the registry"
