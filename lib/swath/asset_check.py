"""Whether some step of a pipeline makes what the pipeline writes."""

from collections.abc import Mapping

from swath.errors import ConfigError
from swath.layer_name import LayerId
from swath.pipeline import Pipeline
from swath.suggestion import did_you_mean


def check_layers(pipeline: Pipeline, *, absent: Mapping[str, str]) -> None:
    """Refuse layers that no step makes.

    Args:
        pipeline: The pipeline.
        absent: Kinds that a step left out when the run was planned, with the reason.

    Raises:
        ConfigError: No step makes the asset; the message names the nearest kind.
    """
    known = sorted({kind for step in pipeline.steps for kind in step.kinds} | set(absent))
    for rule in pipeline.assets:
        for wanted in rule.layers.split("|"):
            kind = LayerId.of(wanted).kind
            if kind not in known:
                hint = did_you_mean(kind, known)
                msg = f"pipeline {pipeline.name}: no step of it makes {wanted!r}{hint} (its steps make: {', '.join(known)})"
                raise ConfigError(msg)
