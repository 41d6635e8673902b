"""What the operator's webhook and controller refuse, so that it is refused here first.

Source: internal/webhook of the operator, v2.5.2. The API server itself silently drops unknown fields; the schema
with unknown fields refused is a test of ours.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swath.deploy.site.names import SCHEDULED_LIMIT
from swath.deploy.site.refused import SiteRefusal

_AUTH = "spark.kubernetes.authenticate"
FORBIDDEN = frozenset(
    {
        "spark.master",
        "spark.kubernetes.driver.master",
        "spark.kubernetes.container.image",
        "spark.kubernetes.driver.container.image",
        "spark.kubernetes.executor.container.image",
        f"{_AUTH}.driver.serviceAccountName",
        f"{_AUTH}.executor.serviceAccountName",
        *(f"{_AUTH}{role}.oauthToken{kind}" for role in ("", ".driver", ".executor") for kind in ("", "File")),
    }
)
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_NAME_LIMIT = 63
_MEMORY = re.compile(r"[1-9]\d*[mg]")


def webhook_refusals(manifest: Mapping[str, Any]) -> Iterator[SiteRefusal]:
    """Why the operator would turn the manifest down, or run something else than it says."""
    name = manifest["metadata"]["name"]
    scheduled = manifest["kind"] == "ScheduledSparkApplication"
    limit = SCHEDULED_LIMIT if scheduled else _NAME_LIMIT
    if not _NAME.fullmatch(name) or len(name) > limit:
        yield SiteRefusal(
            "operator-name",
            f"name {name!r} must be a DNS-1035 label of at most {limit} characters",
            "Shorten it, a letter first, no dots",
        )
    spec = manifest["spec"]["template"] if scheduled else manifest["spec"]
    yield from _settings(spec.get("sparkConf", {}), namespace=manifest["metadata"].get("namespace", "default"))
    yield from _pods(spec)
    if scheduled and manifest["spec"].get("concurrencyPolicy") != "Forbid":
        yield SiteRefusal(
            "operator-concurrency", "concurrencyPolicy is not Forbid: two drivers may overlap, or none starts", "Set Forbid"
        )


def _settings(conf: Mapping[str, str], *, namespace: str) -> Iterator[SiteRefusal]:
    for key in sorted(FORBIDDEN & conf.keys()):
        yield SiteRefusal("operator-setting", f"the webhook refuses the setting {key}", "Use the field of the manifest")
    if conf.get("spark.kubernetes.namespace", namespace) != namespace:
        yield SiteRefusal(
            "operator-namespace", "spark.kubernetes.namespace differs from the application's namespace", "Leave it out"
        )
    if conf.get("spark.dynamicAllocation.enabled") == "true":
        yield SiteRefusal(
            "operator-dynamic", "dynamic allocation as a setting alone starts one executor", "Use spec.dynamicAllocation"
        )


def _pods(spec: Mapping[str, Any]) -> Iterator[SiteRefusal]:
    for role in ("driver", "executor"):
        pod = spec[role]
        for field in ("memory", "memoryOverhead"):
            if field in pod and not _MEMORY.fullmatch(pod[field]):
                yield SiteRefusal(
                    "operator-memory",
                    f"{role}.{field} {pod[field]!r} is refused by Spark 4.0",
                    "Write a whole number with g or m",
                )
        if "nodeSelector" in spec and "nodeSelector" in pod:
            yield SiteRefusal("operator-node-selector", f"nodeSelector is set at both levels, spec and {role}", "Keep one")
        if "template" in pod and spec["sparkVersion"] < "3":
            yield SiteRefusal("operator-template", "pod templates need Spark 3", "Raise sparkVersion")
