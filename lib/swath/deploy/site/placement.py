"""Which nodes pods run on, how big they may be, and what disk they get."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from swath.deploy.site.fields import Cores, LabelKey, LabelValue, MemorySize
from swath.deploy.site.memory import Memory
from swath.deploy.site.strict import Strict

_SPOT_GRACE_S = 110
_GRACE_S = 120


class Toleration(Strict):
    """A taint that pods put up with."""

    key: str
    operator: Literal["Exists", "Equal"] = "Exists"
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class Nodes(Strict):
    """Where one sort of pod goes.

    Args:
        selector: Labels of the nodes.
        tolerations: Taints that the pods put up with.
        spot: The nodes may be taken away at a notice of two minutes.
        grace_s: Time that a pod may take to end its tasks before it goes [s]: the longest strip and half a minute, at most
            110 on spot. None for 110 on spot and 120 elsewhere.
    """

    selector: Mapping[LabelKey, LabelValue] = {}
    tolerations: tuple[Toleration, ...] = ()
    spot: bool = False
    grace_s: Annotated[int | None, Field(ge=30, le=3600)] = None

    @model_validator(mode="after")
    def _within_the_notice(self) -> Self:
        """A spot node is gone two minutes after its notice, whatever its pods still do."""
        if self.spot and self.grace > _SPOT_GRACE_S:
            msg = f"grace_s {self.grace_s}: a spot node is gone 120 s after its notice; write {_SPOT_GRACE_S} at most"
            raise ValueError(msg)
        return self

    @property
    def grace(self) -> int:
        """Grace period of the pods [s]."""
        return self.grace_s or (_SPOT_GRACE_S if self.spot else _GRACE_S)


class Placement(Strict):
    """Where drivers and executors go. A driver that is taken away takes the run with it: never on spot."""

    driver: Nodes = Nodes()
    executor: Nodes = Nodes()

    @model_validator(mode="after")
    def _driver_stays(self) -> Self:
        """No driver on nodes that may vanish."""
        if self.driver.spot:
            msg = "placement.driver.spot: a driver on spot loses the whole run. Put executors there, not the driver"
            raise ValueError(msg)
        return self


class Sizes(Strict):
    """The most that a pod and a run may take at this site.

    ``driver`` and ``executor`` are limits of whole containers, so what fits a node after the system's own share; ``cores`` is the
    quota of all executors of a run together, where there is one.
    """

    driver: MemorySize = Memory(8192)
    executor: MemorySize = Memory(16384)
    executor_cores: Cores = 4
    executors: Annotated[int, Field(ge=1, le=10_000)] = 16
    cores: Annotated[int | None, Field(ge=1)] = None


class DynamicAllocation(Strict):
    """Executors by need. Without an external shuffle service executors that hold shuffle data stay."""

    enabled: bool = False
    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=1)] = 16

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        """The minimum is not above the maximum."""
        if self.min > self.max:
            msg = f"dynamic_allocation: min {self.min} is above max {self.max}"
            raise ValueError(msg)
        return self


class Gpu(Strict):
    """GPUs of a site, for the executors of jobs that ask for some.

    Args:
        vendor: Vendor domain of the device plugin; ``nvidia.com`` gives ``nvidia.com/gpu``.
        image: Image of these executors by digest, with the libraries of the GPU beside the same swath.
        nodes: Labels and taints of nodes that have GPUs, in place of those of other executors.
        most: Most GPUs that an executor may have.
    """

    vendor: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = "nvidia.com"
    image: Annotated[str, Field(pattern=r"^\S+@sha256:[0-9a-f]{64}$")]
    nodes: Nodes = Nodes()
    most: Annotated[int, Field(ge=1, le=16)] = 1


class Scratch(Strict):
    """Local disk of a pod for blocks and shuffle.

    Args:
        kind: ``empty-dir`` on the node's disk; ``claim`` a volume per pod of ``storage_class``.
        size_limit: Kubernetes quantity; a pod over it is evicted.
    """

    kind: Literal["empty-dir", "claim"] = "empty-dir"
    storage_class: str = ""
    size_limit: Annotated[str, Field(pattern=r"^[1-9]\d*(Mi|Gi|Ti)$")] = "20Gi"

    @model_validator(mode="after")
    def _class_for_claims(self) -> Self:
        """A claim names its class."""
        if self.kind == "claim" and not self.storage_class:
            msg = "scratch: kind claim needs storage_class"
            raise ValueError(msg)
        return self
