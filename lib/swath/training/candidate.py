"""A version that asks for an alias: judged beside the version that has it, refused when it is worse, recorded."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swath.errors import ConfigError
from swath.inference.listing import RegisteredModel
from swath.inference.pinned import PinnedModel
from swath.inference.promotion import Basis, Promotion, champion_of, frozen_samples, promote
from swath.inference.reference import REFERENCE_FILE
from swath.inference.registry import Registry
from swath.training.frozen import FrozenSamples
from swath.training.gate import Bounds, compare


class NotPromotedError(ConfigError):
    """The alias stays where it is; the version itself is registered all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCandidate:
    """What is asked for.

    Args:
        name: Name of the model.
        version: Version that asks.
        alias: Alias that shall mean it.
        samples: Frozen samples to judge on; those of its own training when None.
        bounds: Largest deterioration against the version that has the alias.
        forced: Reason to promote it whatever the comparison says; empty without one.
    """

    name: str
    version: str
    alias: str = "production"
    samples: Path | None = None
    bounds: Bounds = field(default_factory=Bounds)
    forced: str = ""

    @property
    def way(self) -> str:
        """The command that asks again."""
        alias = "" if self.alias == "production" else f" --alias {self.alias}"
        return f"`swath models promote {self.name} {self.version}{alias}`"


def give_alias(registry: Registry, candidate: ModelCandidate, *, say: Callable[[str], None]) -> RegisteredModel:
    """Point the alias at the candidate, if it is no worse than the version that has it; the first version is taken as it is.

    Args:
        registry: Registry of both versions.
        candidate: Version that asks for the alias.
        say: Hears of the comparison.

    Raises:
        NotPromotedError: The candidate is worse, cannot be compared, or has no reference rows; the message names the remedy.
        ConfigError: A version cannot be used, or the alias moved meanwhile.
    """
    name, version, alias = candidate.name, candidate.version, candidate.alias
    challenger, before = registry.resolve(f"{name}/{version}"), champion_of(registry, name, alias=alias)
    if before == version:
        return registry.promote(name, version=version, alias=alias)
    if not candidate.forced and not (challenger.path / REFERENCE_FILE).is_file():
        msg = (
            f"{name} {version} has no {REFERENCE_FILE}: nothing proves the order and the scale of its bands, so no alias may "
            f"mean it; train it with this version of swath, or {candidate.way} with --force REASON"
        )
        raise NotPromotedError(msg)
    basis, judged_on, numbers = _judged(registry, candidate, challenger=challenger, before=before, say=say)
    return promote(
        registry,
        Promotion(
            name=name, version=version, alias=alias, basis=basis, before=before, judged_on=judged_on, numbers=numbers,
            forced=candidate.forced,
        ),
    )  # fmt: skip


def _judged(
    registry: Registry, candidate: ModelCandidate, *, challenger: PinnedModel, before: str, say: Callable[[str], None]
) -> tuple[Basis, str, Mapping[str, Any]]:
    """Why the alias may move; the digest of the samples and the numbers where both were compared."""
    if not before:
        return "forced" if candidate.forced else "first", "", {}
    champion = registry.resolve(f"{candidate.name}/{before}")
    if champion.digest == challenger.digest:
        return "same", "", {}
    called = f"{challenger.name} {challenger.version}"
    with tempfile.TemporaryDirectory() as scratch:
        found = candidate.samples or frozen_samples(registry, challenger.name, challenger.version, into=Path(scratch))
        if found is None and candidate.forced:
            say(f"{called} is not compared with version {champion.version}: it has no frozen samples (--force)")
            return "forced", "", {}
        if found is None:
            msg = (
                f"{called} has no frozen samples to be judged on beside version {champion.version}: "
                f"train with `frozen: 0.2` in the recipe, or {candidate.way} with --samples FILE or --force REASON"
            )
            raise NotPromotedError(msg)
        samples = FrozenSamples.from_file(found)
        lacks = {m.version: lack for m in (challenger, champion) if (lack := samples.lack_for(m.manifest))}
        if lacks and candidate.forced:
            reasons = "; ".join(f"of version {blind}, {lack}" for blind, lack in lacks.items())
            say(f"{called} is not compared with version {champion.version}: {reasons} (--force)")
            return "forced", "", {}
        for blind, lack in lacks.items():
            msg = (
                f"{called} is not compared with version {champion.version}: of version {blind}, {lack}; give those of a training "
                f"of its kind with --samples FILE, or run one in the shadow of the other (landcover.shadow), then "
                f"{candidate.way} with --force REASON"
            )
            raise NotPromotedError(msg)
        verdict = compare(challenger, champion, samples=samples, bounds=candidate.bounds)
        digest = hashlib.sha256(found.read_bytes()).hexdigest()
    say(f"{called} beside {champion.version}, frozen samples {digest[:12]}: {verdict}")
    if _knew_more(champion, challenger):
        say(f"note: version {champion.version} froze fewer polygons: it may have learned some of these, which favours it")
    if verdict.against and not candidate.forced:
        msg = f"{called} is not promoted: {'; '.join(verdict.against)}; {candidate.way} with --force REASON promotes it"
        raise NotPromotedError(msg)
    return "forced" if verdict.against else "compared", digest, verdict.numbers


def _knew_more(champion: PinnedModel, challenger: PinnedModel) -> bool:
    """Whether the comparison is unfair: the champion may have learned what it is judged on."""
    shares = [float(m.manifest.training.get("recipe", {}).get("frozen", 0.0)) for m in (champion, challenger)]
    return shares[0] < shares[1]
