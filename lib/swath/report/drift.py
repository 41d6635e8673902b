"""How far what models were fed is from their training data, and what they made of it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any, Self

from swath.algo.drift import outside_share, share_change, stability_index
from swath.errors import ConfigError
from swath.product import LayerName, ModelRef
from swath.suggestion import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftTerms:
    """Thresholds that a report names when they are passed; nothing is stopped by them. None for none.

    Args:
        psi: Largest population stability index of a feature.
        outside: Largest share of a feature's pixels beyond 0.1 and 99.9 % of the training data [1].
        class_change: Largest change of the shares of the classes from those of the training samples [1].
        confidence: Least mean probability of the class on the map [1].

    Raises:
        ConfigError: A threshold is no number of at least 0.
    """

    psi: float | None = 0.25
    outside: float | None = None
    class_change: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no threshold."""
        for name, value in asdict(self).items():
            number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0
            if value is not None and not number:
                msg = f"drift.{name} must be a number of at least 0 or null, got {value!r}"
                raise ConfigError(msg)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """The thresholds of a pipeline file.

        Raises:
            ConfigError: An unknown one, with the nearest known one, or no number.
        """
        known = [f.name for f in fields(cls)]
        for name in plain:
            if name not in known:
                msg = f"unknown threshold drift.{name}{did_you_mean(str(name), known)} (known: {', '.join(known)})"
                raise ConfigError(msg)
        return cls(**plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCounts:
    """Counts of one model over some products; they add up exactly.

    Args:
        features: Pixels by bin of the training data, by layer.
        classes: Pixels by class on the map.
        sure: Sum of the percents of the classes on the map, and the number of pixels.
    """

    features: Mapping[LayerName, tuple[int, ...]] = field(default_factory=dict)
    classes: Mapping[str, int] = field(default_factory=dict)
    sure: tuple[int, int] = (0, 0)

    def __add__(self, other: Self) -> Self:
        """The counts of both together."""
        features = dict(self.features)
        for name, counts in other.features.items():
            features[name] = tuple(a + b for a, b in zip(features[name], counts, strict=True)) if name in features else counts
        classes = {n: self.classes.get(n, 0) + other.classes.get(n, 0) for n in {**self.classes, **other.classes}}
        return type(self)(features=features, classes=classes, sure=(self.sure[0] + other.sure[0], self.sure[1] + other.sure[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCounts:
    """Counts of the training data of a model.

    Args:
        features: By bin, by layer; empty where training kept no histogram.
        classes: Samples by class.
    """

    features: Mapping[LayerName, tuple[int, ...]] = field(default_factory=dict)
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """One feature beside the training data.

    Args:
        layer: Name of the layer.
        counts: Pixels by bin.
        psi: Population stability index; None where training kept no histogram.
        outside: Share of pixels beyond 0.1 and 99.9 % of the training data [1].
    """

    layer: LayerName
    counts: tuple[int, ...]
    psi: float | None
    outside: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDrift:
    """A model's features and answers beside its training data.

    Args:
        model: The model.
        features: In the order of the layers' names.
        classes: Pixels by class on the map.
        class_change: Change of the shares from those of the training samples [1]; None where one of them is unknown. People
            choose how many samples a class has, so it is no measure of quality.
        confidence: Mean probability of the class on the map [1]; None where the product holds none.
        sure: Sum of the percents of the classes on the map, and the number of pixels.
    """

    model: ModelRef
    features: tuple[FeatureDrift, ...]
    classes: Mapping[str, int]
    class_change: float | None
    confidence: float | None
    sure: tuple[int, int]

    @classmethod
    def of(cls, model: ModelRef, counts: DriftCounts, *, training: TrainingCounts) -> Self:
        """Compare counts with the training data."""
        known = training.features
        features = tuple(
            FeatureDrift(
                layer=name,
                counts=tuple(found),
                psi=stability_index(known[name], found) if name in known else None,
                outside=outside_share(found),
            )
            for name, found in sorted(counts.features.items())
            if sum(found)
        )
        names, classes = [*training.classes], counts.classes
        both = sum(training.classes.values()) and sum(classes.get(n, 0) for n in names)
        change = share_change([training.classes[n] for n in names], [classes.get(n, 0) for n in names]) if both else None
        total, pixels = counts.sure
        return cls(
            model=model, features=features, classes=dict(classes), class_change=change,
            confidence=total / pixels / 100.0 if pixels else None, sure=counts.sure,
        )  # fmt: skip

    @property
    def counts(self) -> DriftCounts:
        """The counts that it was made of."""
        return DriftCounts(features={f.layer: f.counts for f in self.features}, classes=self.classes, sure=self.sure)

    @property
    def psi(self) -> float | None:
        """The largest stability index of its features."""
        return max((f.psi for f in self.features if f.psi is not None), default=None)

    @property
    def outside(self) -> float | None:
        """The largest share of a feature's pixels beyond the training data."""
        return max((f.outside for f in self.features), default=None)

    def beyond(self, terms: DriftTerms) -> tuple[str, ...]:
        """Thresholds that are passed, in words."""
        worst = max(self.features, key=lambda f: f.psi or 0.0, default=None)
        farthest = max(self.features, key=lambda f: f.outside, default=None)
        found = []
        if worst is not None and worst.psi is not None and terms.psi is not None and worst.psi > terms.psi:
            number = sum(f.psi is not None and f.psi > terms.psi for f in self.features)
            found.append(f"PSI of {number} features above {terms.psi:g}, up to {worst.psi:.2f} ({worst.layer})")
        if farthest is not None and terms.outside is not None and farthest.outside > terms.outside:
            found.append(f"{farthest.outside:.1%} of {farthest.layer} beyond the training data, allowed {terms.outside:.1%}")
        if self.class_change is not None and terms.class_change is not None and self.class_change > terms.class_change:
            found.append(f"class shares changed by {self.class_change:.2f}, allowed {terms.class_change:g}")
        if self.confidence is not None and terms.confidence is not None and self.confidence < terms.confidence:
            found.append(f"mean confidence {self.confidence:.2f}, least {terms.confidence:g}")
        return tuple(found)


def counts_of_plain(plain: Mapping[str, Any]) -> tuple[str, DriftCounts]:
    """Digest of a model and its counts, of what ``asdict`` of a ``ModelDrift`` says."""
    features = {f["layer"]: tuple(f["counts"]) for f in plain["features"]}
    total, pixels = plain["sure"]
    return plain["model"]["digest"], DriftCounts(features=features, classes=dict(plain["classes"]), sure=(total, pixels))


def together(before: Mapping[str, DriftCounts], more: Iterable[tuple[str, DriftCounts]]) -> Mapping[str, DriftCounts]:
    """Counts by digest with those of one more product."""
    found = dict(before)
    for digest, counts in more:
        found[digest] = found[digest] + counts if digest in found else counts
    return found
