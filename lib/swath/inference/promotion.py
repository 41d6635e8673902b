"""Who may say which version an alias means, and what is kept of it."""

import getpass
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from swath.errors import ConfigError
from swath.inference.address import AbsentError
from swath.inference.bundle import FROZEN
from swath.inference.listing import RegisteredModel
from swath.inference.pinned import LOCAL_VERSION, PinnedModel
from swath.inference.registry import Registry, previous_of
from swath.inference.tracking import ask, in_our_words
from swath.stores.registry import open_store

#: Artifacts of a version's run: one file a promotion, never replaced.
PROMOTIONS = "promotions"
Basis = Literal["first", "same", "compared", "forced", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One promotion.

    Args:
        name: Name of the model.
        version: Version that now has the alias.
        alias: The alias.
        basis: Why it moved: ``first`` (nothing had the alias), ``same`` (the version before has the same digest), ``compared``,
            ``forced`` (with a reason) or ``rollback``.
        before: Version that had it; empty for the first.
        judged_on: Digest of the frozen samples that both were judged on; empty without a comparison.
        numbers: Numbers of the comparison; empty without one.
        forced: Reason given for a rollback, or a promotion against the comparison or without one.
        by: User that promoted.
        at: When, ISO 8601, UTC.
    """

    name: str
    version: str
    alias: str
    basis: Basis
    before: str = ""
    judged_on: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    forced: str = ""
    by: str = field(default_factory=getpass.getuser)
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


def champion_of(registry: Registry, name: str, *, alias: str) -> str:
    """The version that has an alias; empty when none has."""
    try:
        return registry.version_of(name, alias=alias)
    except AbsentError:
        return ""


def promote(registry: Registry, promotion: Promotion) -> RegisteredModel:
    """Move an alias, keep ``previous``, and record it in the version's tags and in its run.

    Raises:
        ConfigError: The alias moved since it was judged, or the version cannot be used.
    """
    name, alias = promotion.name, promotion.alias
    now = champion_of(registry, name, alias=alias)
    if now != promotion.before:
        msg = (
            f"{name}@{alias} moved from version {promotion.before or 'none'} to {now or 'none'} while version "
            f"{promotion.version} was judged: promote again, against that one"
        )
        raise ConfigError(msg)
    made = registry.promote(name, version=promotion.version, alias=alias)
    client, text = registry.client(), json.dumps(asdict(promotion), sort_keys=True)
    with in_our_words(uri=registry.uri, asked=f"recording {name}@{alias}"):
        version = client.get_model_version(name, promotion.version)
        brief = {k: v for k, v in asdict(promotion).items() if k != "numbers"}
        client.set_model_version_tag(name, promotion.version, f"promotion.{alias}", json.dumps(brief, sort_keys=True))
        if version.run_id:
            client.log_text(version.run_id, text + "\n", f"{PROMOTIONS}/{alias}-{promotion.at.replace(':', '')}.json")
    _keep(registry, promotion, digest=made.digest)
    return made


def _keep(registry: Registry, promotion: Promotion, *, digest: str) -> None:
    """Append to the table of promotions beside the registry."""
    from swath.ledger.promotions import append_promotion  # noqa: PLC0415  a second of imports, and only where an alias moves

    row = {k: v for k, v in asdict(promotion).items() if k not in ("forced", "numbers", "at")}
    append_promotion(
        open_store(str(registry.home), create=True),
        {
            **row, "digest": digest, "reason": promotion.forced, "at": datetime.fromisoformat(promotion.at),
            "numbers": json.dumps(promotion.numbers, sort_keys=True),
        },
    )  # fmt: skip


def promotions_of(registry: Registry, name: str = "") -> list[dict[str, Any]]:
    """All promotions that were recorded beside a registry, oldest first."""
    from swath.ledger.promotions import read_promotions  # noqa: PLC0415  as above

    return read_promotions(open_store(str(registry.home)), name=name) if registry.home.is_dir() else []


def roll_back(registry: Registry, name: str, *, alias: str, reason: str) -> RegisteredModel:
    """Give an alias back to the version that had it before.

    Raises:
        ConfigError: No version had the alias before.
    """
    before = champion_of(registry, name, alias=previous_of(alias))
    if not before:
        msg = f"{name} has no alias {previous_of(alias)}: {name}@{alias} was never moved, there is nothing to go back to"
        raise ConfigError(msg)
    now = champion_of(registry, name, alias=alias)
    return promote(registry, Promotion(name=name, version=before, alias=alias, basis="rollback", before=now, forced=reason))


def frozen_samples(registry: Registry, name: str, version: str, *, into: Path) -> Path | None:
    """The frozen samples that the training of a version left; None when it left none.

    Args:
        registry: Where.
        name: Name of the model.
        version: Version of the model.
        into: Empty folder.
    """
    client = registry.client()
    run_id = ask(lambda: client.get_model_version(name, version), uri=registry.uri, asked=f"{name}/{version}").run_id
    if not run_id:
        return None
    asked = f"frozen samples of {name}/{version}"
    found = ask(lambda: client.list_artifacts(run_id, FROZEN), uri=registry.uri, asked=asked)
    if not found:
        return None
    return Path(ask(lambda: client.download_artifacts(run_id, found[0].path, str(into)), uri=registry.uri, asked=asked))


def frozen_of(registry: Registry, pinned: PinnedModel, *, into: Path) -> Path | None:
    """As ``frozen_samples``; models that no registry was asked for have none."""
    if registry.exported or pinned.by_lock or pinned.version == LOCAL_VERSION:
        return None
    return frozen_samples(registry, pinned.name, pinned.version, into=into)
