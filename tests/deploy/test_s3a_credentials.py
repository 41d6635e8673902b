"""S3A, boto3 and GDAL must be the same person, with the metadata service out of reach."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.quick_jvm import quick_jvm

from swath.deploy.render.environment import environment
from swath.deploy.render.s3a import s3a
from swath.deploy.site.files import load_job
from swath.deploy.site.identity import PROVIDERS, IdentityKind
from swath.deploy.site.site import Site

CLOSED = Path(__file__).with_name("closed_network.sh")
PROVIDERS_SCRIPT = Path(__file__).with_name("ask_providers.py")
pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.s3a, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("kind", "identity", "key"),
    [
        ("profile", {"kind": "secret", "secret": "swath-s3"}, "PROFILEKEYID"),
        ("container", {"kind": "pod-identity", "role_arn": "arn:aws:iam::111122223333:role/x"}, "CONTAINERKEYID"),
    ],
)
def test_s3a_boto3_and_gdal_sign_with_the_same_key(
    kind: str, identity: dict[str, str], key: str, s3a_jars: tuple[Path, ...], change: Callable[..., Site], tmp_path: Path
) -> None:
    site = change("kubernetes", identity=identity)
    variables = {k: v for k, v in environment(load_job("ard"), site=site).items() if k not in {"HOME", "TMPDIR"}}
    given = {"settings": dict(s3a(site)), "variables": variables, "folder": str(tmp_path)}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    script = Path(__file__).with_name("ask_store.py")
    inside = [sys.executable, str(script), kind, ":".join(map(str, s3a_jars)), json.dumps(given)]
    words = ["/usr/bin/unshare", "-rn", "/bin/sh", str(CLOSED), *inside]
    quick = quick_jvm() | {"SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(words, env=clean | quick, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr and "unshare" in done.stderr:
        pytest.skip("no network of its own can be made here")
    assert done.returncode == 0, done.stderr[-2000:]
    told, sent = done.stdout.strip().splitlines()[-2:]
    assert json.loads(told) == {"boto3": [key], "gdal": [key], "s3a": [key]}
    assert sent == "sent 0", "somebody asked the metadata service"


def test_the_provider_of_every_kind_of_identity_is_among_the_jars(s3a_jars: tuple[Path, ...], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a token", encoding="utf-8")
    (tmp_path / "config").write_text(
        "[default]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = keys\nregion = eu-central-1\n", encoding="utf-8"
    )
    (tmp_path / "credentials").write_text("[keys]\naws_access_key_id = K\naws_secret_access_key = s\n", encoding="utf-8")
    variables = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/x",
        "AWS_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SPARK_DIST_CLASSPATH": ":".join(map(str, s3a_jars)),
        "SPARK_LOCAL_IP": "127.0.0.1",
        # nothing answers here, so that nobody is asked for credentials in earnest
        "JAVA_TOOL_OPTIONS": "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=1",
    }
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    words = [sys.executable, str(PROVIDERS_SCRIPT), *sorted(set(PROVIDERS.values()))]
    done = subprocess.run(words, env=clean | quick_jvm() | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told) == set(PROVIDERS.values())
    assert "HTTP request" in told[PROVIDERS[IdentityKind.IRSA]], "STS was to be asked for the role of the token"
    assert "HTTP request" in told[PROVIDERS[IdentityKind.SECRET]], "STS was to be asked for the role of the profile"
    assert not [text for text in told.values() if "class path" in text or "ClassNotFound" in text or "NoClassDef" in text]
