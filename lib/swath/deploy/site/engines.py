"""Engines by name: those of swath, and those that a user's package plugs in (entry points ``swath.engines``)."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from swath.deploy.site.engine_kind import EngineKind
from swath.errors import ConfigError
from swath.plugged import load_plugged, plugged_targets
from swath.suggestion import did_you_mean

ENTRY_POINTS: Final = "swath.engines"
#: ``module:OBJECT`` by name; loaded when a site names it, so that no site pays for the client of another engine.
BUILTIN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "emr-on-eks": "swath.deploy.emr_on_eks.engine:ENGINE",
        "spark-operator": "swath.deploy.spark_operator.engine:ENGINE",
        "spark-submit": "swath.deploy.spark_submit.engine:ENGINE",
    }
)


def engine_kind(name: str) -> EngineKind:
    """The engine of that name.

    Raises:
        ConfigError: There is none, it cannot be loaded, or it does not have the parts of an engine.
    """
    check_engine(name)
    target = _targets()[name]
    found = load_plugged(name, target, noun="engine")
    lacking = [part for part in sorted(_PARTS) if not hasattr(found, part)]
    if lacking:
        raise ConfigError(f"{target} is not an engine: it lacks {', '.join(lacking)} (see swath.deploy.engine.Engine)")
    kind: EngineKind = found
    return kind


def check_engine(name: str) -> str:
    """``name``, when there is such an engine.

    Raises:
        ConfigError: There is none.
    """
    known = _targets()
    if name not in known:
        raise ConfigError(f"there is no engine {name!r}{did_you_mean(name, known)} (engines: {', '.join(sorted(known))})")
    return name


@lru_cache(maxsize=1)
def _targets() -> Mapping[str, str]:
    """Where each engine is."""
    return plugged_targets(ENTRY_POINTS, builtin=BUILTIN, noun="engine")


#: Everything that swath asks of an engine.
_PARTS = frozenset(
    {
        *("name", "shares_folders", "lacks", "master", "conf", "variables", "sends", "refuse"),
        *(
            "ends_late_runs",
            "support_ends",
            "render",
            "plain",
            "hand_over",
            "launch",
            "read_back",
            "in_foreground",
            "pod_templates",
        ),
    }
)
