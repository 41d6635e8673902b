"""The engine that runs jobs at a site, and where it listens."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from swath.deploy.site.strict import Strict

Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Cluster(Strict):
    """Where the engine is.

    Args:
        namespace: One tenant, one namespace: a driver that may create pods can mount any secret of its namespace.
        virtual_cluster: Virtual cluster (EMR on EKS).
        region: Region (EMR on EKS).
        release_label: Dated, never ``-latest``.
        execution_role_arn: The role that EMR on EKS gives to drivers and executors.
        pod_templates: ``image``: those that the image holds under /opt/swath/pod-templates/<site>; or an ``s3://`` prefix.
        context: Context of the kubeconfig; empty for the current one or the pod's own account.
        control_plane: ``remote`` when nodes may lose it and go on (Outposts with the control plane in the Region).
        pod_security: Level of the namespace. EMR adds containers of its own, so ``baseline`` there.
        master: Master URL for ``spark-submit``.
        jars: Paths of the Delta (and hadoop-aws) jars for ``spark-submit``; without them Spark fetches packages.
    """

    namespace: Namespace = "swath"
    virtual_cluster: Annotated[str, Field(pattern=r"^[0-9a-z]{0,64}$")] = ""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    release_label: str = ""
    execution_role_arn: str = ""
    pod_templates: Annotated[str, Field(pattern=r"^(image|s3://[a-z0-9][a-z0-9.-]+(/\S*)?)$")] = "image"
    context: str = ""
    control_plane: Literal["local", "remote"] = "local"
    pod_security: Literal["restricted", "baseline"] = "restricted"
    master: str = "local[*,4]"
    jars: tuple[str, ...] = ()


class Logging(Strict):
    """Where logs go while a run is on.

    Args:
        cloudwatch_group: Log group; it must exist before the run.
        s3_uri: Prefix for driver and executor logs.
        event_log: Store (``store://NAME/path``) for Spark's event log; empty for none.
    """

    cloudwatch_group: Annotated[str, Field(pattern=r"^[\.\-_/#A-Za-z0-9]*$", max_length=512)] = ""
    s3_uri: str = ""
    event_log: str = ""

    @model_validator(mode="after")
    def _bucket(self) -> Self:
        """Logs go to S3 or nowhere."""
        if self.s3_uri and not self.s3_uri.startswith("s3://"):
            msg = f"s3_uri {self.s3_uri!r} must start with s3://"
            raise ValueError(msg)
        return self


def _own_namespace(text: str) -> str:
    """A name that CloudWatch takes from a customer: ``AWS/`` is AWS's own, and a colon may not come first."""
    if text.upper().startswith("AWS/") or not re.fullmatch(r"(?!:)[A-Za-z0-9._/#: -]{1,255}", text):
        msg = f"{text[:60]!r} must be 1 to 255 of A-Z a-z 0-9 . - _ / # : and blanks, no colon first, and not begin with AWS/"
        raise ValueError(msg)
    return text


class SiteMetrics(Strict):
    """How numbers of a run are published. ``forward`` takes them from OUT/reports, whatever else is said here.

    Args:
        namespace: Name of the group of metrics in CloudWatch.
        cloudwatch: Log group that the driver itself sends to while a run is on; it exists before the run.
        region: Region of the log group; empty for the cluster's.
        profile: A profile of the AWS files that pods mount, for the log group alone.
        pushgateway: ``https://host:port`` of a Prometheus Pushgateway of the site.
        insecure_http: Allow ``http://`` for it (inside the cluster).
    """

    namespace: Annotated[str, AfterValidator(_own_namespace)] = "swath"
    cloudwatch: Annotated[str, Field(pattern=r"^[\.\-_/#A-Za-z0-9]*$", max_length=512)] = ""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    profile: str = ""
    pushgateway: Annotated[str, Field(pattern=r"^(https?://[^/@\s]+)?$")] = ""
    insecure_http: bool = False

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        """Numbers do not travel in the clear unless the site says so."""
        if self.pushgateway.startswith("http://") and not self.insecure_http:
            msg = f"pushgateway {self.pushgateway!r} is not encrypted. Use https, or say insecure_http: true inside the cluster"
            raise ValueError(msg)
        return self
