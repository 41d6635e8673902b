"""boto3's client for a bucket, and reads that survive a connection which breaks in the middle of a body."""

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError
from botocore.utils import determine_content_length

from swath import __version__
from swath.errors import ConfigError
from swath.stores.authorities import bundle_of
from swath.stores.options import OUTPOSTS, StoreOptions
from swath.stores.patience import store_patience
from swath.stores.rotating_keys import session_with_rotating_keys
from swath.stores.s3_patience import PatientCalls

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Objects are read in pieces of this size.
CHUNK = 4 << 20
#: A body below this size is sent at once: asking first whether it may come costs a round trip and more than it saves [bytes].
_LITTLE = 1 << 20
#: Tries of a client that is not patient: its caller waits.
_TRIES = 6
#: A body that broke off is asked for again; botocore itself repeats only what failed before the body.
_BROKEN_BODY = (IncompleteReadError, ResponseStreamingError, HTTPClientError)
#: Region that signs requests to a store which knows none.
_ANY_REGION = "us-east-1"
_CALLS: "WeakKeyDictionary[S3Client, PatientCalls]" = WeakKeyDictionary()


@lru_cache(maxsize=16)
def s3_client(options: StoreOptions | None = None, *, authorities: str = "", patient: bool = True) -> "S3Client":
    """One client a process and way of reaching a bucket. Credentials come from boto3's standard chain.

    Args:
        options: Settings to reach the bucket.
        authorities: Bundle of those that are trusted; ``AWS_CA_BUNDLE``'s as it is now, or else boto3's own, without it.
        patient: Wait for a store that is away, and tell in our words what it refuses (see ``PatientCalls``). Otherwise a request
            gets a few tries, and errors are botocore's.

    Raises:
        ConfigError: A store on a rack, and no library for its signatures.
    """
    options = options or StoreOptions()
    if options.kind == OUTPOSTS and find_spec("awscrt") is None:
        msg = "S3 on Outposts needs signatures of the kind SigV4A: pip install 'boto3[crt]'"
        raise ConfigError(msg)
    session = s3_session(options)
    region = session.region_name or (_ANY_REGION if options.endpoint else None)
    config = _config(options, patient=patient)
    trusted = authorities or bundle_of("AWS_CA_BUNDLE") or None
    client = session.client("s3", endpoint_url=options.endpoint or None, region_name=region, config=config, verify=trusted)
    client.meta.events.register("before-call.s3.DeleteObjects", _content_md5)
    client.meta.events.register("request-created.s3.PutObject", _at_once)
    if options.requester_pays:
        client.meta.events.register("before-call.s3", _requester_pays)
    if patient:
        calls = patient_calls(options, session=session)
        calls.register(client.meta.events)
        _CALLS[client] = calls
    return client


def _config(options: StoreOptions, *, patient: bool) -> Config:
    """How requests are addressed, signed and tried again."""
    style = "path" if options.path_style else "virtual" if options.kind == OUTPOSTS else "auto"
    # The stubs know fewer settings than botocore does.
    settings: dict[str, Any] = {
        # A patient client decides itself: by the clock, not by tries.
        "retries": {"mode": "standard", "total_max_attempts": 1 if patient else _TRIES},
        "s3": {"addressing_style": style},
        # botocore's own is 200 bytes of every request; a store's log shall say who asks
        "user_agent": f"swath/{__version__} Boto3/{boto3.__version__}",
        "connect_timeout": 10,
        "read_timeout": 60,
        "max_pool_connections": 16,
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        # What the options say of the bucket is all; a variable for another store must not leak in.
        "ignore_configured_endpoint_urls": True,
    }
    if options.anonymous:
        settings["signature_version"] = UNSIGNED
    return Config(**settings)


def _at_once(request: Any, **_: Any) -> None:
    """Send a small body with its headers, without ``Expect: 100-continue``."""
    length = determine_content_length(request.data)
    if length is not None and length < _LITTLE and "Expect" in request.headers:
        del request.headers["Expect"]


