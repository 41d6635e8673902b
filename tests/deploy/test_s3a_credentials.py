"""S3A, boto3 and GDAL must be the same person, with the metadata service out of reach."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swath.deploy.environment import environment
from swath.deploy.files import load_job
from swath.deploy.s3a import s3a
from swath.deploy.site import Site

ROOT = Path(__file__).resolve().parents[2]
CLOSED = Path(__file__).with_name("closed_network.sh")
JARS = ("hadoop-aws-3.4.1.jar", "bundle-2.24.6.jar")
pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def s3a_jars(java: None) -> str:
    """The class path of S3A, or a skip that says how to get it (560 MB)."""
    folder = Path(os.environ.get("SWATH_S3A_JARS", ROOT / ".cache" / "s3a"))
    maven = shutil.which("mvn")
    fetch = [
        str(maven),
        "-q",
        "-B",
        "-f",
        str(ROOT / "spark-operator" / "pom.xml"),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={folder}",
    ]
    if not all((folder / jar).is_file() for jar in JARS):
        if not os.environ.get("CI") or maven is None:
            pytest.skip(f"hadoop-aws and its SDK are not in {folder}: {' '.join(fetch)}")
        subprocess.run(fetch, check=True)
    return ":".join(str(folder / jar) for jar in JARS)


@pytest.mark.parametrize(
    ("kind", "identity", "key"),
    [
        ("profile", {"kind": "secret", "secret": "swath-s3"}, "PROFILEKEYID"),
        ("container", {"kind": "pod-identity", "role_arn": "arn:aws:iam::111122223333:role/x"}, "CONTAINERKEYID"),
    ],
)
def test_s3a_boto3_and_gdal_sign_with_the_same_key(
    kind: str, identity: dict[str, str], key: str, s3a_jars: str, change: Callable[..., Site], tmp_path: Path
) -> None:
    site = change("kubernetes", identity=identity)
    variables = {k: v for k, v in environment(load_job("ard"), site=site).items() if k not in {"HOME", "TMPDIR"}}
    given = {"settings": dict(s3a(site)), "variables": variables, "folder": str(tmp_path)}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    script = Path(__file__).with_name("ask_store.py")
    words = ["/usr/bin/unshare", "-rn", "/bin/sh", str(CLOSED), sys.executable, str(script), kind, s3a_jars, json.dumps(given)]
    done = subprocess.run(words, env=clean | {"SPARK_LOCAL_IP": "127.0.0.1"}, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr and "unshare" in done.stderr:
        pytest.skip("no network of its own can be made here")
    assert done.returncode == 0, done.stderr[-2000:]
    told, sent = done.stdout.strip().splitlines()[-2:]
    assert json.loads(told) == {"boto3": [key], "gdal": [key], "s3a": [key]}
    assert sent == "sent 0", "somebody asked the metadata service"
