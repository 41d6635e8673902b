"""Hectares of the classes of a map, from what its model confuses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from swath.algo.area import class_shares_of
from swath.class_area import HECTARE_M2, ClassArea
from swath.errors import ConfigError
from swath.inference.manifest import Manifest
from swath.product import Category


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confusion:
    """What was checked of a map.

    Args:
        counts: Checked places by (true class, mapped class).
        checks: Independent checks behind each mapped class, (class,).
    """

    counts: NDArray[np.float64]
    checks: NDArray[np.int64]

    @classmethod
    def of_model(cls, manifest: Manifest) -> Self | None:
        """The confusion that training kept; None where it kept none."""
        matrix = manifest.error_matrix
        if matrix is None:
            return None
        return cls(counts=np.array(matrix.confusion, dtype=np.float64), checks=np.array(matrix.polygons, dtype=np.int64))

    @classmethod
    def read(cls, path: Path, *, classes: tuple[Category, ...]) -> Self:
        """Places that were drawn at random and checked: ``{"classes": [...], "rows_are_truth": [[...]]}``.

        Raises:
            ConfigError: Not such a file, other classes, or no counts.
        """
        wanted = [c.name for c in classes]
        try:
            plain: Mapping[str, Any] = json.loads(path.read_bytes())
            names, rows = [str(n) for n in plain["classes"]], np.array(plain["rows_are_truth"], dtype=np.float64)
        except (OSError, ValueError, TypeError, KeyError) as error:
            msg = f'{path}: expected {{"classes": [...], "rows_are_truth": [[...]]}}: {error!r}'
            raise ConfigError(msg) from error
        size = len(wanted)
        if sorted(names) != sorted(wanted) or rows.shape != (size, size) or not (rows >= 0).all() or (rows % 1).any():
            msg = f"{path}: expected counts of {', '.join(wanted)}, {size} x {size}; got {', '.join(names)}, {rows.shape}"
            raise ConfigError(msg)
        order = [names.index(n) for n in wanted]
        counts = rows[np.ix_(order, order)]
        return cls(counts=counts, checks=counts.sum(axis=0).astype(np.int64))


def areas_of(
    classes: tuple[Category, ...], mapped_px: Mapping[str, float], *, pixel_m2: float, confusion: Confusion
) -> tuple[ClassArea, ...]:
    """The estimated area of each class; none where nothing is mapped.

    Args:
        classes: Classes of the model, in the order of ``confusion``.
        mapped_px: Pixels of each class on the map, by name.
        pixel_m2: Area of a pixel [m2].
        confusion: What was checked.
    """
    mapped = np.array([round(mapped_px.get(c.name, 0)) for c in classes], dtype=np.int64)
    if not mapped.sum():
        return ()
    shares = class_shares_of(confusion.counts, mapped=mapped, checks=confusion.checks)
    whole_ha = float(mapped.sum()) * pixel_m2 / HECTARE_M2
    return tuple(
        ClassArea(
            name=c.name,
            title=c.title,
            mapped_ha=float(m) * whole_ha,
            estimated_ha=float(e) * whole_ha,
            half_width_ha=float(h) * whole_ha if isfinite(h) else None,
        )
        for c, m, e, h in zip(classes, shares.mapped, shares.estimated, shares.half_width, strict=True)
    )
