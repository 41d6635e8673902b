"""What Spark needs to open an output on S3 by itself, for its Delta tables: settings by bucket, never a key.

On a cluster the site's own settings (``swath.deploy.render.s3a``) come with the submission and win over these.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from swath.settings import STORE_PATIENCE, STORES
from swath.stores.options import OUTPOSTS, StoreOptions, options_text, store_options
from swath.stores.patience import store_patience
from swath.stores.registry import bucket_of
from swath.stores.s3a_patience import s3a_patience

_PASSED_ON = (STORES, STORE_PATIENCE, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")
_SDK = "software.amazon.awssdk.auth.credentials"
#: Set whenever Spark opens a bucket.
S3A_SETTING = "spark.hadoop.fs.s3.impl"
_ROOT = "spark.hadoop.fs.s3a.bucket"
#: Region that signs for a store without regions; the names ``sdk``, ``auto`` and ``ec2`` mean something to S3A.
_ANY_REGION = "us-east-1"


def s3a_settings(uris: Iterable[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Hadoop settings of the buckets among some URIs; empty when none of them is on S3.

    Args:
        uris: Addresses that Spark itself opens: outputs, not scenes.
        environ: Environment with endpoints, regions and the kind of identity.
    """
    settings: dict[str, str] = {}
    for bucket in sorted({b for uri in uris if (b := bucket_of(uri))}):
        told = _bucket(store_options(bucket, environ), environ)
        settings |= {f"{_ROOT}.{bucket}.{key}": value for key, value in told}
    if settings:
        settings[S3A_SETTING] = "org.apache.hadoop.fs.s3a.S3AFileSystem"
    return settings


def executor_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """How Python on executors reaches buckets: the variables of this process, without keys."""
    told = {name: environ[name] for name in _PASSED_ON if environ.get(name)}
    if STORES in told:
        told[STORES] = options_text(environ)  # the text of a file that other machines may not have
    return {f"spark.executorEnv.{name}": value for name, value in told.items()}


def _bucket(options: StoreOptions, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "aws.credentials.provider", credentials_provider(options, environ)
    region = options.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    if options.kind == OUTPOSTS:
        yield "accesspoint.arn", options.access_point
    if options.endpoint:
        yield "endpoint", options.endpoint
        yield "endpoint.region", region or _ANY_REGION
        yield "path.style.access", str(options.path_style).lower()
        yield "connection.ssl.enabled", str(options.endpoint.startswith("https://")).lower()
        yield "change.detection.mode", "none"
    elif region:
        yield "endpoint.region", region
    if options.requester_pays:
        yield "requester.pays.enabled", "true"
    yield from s3a_patience(store_patience(environ) if options.patience_s is None else options.patience_s)
    # No writer makes a folder where a file is: the checks for that are a third of all requests.
    yield "performance.flags", "create,mkdir,delete"


def credentials_provider(options: StoreOptions, environ: Mapping[str, str]) -> str:
    """The class by which S3A becomes the same person as boto3.

    Its own chain has neither web identity nor profile files, and silently falls through to the machine's role.
    """
    if options.anonymous:
        return "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"
    if options.profile or environ.get("AWS_PROFILE"):
        return f"{_SDK}.ProfileCredentialsProvider"
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        return f"{_SDK}.EnvironmentVariableCredentialsProvider"
    if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return f"{_SDK}.WebIdentityTokenFileCredentialsProvider"
    file = environ.get("AWS_SHARED_CREDENTIALS_FILE") or str(Path.home() / ".aws" / "credentials")
    if Path(file).is_file():
        return f"{_SDK}.ProfileCredentialsProvider"
    # Containers first, the machine's role last, unless AWS_EC2_METADATA_DISABLED closes it.
    return "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"
