"""The card of a model: what a person should know before using it."""

from collections.abc import Mapping
from typing import Any

from swath.inference.manifest import Manifest
from swath.training.metrics import ModelMetrics

_TEMPLATE = """# {title}

`{name}`: a forest of boosted trees that names the class of each pixel. Licence: {licence}.

## What it takes
- Features, in this order: {layers}; float32, `{scale:g} * value + {offset:g}`.
- A pixel with any invalid feature is not predicted.
- Grid: {grid}.

## What it was trained on
{data}

## How good it is
Measured on polygons that took no part in training; the model itself was then fitted on all polygons.

{table}

Mean accuracy {accuracy:.4f} (worst split {accuracy_min:.4f}), kappa {kappa:.4f}.

## Limits
It knows the classes and the places above and nothing else: a pixel of another class gets the most similar one, clouds
included. The probability tells how sure the forest is among its classes, not how right it is.
"""


def card_of(manifest: Manifest, *, title: str, metrics: ModelMetrics) -> str:
    """Markdown with purpose, inputs, data, quality and limits.

    Args:
        manifest: Manifest of the model.
        title: Human-readable title of the model.
        metrics: Pooled over all splits.
    """
    grid = "the scene's reference grid" if manifest.resolution_m is None else f"{manifest.resolution_m:g} m"
    return _TEMPLATE.format(
        title=title,
        name=manifest.name,
        licence=manifest.licence,
        layers=", ".join(f"`{n}`" for n in manifest.layers),
        scale=manifest.scale,
        offset=manifest.offset,
        grid=grid,
        data="\n".join(f"- {k}: {_told(v)}" for k, v in sorted(manifest.training.items()) if k != "recipe"),
        table="\n".join(_table(metrics)),
        accuracy=manifest.metrics["accuracy"],
        accuracy_min=manifest.metrics["accuracy_min"],
        kappa=manifest.metrics["kappa"],
    )


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(metrics: ModelMetrics) -> list[str]:
    rows = zip(metrics.names, metrics.precision, metrics.recall, metrics.f1, metrics.confusion.sum(axis=1), strict=True)
    return [
        "| class | precision | recall | F1 | pixels |",
        "|---|---|---|---|---|",
        *(f"| {name} | {p:.4f} | {r:.4f} | {f:.4f} | {n} |" for name, p, r, f, n in rows),
    ]
