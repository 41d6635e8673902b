"""A confusion matrix and a reliability curve as pictures."""

from typing import TYPE_CHECKING

import numpy as np

from swath.training.calibrate import Calibrated
from swath.training.metrics import ModelMetrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_figure(metrics: ModelMetrics) -> "Figure":
    """Shares of each true class by predicted class, coloured, with the pixel counts."""
    # Imported here: it costs a second, and only training draws.
    from matplotlib.figure import Figure  # noqa: PLC0415

    size = len(metrics.names)
    figure = Figure(figsize=(2.5 + 0.75 * size, 2.0 + 0.65 * size), layout="constrained")
    axes = figure.subplots()
    share = metrics.confusion / np.maximum(metrics.confusion.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(metrics.confusion):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, f"{count}", ha="center", va="center", color=colour)
    axes.set_xticks(range(size), metrics.names, rotation=35, ha="right")
    axes.set_yticks(range(size), metrics.names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"Held-out polygons: accuracy {metrics.accuracy:.4f}, kappa {metrics.kappa:.4f}")
    figure.colorbar(image, ax=axes, label="share of the true class")
    return figure


def reliability_figure(calibrated: Calibrated) -> "Figure":
    """Accuracy by confidence on held-out polygons, before and after calibrating; the dotted line is where both are equal."""
    from matplotlib.figure import Figure  # noqa: PLC0415  as above

    figure = Figure(figsize=(5.0, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    for title, curve in (("as trained", calibrated.before), ("calibrated", calibrated.after)):
        there = curve.pixels > 0
        axes.plot(curve.confidence[there], curve.accuracy[there], marker="o", label=f"{title}: error {curve.error:.4f}")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("mean confidence of a bin")
    axes.set_ylabel("accuracy on held-out polygons")
    axes.set_title(f"Temperature {calibrated.temperature:.3f}")
    axes.legend()
    return figure
