"""A model package of SageMaker: which one is meant, whether it may be used, and where its data are."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swath.errors import ConfigError
from swath.training.sagemaker.client import in_words

_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):model-package/(?P<name>[^/]+)(/(?P<version>\d+))?"
)
_GROUP = re.compile(r"(?P<group>[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62})(@latest-approved)?")
_EXPECTED = "expected arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION, or GROUP@latest-approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """An approved package with one container of ours.

    Args:
        arn: Its ARN.
        name: Name of its group, or its own when it has no group.
        version: Version in the group; empty without one.
        place: ``s3://`` object or prefix of the data.
        packed: Whether the place is one compressed tar.
        etag: ETag that the data must have; empty when none is stated.
        image: Container image; empty when none is stated.
        job: Name of what generated it, mostly a training job; empty when not stated.
        commit: Commit of the code; empty when not stated.
        metrics: Place of its metrics; empty when not stated.
        stated: Customer metadata.
    """

    arn: str
    name: str
    version: str
    place: str
    packed: bool
    etag: str
    image: str
    job: str
    commit: str
    metrics: str
    stated: Mapping[str, str]

    @property
    def lineage(self) -> dict[str, str]:
        """Tags of the version here."""
        told = {
            "source.registry": self.arn.rpartition("/model-package/")[0] or self.arn.rpartition(":")[0], "source.name": self.name,
            "source.version": self.version, "source.run": self.job, "source.arn": self.arn, "source.image": self.image,
            "source.metrics": self.metrics, "source.commit": self.commit,
        }  # fmt: skip
        return {k: v for k, v in told.items() if v}


def region_of(reference: str) -> str:
    """Region of an ARN; empty for the name of a group."""
    match = _ARN.fullmatch(reference)
    return match["region"] if match else ""


def find_package(client: Any, reference: str, *, container: str = "") -> ModelPackage:
    """Describe a package that may be used.

    Args:
        client: SageMaker.
        reference: ARN of a package, or ``GROUP`` or ``GROUP@latest-approved``.
        container: Host name of the container whose data are meant, when there are several.

    Raises:
        ConfigError: There is none, it is not approved or not complete, or its containers or data are not clear.
    """
    group = _GROUP.fullmatch(reference)
    if group is None and _ARN.fullmatch(reference) is None:
        msg = f"{reference!r} names no model package: {_EXPECTED}"
        raise ConfigError(msg)
    arn = _latest_approved(client, group["group"]) if group else reference
    with in_words(arn):
        told = client.describe_model_package(ModelPackageName=arn)
    _refuse_status(told, arn=arn)
    chosen = _container(told, arn=arn, wanted=container)
    place, packed, etag = _data(chosen, arn=arn)
    made = told.get("MetadataProperties") or {}
    metrics = ((told.get("ModelMetrics") or {}).get("ModelQuality") or {}).get("Statistics") or {}
    return ModelPackage(
        arn=str(told.get("ModelPackageArn") or arn),
        name=str(told.get("ModelPackageGroupName") or told.get("ModelPackageName") or ""),
        version=str(told.get("ModelPackageVersion") or ""),
        place=place, packed=packed, etag=etag, image=str(chosen.get("Image") or ""),
        job=str(made.get("GeneratedBy") or ""), commit=str(made.get("CommitId") or ""), metrics=str(metrics.get("S3Uri") or ""),
        stated={str(k): str(v) for k, v in (told.get("CustomerMetadataProperties") or {}).items()},
    )  # fmt: skip


def _latest_approved(client: Any, group: str) -> str:
    found: list[Mapping[str, Any]] = []
    with in_words(f"model package group {group}"):
        for page in client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group):
            found += page["ModelPackageSummaryList"]
    approved = [p for p in found if p.get("ModelApprovalStatus") == "Approved"]
    if not approved:
        counted = Counter(str(p.get("ModelApprovalStatus")) for p in found)
        held = ", ".join(f"{n} {status}" for status, n in sorted(counted.items())) or "no package"
        msg = f"model package group {group} has no approved package: it has {held}; approve one in SageMaker"
        raise ConfigError(msg)
    return str(max(approved, key=lambda p: int(p.get("ModelPackageVersion") or 0))["ModelPackageArn"])


def _refuse_status(told: Mapping[str, Any], *, arn: str) -> None:
    status, approval = told.get("ModelPackageStatus"), told.get("ModelApprovalStatus")
    if status != "Completed":
        msg = f"{arn}: its ModelPackageStatus is {status}, expected Completed; wait for SageMaker, or create the package anew"
        raise ConfigError(msg)
    if approval != "Approved":
        why = f" ({told['ApprovalDescription']})" if told.get("ApprovalDescription") else ""
        msg = f"{arn}: its ModelApprovalStatus is {approval}{why}, expected Approved; approve it in SageMaker"
        raise ConfigError(msg)


def _container(told: Mapping[str, Any], *, arn: str, wanted: str) -> Mapping[str, Any]:
    containers = (told.get("InferenceSpecification") or {}).get("Containers") or []
    names = [str(c.get("ContainerHostname") or f"number {n}") for n, c in enumerate(containers, 1)]
    if wanted:
        found = [c for c, name in zip(containers, names, strict=True) if name == wanted]
        if len(found) == 1:
            return dict(found[0])
        msg = f"{arn}: it has no container {wanted!r}; it has {', '.join(names) or 'none'}"
        raise ConfigError(msg)
    if len(containers) != 1:
        way = "; choose one with --container" if containers else ""
        msg = f"{arn}: it has {len(containers)} containers ({', '.join(names) or 'no InferenceSpecification'}), expected one{way}"
        raise ConfigError(msg)
    return dict(containers[0])


def _data(container: Mapping[str, Any], *, arn: str) -> tuple[str, bool, str]:
    """Place of the data, whether it is a packed tar, and its ETag."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    etag = str(container.get("ModelDataETag") or source.get("ETag") or "").strip('"')
    if source:
        kind, packing = source.get("S3DataType"), source.get("CompressionType")
        if (kind, packing) not in (("S3Object", "Gzip"), ("S3Prefix", "None")):
            msg = f"{arn}: its data are {kind} with {packing}, expected S3Object with Gzip or S3Prefix with None"
            raise ConfigError(msg)
        place, packed = str(source.get("S3Uri") or ""), kind == "S3Object"
    else:
        place, packed = str(container.get("ModelDataUrl") or ""), True
    if not place.startswith("s3://"):
        found = f"are at {place!r}, expected s3://" if place else "are not stated (ModelDataUrl, ModelDataSource)"
        msg = f"{arn}: the data of its container {found}"
        raise ConfigError(msg)
    return place, packed, etag
