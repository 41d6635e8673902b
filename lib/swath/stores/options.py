"""How each bucket is reached: endpoint, region, addressing, who pays. Never a key: those come from the standard chain."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from swath.errors import ConfigError
from swath.settings import STORES, Settings
from swath.stores.patience import store_patience

#: JSON by bucket (``*`` for all others), or the path of a file that holds it.
OUTPOSTS = "s3-outposts"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """One bucket, as ``SWATH_STORES`` or a site describes it.

    Args:
        kind: ``s3``, ``s3-compatible`` or ``s3-outposts``.
        endpoint: URL of a store that is not Amazon's; empty for Amazon's own.
        region: Region of the bucket; if empty, boto3 finds it.
        addressing: ``path``, ``virtual``; empty means path where there is an endpoint.
        access_point: ARN or alias that represents the bucket in requests.
        consistency: ``strong``, or ``new-objects`` where overwrites, deletes and lists lag.
        requester_pays: We pay for what we read there.
        profile: A profile of the user's own AWS files, when this bucket needs other credentials than the rest.
        anonymous: A public bucket: nothing is signed.
        patience_s: Longest time that the store may be away or busy before a run ends; None means ``SWATH_STORE_PATIENCE_S``.
    """

    kind: Literal["s3", "s3-compatible", "s3-outposts"] = "s3"
    endpoint: str = ""
    region: str = ""
    addressing: Literal["", "path", "virtual"] = ""
    access_point: str = ""
    consistency: Literal["strong", "new-objects"] = "strong"
    requester_pays: bool = False
    profile: str = ""
    anonymous: bool = False
    patience_s: float | None = None

    @property
    def patience(self) -> float:
        """How long the store may be away [s].

        Raises:
            ConfigError: ``SWATH_STORE_PATIENCE_S`` is not a number.
        """
        return store_patience() if self.patience_s is None else self.patience_s

    @property
    def path_style(self) -> bool:
        """Bucket in the path, which every store but Amazon's understands."""
        return self.addressing == "path" or (not self.addressing and bool(self.endpoint))

    def name(self, bucket: str) -> str:
        """What requests call the bucket."""
        return self.access_point or bucket


def store_options(bucket: str, environ: Mapping[str, str] = os.environ) -> StoreOptions:
    """Options of a bucket: from ``SWATH_STORES``, otherwise the endpoint that AWS's own variables name.

    Raises:
        ConfigError: ``SWATH_STORES`` cannot be understood.
    """
    told = _parsed(options_text(environ))
    found = told.get(bucket) or told.get("*")
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
    if found is None:
        return StoreOptions(kind="s3-compatible" if endpoint else "s3", endpoint=endpoint.rstrip("/"))
    if found.kind == "s3-compatible" and not found.endpoint:
        return replace(found, endpoint=endpoint.rstrip("/"))
    return found


def gdal_options(options: StoreOptions) -> dict[str, str]:
    """The same for GDAL's ``/vsis3/``; credentials and profile are not options of GDAL's here."""
    told: dict[str, str] = {}
    if options.endpoint:
        scheme, _, host = options.endpoint.partition("://")
        told["AWS_S3_ENDPOINT"] = host
        told["AWS_HTTPS"] = "YES" if scheme == "https" else "NO"
        told["AWS_VIRTUAL_HOSTING"] = "FALSE" if options.path_style else "TRUE"
    if options.region:
        told["AWS_REGION"] = options.region
    if options.requester_pays:
        told["AWS_REQUEST_PAYER"] = "requester"
    return told


def options_text(environ: Mapping[str, str] = os.environ) -> str:
    """What ``SWATH_STORES`` says, or the file that it names; empty when it is not set.

    Raises:
        ConfigError: The file cannot be read.
    """
    value = Settings.of(environ).stores
    if not value or value.lstrip().startswith("{"):
        return value
    try:
        return Path(value).read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{STORES} names {value}, which cannot be read ({error.strerror}): give JSON by bucket, or a file of it"
        raise ConfigError(msg) from error


@lru_cache(maxsize=8)
def _parsed(text: str) -> dict[str, StoreOptions]:
    if not text:
        return {}
    try:
        plain = json.loads(text)
        return {bucket: _options(bucket, told) for bucket, told in plain.items()}
    except (ValueError, AttributeError, TypeError) as error:
        msg = f'{STORES} is not JSON like {{"bucket": {{"endpoint": "https://host"}}}}: {error}'
        raise ConfigError(msg) from error


def _options(bucket: str, told: Mapping[str, Any]) -> StoreOptions:
    known = {f.name for f in fields(StoreOptions)}
    unknown = sorted(set(told) - known)
    if unknown:
        msg = f"{STORES}: bucket {bucket} has unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        raise ConfigError(msg)
    made = StoreOptions(**told)
    flags, words = (made.requester_pays, made.anonymous), (made.endpoint, made.region, made.access_point, made.profile)
    if not all(isinstance(f, bool) for f in flags) or not all(isinstance(w, str) for w in words):
        msg = f"{STORES}: bucket {bucket}: requester_pays and anonymous are true or false, everything else is text"
        raise ConfigError(msg)
    patience: Any = told.get("patience_s", 0)
    if isinstance(patience, bool) or not isinstance(patience, int | float) or not 0 <= patience < math.inf:
        msg = f"{STORES}: bucket {bucket}: patience_s is {patience!r}; expected seconds, 0 or more"
        raise ConfigError(msg)
    if made.kind not in {"s3", "s3-compatible", OUTPOSTS} or made.addressing not in {"", "path", "virtual"}:
        msg = f"{STORES}: bucket {bucket}: kind {made.kind!r} or addressing {made.addressing!r} is unknown"
        raise ConfigError(msg)
    if made.endpoint and not made.endpoint.startswith(("http://", "https://")):
        msg = f"{STORES}: bucket {bucket}: endpoint {made.endpoint!r} must be https://host[:port]"
        raise ConfigError(msg)
    if made.endpoint and made.kind == "s3":
        made = replace(made, kind="s3-compatible")
    return replace(made, endpoint=made.endpoint.rstrip("/"))
