"""A model of swath becomes a package of SageMaker that waits for its approval."""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from swath.errors import ConfigError
from swath.inference.manifest import CARD_FILE
from swath.inference.pinned import PinnedModel
from swath.stores.registry import open_store
from swath.training.sagemaker.client import in_words, sagemaker_client
from swath.training.sagemaker.metadata import metadata_of

_GROUP = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_MAX_DESCRIPTION = 1024
_ABSENT = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")
#: A token makes a repeated request the same package.
_TOKEN_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRequest:
    """What is exported, and where.

    Args:
        group: Group of model packages; made when it is not there.
        place: ``s3://`` prefix for the data.
        image: Container image that serves it; empty for none.
    """

    group: str
    place: str
    image: str = ""

    def __post_init__(self) -> None:
        """Refuse what SageMaker would.

        Raises:
            ConfigError: The group's name or the place is none.
        """
        if not _GROUP.fullmatch(self.group):
            msg = f"{self.group!r} is not the name of a model package group: 1 to 63 letters, digits and single hyphens"
            raise ConfigError(msg)
        if not self.place.startswith("s3://"):
            msg = f"the data of a model package are in S3: expected --to s3://BUCKET/PREFIX, got {self.place!r}"
            raise ConfigError(msg)


def export_package(pinned: PinnedModel, *, wanted: PackageRequest, origin: Mapping[str, Any]) -> str:
    """Write a model's tar and metrics, and create the package; its ARN.

    Args:
        pinned: Model.
        wanted: Group, place, image.
        origin: What the registry knows of the version: its run, the commit.

    Raises:
        ConfigError: SageMaker or the store refuses.
    """
    client, store = sagemaker_client(), open_store(wanted.place)
    folder = f"{pinned.name}/{pinned.digest}"
    store.write(f"{folder}/model.tar.gz", packed(pinned.path))
    store.write(f"{folder}/metrics.json", _metrics(pinned))
    root = f"{wanted.place.rstrip('/')}/{folder}"
    _ensure_group(client, wanted.group, title=f"{pinned.name}, exported by swath")
    with in_words(f"model package group {wanted.group}"):
        return str(client.create_model_package(**_request(pinned, wanted=wanted, root=root, origin=origin))["ModelPackageArn"])


def packed(directory: Path) -> bytes:
    """The files of a model as a compressed tar; the same model gives the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in sorted(p for p in directory.rglob("*") if p.is_file()):
            data = path.read_bytes()
            member = tarfile.TarInfo(path.relative_to(directory).as_posix())
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _metrics(pinned: PinnedModel) -> bytes:
    told = {"model": pinned.name, "version": pinned.version, "digest": pinned.digest, "metrics": dict(pinned.manifest.metrics)}
    return (json.dumps(told, sort_keys=True, indent=2) + "\n").encode()


def _request(pinned: PinnedModel, *, wanted: PackageRequest, root: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    made = {"CommitId": str(origin.get("git_commit", "")), "GeneratedBy": str(origin.get("run_id", ""))}
    container = {"ModelDataUrl": f"{root}/model.tar.gz", **({"Image": wanted.image} if wanted.image else {})}
    statistics = {"ContentType": "application/json", "S3Uri": f"{root}/metrics.json"}
    return {
        "ModelPackageGroupName": wanted.group,
        "ModelPackageDescription": _description(pinned),
        "InferenceSpecification": {"Containers": [container]},
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
        "MetadataProperties": {k: v for k, v in made.items() if v},
        "CustomerMetadataProperties": metadata_of(pinned.manifest, digest=pinned.digest, version=pinned.version),
        "ClientToken": f"{pinned.digest[:_TOKEN_DIGITS]}",
    }


def _description(pinned: PinnedModel) -> str:
    """The card, as far as it fits: one paragraph."""
    card = pinned.path / CARD_FILE
    text = card.read_text(encoding="utf-8") if card.is_file() else pinned.name
    return " ".join(text.split())[:_MAX_DESCRIPTION]


def _ensure_group(client: Any, group: str, *, title: str) -> None:
    with in_words(f"model package group {group}"):
        try:
            client.describe_model_package_group(ModelPackageGroupName=group)
        except ClientError as error:
            # SageMaker says so of a group that is not there, with a code that it uses for much else.
            if error.response.get("Error", {}).get("Code") not in (
                "ValidationException",
                "ResourceNotFound",
                "ResourceNotFoundException",
            ):
                raise
            client.create_model_package_group(ModelPackageGroupName=group, ModelPackageGroupDescription=title)
