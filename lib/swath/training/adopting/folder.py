"""The folder of a model that others trained: weights, manifest, card, and reference rows where there are examples."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.manifest import Manifest
from swath.inference.reference import MAX_TOLERANCE, REFERENCE_FILE, Reference
from swath.training.adopting.stated import bands_of, manifest_of
from swath.training.adopting.trainer import answers_of
from swath.training.adopting.weights import Converted, ForeignWeights, converted, refuse_other_names
from swath.training.fetched.folder import write_model
from swath.training.reference import reference_of, rows_to_ask

#: Why a model has no reference rows.
NO_EXAMPLE = "it came without example rows: nothing proves the order and the scale of its bands"


def write_adopted(
    into: Path, weights: ForeignWeights, *, stated: Mapping[str, Any], rows: NDArray[np.float32] | None,
    origin: Mapping[str, str], where: str,
) -> Manifest:  # fmt: skip
    """Write a model's folder.

    Args:
        into: Folder that is not there yet.
        weights: As the library that trained keeps them.
        stated: What a person states of it.
        rows: Real features, (row, band); None without any.
        origin: Where it comes from; joins the manifest's ``training``.
        where: What stated the manifest, for messages.

    Raises:
        ConfigError: The weights cannot be converted, or differ from what is stated.
    """
    found = converted(weights, features=bands_of(stated, where=where))
    manifest = manifest_of(stated, found, origin=origin, where=where)
    refuse_other_names(found, manifest)
    write_model(
        manifest, found.content, into=into, purpose=f"Trained elsewhere with {weights.library}.",
        limits="Not stated here; its makers know what it was trained on.",
    )  # fmt: skip
    if rows is not None and not manifest.margin_px and manifest.network is None:
        reference = _reference(weights, found, manifest=manifest, rows=rows)
        (into / REFERENCE_FILE).write_bytes(reference.to_bytes())
    return manifest


def _reference(weights: ForeignWeights, found: Converted, *, manifest: Manifest, rows: NDArray[np.float32]) -> Reference:
    features = rows_to_ask(rows, found.forest)
    if weights.library == "xgboost":
        # It refuses rows with infinities.
        features = features[~np.isinf(features).any(axis=1)]
    answers = answers_of(weights, features)
    if answers.shape[1] != len(manifest.classes):
        names = ", ".join(c.name for c in manifest.classes)
        msg = f"{weights.path.name} answers {answers.shape[1]} classes, the manifest says {len(manifest.classes)}: {names}"
        raise ConfigError(msg)
    # onnxruntime sums trees in another order than we do.
    tolerance = MAX_TOLERANCE if weights.library == "onnx" and found.forest is not None else 0.0
    # An example is no picture of the training data.
    return reference_of(manifest, features=features, answers=answers, training=None, tolerance=tolerance)
