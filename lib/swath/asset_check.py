"""Whether some step of a pipeline makes what the pipeline writes."""

from collections.abc import Mapping

from swath.errors import ConfigError
from swath.pipeline import Pipeline
from swath.suggestion import did_you_mean


def check_layers(pipeline: Pipeline, *, absent: Mapping[str, str]) -> None:
    """Refuse layers that no step makes; steps of plug-ins that do not declare their kinds are taken at their word.

    Raises:
        ConfigError: With the nearest kind.
    """
    declared = [getattr(s, "kinds", None) for s in pipeline.steps]
    if any(kinds is None for kinds in declared):
        return
    known = sorted({k for kinds in declared for k in kinds or ()} | set(absent))
    for rule in pipeline.assets:
        for wanted in rule.layers.split("|"):
            kind = wanted.split(":")[0]
            if kind not in known:
                hint = did_you_mean(kind, known)
                msg = f"pipeline {pipeline.name}: no step of it makes {wanted!r}{hint} (its steps make: {', '.join(known)})"
                raise ConfigError(msg)
