"""Engines by name: those of swath, and those that a user's package plugs in (entry points ``swath.engines``)."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Final

from swath.deploy.site.engine_kind import EngineKind
from swath.errors import ConfigError
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
    module, _, attribute = target.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"engine {name!r} cannot be loaded from {target!r}: {error}") from error
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
    """Where each engine is. A plug-in may not replace one of swath: the checks of its sites would be gone unseen."""
    plugged = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    for name, value in plugged.items():
        if BUILTIN.get(name, value) != value:
            raise ConfigError(f"the plug-in {value!r} takes the name of swath's own engine {name!r}; rename it")
    return {**BUILTIN, **plugged}


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
