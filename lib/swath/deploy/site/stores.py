"""Where a site keeps its data, and how it is reached."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from swath.deploy.site.strict import Strict
from swath.errors import ConfigError
from swath.settings import STORE_S

_ACCESS_POINT = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):s3-outposts:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):"
    r"outpost[/:](?P<outpost>op-[0-9a-f]+)[/:]accesspoint[/:](?P<name>[a-z0-9-]{3,50})"
)


class StoreKind(StrEnum):
    """Three sorts of object store, and a folder."""

    FOLDER = "folder"
    S3 = "s3"  # Amazon S3 in a Region
    S3_OUTPOSTS = "s3-outposts"
    S3_COMPATIBLE = "s3-compatible"  # Ceph, SeaweedFS, StorageGRID ... with an endpoint of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint:
    """An S3 on Outposts access point, taken apart."""

    region: str
    account: str
    outpost: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> Self:
        """Read the ARN.

        Raises:
            ConfigError: The text is not the ARN of an access point on an Outpost (buckets there have no other address).
        """
        match = _ACCESS_POINT.fullmatch(arn)
        if match is None:
            msg = (
                f"access_point {arn!r} is not arn:aws:s3-outposts:REGION:ACCOUNT:outpost/op-ID/accesspoint/NAME. "
                "S3 on Outposts is reached by access points only"
            )
            raise ConfigError(msg)
        return cls(region=match["region"], account=match["account"], outpost=match["outpost"], name=match["name"])

    @property
    def host(self) -> str:
        """The only host name that serves it."""
        return f"{self.name}-{self.account}.{self.outpost}.s3-outposts.{self.region}.amazonaws.com"


class SiteStore(Strict):
    """One place for data.

    Args:
        kind: Kind of server.
        uri: Location of the store: ``s3://bucket/prefix`` or a folder.
        region: Region of the bucket; ``external`` for stores without Regions.
        endpoint: ``https://host:port`` of a store that is not Amazon's.
        addressing: ``path`` for most stores that are not Amazon's.
        access_point: ARN, for S3 on Outposts.
        consistency: ``strong``: every read after a write sees it, lists included. ``new-objects``: only objects that
            were never there before; overwrites, deletes and lists lag. A Delta ledger needs ``strong``.
        shared: A folder that every pod mounts.
        claim: The persistent volume claim behind a shared folder.
        requester_pays: We pay for what we read there.
        profile: A profile of the AWS files that pods mount, when this store needs other credentials than the rest.
        anonymous: A public bucket: nothing is signed.
        patience_s: Longest time that the store may be away or too busy before a run ends with code 6 [s].
        insecure_http: Allow ``http://`` (a test bench).
    """

    kind: StoreKind
    uri: Annotated[str, Field(min_length=1)]
    region: str = ""
    endpoint: str = ""
    addressing: Literal["virtual", "path"] = "virtual"
    access_point: str = ""
    consistency: Literal["strong", "new-objects"] = "strong"
    shared: bool = False
    claim: str = ""
    requester_pays: bool = False
    profile: str = ""
    anonymous: bool = False
    patience_s: Annotated[int, Field(ge=1)] = round(STORE_S)
    insecure_http: bool = False

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        """Refuse fields that contradict the kind."""
        problem = next(_contradictions(self), None)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def is_s3(self) -> bool:
        """Spoken to in S3's protocol."""
        return self.kind is not StoreKind.FOLDER

    @property
    def bucket(self) -> str:
        """The bucket, or the empty string for a folder."""
        return self.uri.removeprefix("s3://").split("/", 1)[0] if self.is_s3 else ""


def _contradictions(store: SiteStore) -> Iterator[str]:
    """What does not fit together in ``store``."""
    if store.is_s3 and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[^\s]*)?", store.uri):
        yield f"uri {store.uri!r} must be s3://bucket or s3://bucket/prefix"
    if not store.is_s3 and not store.uri.startswith("/"):
        yield f"uri {store.uri!r} must be an absolute path for a folder"
    if store.kind is StoreKind.S3 and store.endpoint:
        yield "endpoint: a store with an endpoint of its own is kind s3-compatible"
    if store.kind in {StoreKind.S3, StoreKind.S3_COMPATIBLE} and not store.region:
        yield "region is needed; write 'external' for a store without Regions"
    if store.kind is StoreKind.S3_COMPATIBLE and not re.fullmatch(r"https?://[^/\s]+", store.endpoint):
        yield f"endpoint {store.endpoint!r} must be https://host:port"
    if store.endpoint.startswith("http://") and not store.insecure_http:
        yield f"endpoint {store.endpoint!r} is not encrypted. Use https, or say insecure_http: true on a test bench"
    if store.anonymous and (store.profile or store.requester_pays):
        yield "anonymous: requests are not signed there, so a profile or a payer has no effect. Leave one of them out"
    if store.kind is StoreKind.S3_OUTPOSTS:
        yield from _outposts_contradictions(store)
    elif store.access_point:
        yield "access_point belongs to kind s3-outposts"


def _outposts_contradictions(store: SiteStore) -> Iterator[str]:
    """What does not fit together in a store on a rack."""
    try:
        AccessPoint.parse(store.access_point)
    except ConfigError as error:
        yield str(error)
    if store.addressing != "virtual":
        yield "addressing: S3 on Outposts answers virtual-host addresses only"
    if store.consistency == "strong":
        yield "consistency: say new-objects for S3 on Outposts; a key that was asked for before it existed may stay invisible"
