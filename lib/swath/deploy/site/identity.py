"""How pods authenticate to a store, and the credentials class that S3A uses for it.

S3A's own default chain knows neither web identity nor profile files and falls through to the node's role without a
word, so every site names its provider.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from swath.deploy.site.strict import Strict

_SDK = "software.amazon.awssdk.auth.credentials"
_CONTAINER = "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"
PROFILE_MOUNT = "/etc/swath/aws"


class IdentityKind(StrEnum):
    """Ways to get credentials."""

    IRSA = "irsa"
    POD_IDENTITY = "pod-identity"
    SECRET = "secret"  # noqa: S105 - the name of a way, not a password
    ROLES_ANYWHERE = "roles-anywhere"
    NODE_ROLE = "node-role"


PROVIDERS = {
    IdentityKind.IRSA: f"{_SDK}.WebIdentityTokenFileCredentialsProvider",
    # The SDK's own ContainerCredentialsProvider has no constructor that S3A of Hadoop 3.4.1 could call; this class
    # wraps it. Its second choice, the node's role, is closed by AWS_EC2_METADATA_DISABLED (a test holds both).
    IdentityKind.POD_IDENTITY: _CONTAINER,
    IdentityKind.SECRET: f"{_SDK}.ProfileCredentialsProvider",
    # the signing helper serves the container-credentials protocol on loopback, in a sidecar
    IdentityKind.ROLES_ANYWHERE: _CONTAINER,
    IdentityKind.NODE_ROLE: f"{_SDK}.InstanceProfileCredentialsProvider",
}


class SiteIdentity(Strict):
    """Who the pods are.

    Args:
        kind: The way.
        role_arn: The role, where there is one.
        service_account: Kubernetes service account of drivers (and, with IRSA, of executors).
        secret: Name of the Kubernetes secret with a profile file ``credentials``, for ``secret``. Its content never
            passes through swath.
        sidecar_image: Image (by digest) of the signing helper that answers on 127.0.0.1:9911, for ``roles-anywhere``.
        sidecar_arguments: Arguments of the helper: names of profile, anchor and role, paths of certificate and key.
    """

    kind: IdentityKind
    role_arn: Annotated[str, Field(pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+)?$")] = ""
    service_account: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = "swath-driver"
    secret: str = ""
    sidecar_image: str = ""
    sidecar_arguments: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Each way needs its own field."""
        if self.kind is IdentityKind.IRSA and not self.role_arn:
            msg = "identity irsa needs role_arn"
            raise ValueError(msg)
        if self.kind is IdentityKind.SECRET and not self.secret:
            msg = "identity secret needs the name of the Kubernetes secret"
            raise ValueError(msg)
        if self.kind is IdentityKind.ROLES_ANYWHERE and "@sha256:" not in self.sidecar_image:
            msg = "identity roles-anywhere needs sidecar_image, by digest"
            raise ValueError(msg)
        return self

    @property
    def provider(self) -> str:
        """Java class for ``fs.s3a.bucket.<b>.aws.credentials.provider``."""
        return PROVIDERS[self.kind]

    @property
    def needs_region(self) -> bool:
        """Whether fresh credentials come from the Region, so that a cut link stops the run when they expire."""
        return self.kind in {IdentityKind.IRSA, IdentityKind.POD_IDENTITY, IdentityKind.ROLES_ANYWHERE, IdentityKind.NODE_ROLE}
