"""The card of a model: what a person should know before using it."""

from collections.abc import Mapping
from typing import Any

from swath.inference.manifest import Manifest
from swath.training.calibrate import Calibrated
from swath.training.metrics import ModelMetrics

_TEMPLATE = """# {title}

`{name}`: {kind} that names the class of each pixel. Licence: {licence}.

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
{calibration}
## Limits
It knows the classes and the places above and nothing else: a pixel of another class gets the most similar one, clouds
included. {certainty}
"""
_RAW = "The probability tells how sure the {noun} is among its classes, not how right it is."
_KINDS = {"forest": "a forest of boosted trees", "network": "a fully convolutional U-Net"}
_CALIBRATED = "On such polygons a probability is the share of pixels that are right; on other ground nothing promises it."
_RELIABILITY = """
## How sure it is
Probabilities are calibrated by the temperature {temperature:.4f}. Expected calibration error on polygons
that neither the {noun} nor the temperature had seen: {after:.4f}, as trained {before:.4f}.

{table}

Confusion, rows are the truth, columns the map:

{confusion}
"""


def card_of(manifest: Manifest, *, title: str, metrics: ModelMetrics, calibrated: Calibrated | None = None) -> str:
    """Markdown with purpose, inputs, data, quality and limits.

    Args:
        manifest: Manifest of the model.
        title: Human-readable title of the model.
        metrics: Pooled over all splits.
        calibrated: What calibrating does; None where probabilities are as trained.
    """
    noun = "forest" if manifest.kind == "forest" else "network"
    grid = "the scene's reference grid" if manifest.resolution_m is None else f"{manifest.resolution_m:g} m"
    return _TEMPLATE.format(
        title=title,
        kind=_KINDS[noun],
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
        calibration="" if calibrated is None else _calibration(metrics, calibrated, noun=noun),
        certainty=_RAW.format(noun=noun) if calibrated is None else _CALIBRATED,
    )


def _calibration(metrics: ModelMetrics, calibrated: Calibrated, *, noun: str) -> str:
    curve = calibrated.after
    bins = [f"| {c:.3f} | {a:.3f} | {n} |" for c, a, n in zip(curve.confidence, curve.accuracy, curve.pixels, strict=True) if n]
    rows = zip(metrics.names, metrics.confusion.tolist(), strict=True)
    return _RELIABILITY.format(
        noun=noun,
        temperature=calibrated.temperature,
        after=curve.error,
        before=calibrated.before.error,
        table="\n".join(["| mean confidence | accuracy | pixels |", "|---|---|---|", *bins]),
        confusion="\n".join(
            [
                f"| | {' | '.join(metrics.names)} |",
                "|---" * (len(metrics.names) + 1) + "|",
                *(f"| {name} | {' | '.join(map(str, row))} |" for name, row in rows),
            ]
        ),
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
