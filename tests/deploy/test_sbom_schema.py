"""The bill of materials of the images against CycloneDX's own schema, and two builds of one commit."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from tests.deploy.environments import ROOT, environment

from swath.deploy.sbom.debian import FORMAT, debian_components
from swath.deploy.sbom.document import document
from swath.deploy.sbom.jars import jar_components
from swath.deploy.sbom.python_packages import python_components, read_lock

BIN = Path(sys.executable).parent
_CHECK = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1], encoding="utf-8").read())
sys.exit(f"{problem}"[:2000] if problem else 0)
"""


@pytest.mark.tools
@pytest.mark.timeout(400)
def test_what_the_images_hold_passes_the_schema_of_cyclonedx(tmp_path: Path) -> None:
    lock = read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    # this environment has the tests' packages too: those of the product are what an image has
    installed = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d for d in distributions()}
    components = [*python_components(lock, installed={name: d for name, d in installed.items() if name in lock})]
    assert len(components) > 150
    pom, jars = ((ROOT / "spark-operator" / name).read_text(encoding="utf-8") for name in ("pom.xml", "jars.sha256"))
    components += jar_components(pom, digests=jars)
    if shutil.which("dpkg-query"):
        listing = subprocess.run(["dpkg-query", "-W", "-f", FORMAT], capture_output=True, text=True, check=True)  # noqa: S607
        components += debian_components(listing.stdout)
    text = document(components, image="registry.example/swath@sha256:" + "0" * 64, epoch=1764374400)
    path = tmp_path / "sbom.json"
    path.write_text(text, encoding="utf-8")
    checked = subprocess.run(
        [str(environment("cyclonedx")), "-c", _CHECK, str(path)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    path.write_text(text.replace('"bomFormat"', '"bomFormatt"'), encoding="utf-8")
    broken = subprocess.run([str(environment("cyclonedx")), "-c", _CHECK, str(path)], capture_output=True, text=True, check=False)
    assert broken.returncode != 0


def test_the_command_refuses_an_environment_that_is_not_the_locks() -> None:
    words = [str(BIN / "swath"), "sbom", "--lock", str(ROOT / "requirements.lock")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pytest" in done.stderr
    assert "installed, but the lock does not list it" in done.stderr


@pytest.mark.tools
@pytest.mark.timeout(400)
def test_two_builds_of_one_commit_are_one_wheel(tmp_path: Path) -> None:
    """In other folders, at other times."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("no checkout of git: what belongs to the wheel is not known")
    digests = set()
    for made_at, name in ((1.6e9, "one"), (1.7e9, "other")):
        for file in filter(None, listed.stdout.split("\0")):
            target = tmp_path / name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, target)
            # Times in a zip have two seconds.
            os.utime(target, (made_at, made_at))
        words = [str(BIN / "uv"), "build", "-q", "--wheel", "--no-build-isolation", "--python", sys.executable]
        done = subprocess.run(
            words,
            cwd=tmp_path / name,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1764374400"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (wheel,) = (tmp_path / name / "dist").glob("*.whl")
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert len(digests) == 1
