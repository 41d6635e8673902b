"""Rows that a model must answer as its trainer did: a band out of order, another scale or a broken conversion show here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, isqrt
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from swath.algo.feature_counts import MAX_EDGES
from swath.errors import ConfigError
from swath.inference.array_file import array_bytes, stored_arrays
from swath.inference.kinds import kind_of
from swath.inference.manifest import Manifest
from swath.inputs import Predictor

REFERENCE_FILE: Final = "reference.npz"
#: Per cent of the training data below each of the kept percentiles.
PERCENTS: Final = (0.1, 50.0, 99.9)
#: Unpacked size of all arrays [bytes].
MAX_REFERENCE_BYTES: Final = 16 << 20
#: A conversion that differs by more is none.
MAX_TOLERANCE: Final = 1e-6
#: What the file holds: words, lists of names, numbers, arrays.
_TEXTS = ("of",)
_NAMES = ("bands", "classes")
_NUMBERS = ("scale", "offset")
_ARRAYS = ("features", "probabilities", "percentiles")
#: What files of earlier versions lack.
_LATER = ("edges", "counts")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What the trainer fed and got.

    Args:
        bands: Common band names, in the order of the features.
        classes: Class names, in the order of the probabilities.
        of: ``sr``, ``toa`` or ``dn``.
        scale: A feature is ``scale * physical + offset``.
        offset: Added after ``scale``.
        features: Rows of the training data, and rows at the edges of the model's decisions, (row, band), float32; of a model that
            looks around the pixels of one square, row by row.
        probabilities: Answers of the library that trained, (row, class), float32.
        percentiles: 0.1, 50 and 99.9 % of the training data, (3, band), physical values; NaN where they are not known.
        edges: Edges of bins between the 0.1 and the 99.9 % of the training data, (band, edge), physical values; None without.
        counts: Training data by bin, (band, edge + 1); None without.
        tolerance: Largest difference that a conversion is allowed, beside that of the kind: libraries that sum in another order.
    """

    bands: tuple[str, ...]
    classes: tuple[str, ...]
    of: str
    scale: float
    offset: float
    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    percentiles: NDArray[np.float64]
    edges: NDArray[np.float64] | None = None
    counts: NDArray[np.int64] | None = None
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse arrays that contradict each other.

        Raises:
            ConfigError: The shapes do not belong together.
        """
        if not 0.0 <= self.tolerance <= MAX_TOLERANCE:
            msg = f"{REFERENCE_FILE}: a conversion may differ by at most {MAX_TOLERANCE:g}, it says {self.tolerance:g}"
            raise ConfigError(msg)
        rows, bands, classes = self.features.shape[0], len(self.bands), len(self.classes)
        wanted = {"features": (rows, bands), "probabilities": (rows, classes), "percentiles": (len(PERCENTS), bands)}
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape or not rows:
                msg = f"{REFERENCE_FILE}: {name} must have the shape {shape} with at least one row, it has {found}"
                raise ConfigError(msg)
        self._check_bins()

    def _check_bins(self) -> None:
        if self.edges is None and self.counts is None:
            return
        bands = len(self.bands)
        if self.edges is None or self.counts is None or self.edges.shape != (bands, self.counts.shape[1] - 1):
            msg = f"{REFERENCE_FILE}: edges, ({bands}, n), and counts, ({bands}, n + 1), of the training data belong together"
            raise ConfigError(msg)
        if not 1 <= self.edges.shape[1] <= MAX_EDGES or (np.diff(self.edges, axis=1) < 0).any() or (self.counts < 0).any():
            msg = f"{REFERENCE_FILE}: 1 to {MAX_EDGES} ascending edges and counts of at least 0 are needed"
            raise ConfigError(msg)

    @property
    def ranges(self) -> Mapping[str, tuple[float, float, float]]:
        """Percentiles of the training data by layer (``sr:red``), physical values; without those that are not known (NaN)."""
        low, middle, high = self.percentiles.tolist()
        found = zip(self.bands, low, middle, high, strict=True)
        return {f"{self.of}:{b}": (x, y, z) for b, x, y, z in found if isfinite(x) and isfinite(y) and isfinite(z)}

    def differences(self, manifest: Manifest, predictor: Predictor) -> Iterator[str]:
        """In what a model differs from what was trained: expected and found, in words."""
        theirs = {
            "bands": (", ".join(self.bands), ", ".join(manifest.bands)),
            "classes": (", ".join(self.classes), ", ".join(c.name for c in manifest.classes)),
            "of": (self.of, manifest.of),
            "scale": (f"{self.scale!r}", f"{float(manifest.scale)!r}"),
            "offset": (f"{self.offset!r}", f"{float(manifest.offset)!r}"),
        }
        wrong = [f"trained with {n} {was}, the manifest says {says}" for n, (was, says) in theirs.items() if was != says]
        yield from wrong
        if not wrong:
            yield from self._replayed(predictor, manifest=manifest)

    def _replayed(self, predictor: Predictor, *, manifest: Manifest) -> Iterator[str]:
        tolerance, rows = max(kind_of(manifest.kind).tolerance, self.tolerance), self.features.shape[0]
        side = isqrt(rows) if manifest.margin_px else 1
        if rows % side or (manifest.margin_px and side * side != rows):
            yield f"the reference rows of a model that looks around are the pixels of a square, row by row; {rows} rows make none"
            return
        answer = predictor.predict(np.ascontiguousarray(self.features.T).reshape(-1, side, rows // side)).reshape(-1, rows).T
        distance = np.abs(answer.astype(np.float64) - self.probabilities.astype(np.float64)).max(axis=1)
        # A NaN is no answer: it differs from everything.
        wrong = ~(distance <= tolerance)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            yield (
                f"{int(wrong.sum())} of {wrong.size} reference rows differ from the trainer's by more than {tolerance:g}: "
                f"row {row} expected {_few(self.probabilities[row])}, found {_few(answer[row])}"
            )

    def to_bytes(self) -> bytes:
        """The rows as a compressed npz; the same rows give the same bytes."""
        later = _LATER if self.edges is not None else ()
        kept = (*_TEXTS, *_NAMES, *_NUMBERS, *_ARRAYS, *later, *(("tolerance",) if self.tolerance else ()))
        return array_bytes({n: getattr(self, n) for n in kept})

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read what ``to_bytes`` wrote; data only.

        Raises:
            ConfigError: Not such a file, or too large when unpacked.
        """
        with stored_arrays(path, most_bytes=MAX_REFERENCE_BYTES, content="reference rows") as stored:
            return cls(
                of=str(stored["of"]),
                tolerance=float(stored["tolerance"]) if "tolerance" in stored else 0.0,
                scale=float(stored["scale"]),
                offset=float(stored["offset"]),
                bands=tuple(map(str, stored["bands"].tolist())),
                classes=tuple(map(str, stored["classes"].tolist())),
                features=stored["features"].astype(np.float32, casting="no"),
                probabilities=stored["probabilities"].astype(np.float32, casting="no"),
                percentiles=stored["percentiles"].astype(np.float64, casting="no"),
                edges=stored["edges"].astype(np.float64, casting="no") if "edges" in stored else None,
                counts=stored["counts"].astype(np.int64, casting="no") if "counts" in stored else None,
            )


def read_reference(directory: Path) -> Reference | None:
    """The reference rows of a model; None when it has none.

    Raises:
        ConfigError: The rows cannot be read.
    """
    path = directory / REFERENCE_FILE
    return Reference.from_file(path) if path.is_file() else None


def _few(values: NDArray[np.float32]) -> str:
    shown = ", ".join(f"{v:.7g}" for v in values[:4])
    return f"({shown}, ...)" if values.size > 4 else f"({shown})"