def patient_calls(options: StoreOptions, *, session: boto3.session.Session) -> PatientCalls:
    """What decides on answers to a client of this session."""
    found = None if options.anonymous else session.get_credentials()
    return PatientCalls(endpoint=options.endpoint, seconds=options.patience, credentials=found, anonymous=options.anonymous)


def s3_session(options: StoreOptions) -> boto3.session.Session:
    """Who asks a bucket, and in which region where the options name none: boto3's standard chain, files read again."""
    keys = session_with_rotating_keys(options.profile or None)
    return boto3.session.Session(botocore_session=keys, region_name=options.region or None)


def get(client: "S3Client", *, bucket: str, key: str, span: str = "") -> tuple[bytes, int]:
    """An object's bytes, or a range of them, and the object's whole length.

    Args:
        client: S3 client for the bucket.
        bucket: Name in requests.
        key: Key of the object.
        span: ``bytes=first-last``; empty for all of it.

    Raises:
        ClientError: S3 refused the call.
        ServiceError: The store was away for too long, or bodies break off again and again.
    """
    extra: Any = {"Range": span} if span else {}
    waits = _Broken(client, f"s3://{bucket}/{key}")
    while True:
        answer = client.get_object(Bucket=bucket, Key=key, **extra)
        try:
            data = answer["Body"].read()
        except _BROKEN_BODY as error:
            waits.again(error)
            continue
        told = answer.get("ContentRange", "").rpartition("/")[2]
        return data, int(told) if told.isdigit() else len(data)


def exists(client: "S3Client", *, bucket: str, key: str) -> bool:
    """Whether there is an object. A byte of it is asked for: an answer to HEAD would not say why it is refused.

    Raises:
        ServiceError: The store was away for too long.
        StoreRefusedError: S3 refuses access to the object.
    """
    try:
        get(client, bucket=bucket, key=key, span="bytes=0-0")
    except ClientError as error:
        return not missing(error)
    return True


def stream(client: "S3Client", *, bucket: str, key: str) -> Iterator[bytes]:
    """An object's bytes from first to last; goes on where a connection broke.

    Raises:
        ClientError: S3 refused the call.
        ServiceError: The store was away for too long, or bodies break off again and again.
    """
    at = 0
    extra: Any = {}
    waits = _Broken(client, f"s3://{bucket}/{key}")
    while True:
        answer = client.get_object(Bucket=bucket, Key=key, **extra)
        try:
            for data in answer["Body"].iter_chunks(CHUNK):
                at += len(data)
                yield data
        except _BROKEN_BODY as error:
            waits.again(error)
            extra = {"Range": f"bytes={at}-", "IfMatch": answer["ETag"]}
            continue
        return


class _Broken:
    """Waits between bodies that break off.

    Args:
        client: Whose patience counts.
        uri: URI of the object.
    """

    def __init__(self, client: "S3Client", uri: str) -> None:
        self._calls = _CALLS.get(client) or PatientCalls(endpoint="", seconds=store_patience(), credentials=None)
        self._call, self._uri = self._calls.call(uri), uri

    def again(self, error: Exception) -> None:
        """Wait, unless that took too long."""
        self._calls.broken(error, call=self._call, uri=self._uri)


def code_of(error: ClientError) -> str:
    """S3's name of an error, or the HTTP status where it has none."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code or str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


def missing(error: ClientError) -> bool:
    """There is no such object."""
    return code_of(error) in {"404", "NoSuchKey", "NotFound"}


def refused_condition(error: ClientError) -> bool:
    """``If-None-Match`` or ``If-Match`` did not hold, or another client was writing the same key."""
    return code_of(error) in {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}


def unknown_condition(error: ClientError) -> bool:
    """The store does not know conditional writes."""
    return code_of(error) in {"NotImplemented", "501"}


def _requester_pays(params: dict[str, Any], **_: Any) -> None:
    params["headers"]["x-amz-request-payer"] = "requester"


def _content_md5(params: dict[str, Any], **_: Any) -> None:
    """Older stores insist on MD5 where newer SDKs send other checksums."""
    body = params["body"]
    data = body if isinstance(body, bytes) else str(body).encode()
    params["headers"]["Content-MD5"] = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
