"""What a newer bundle has that an older one has not, and a bundle of that alone."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from swath.deploy.bundle.content import LIST, BundleContent, CarriedFile
from swath.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleDifference:
    """Two bundles.

    Args:
        added: Files of the new one that the old one has not.
        changed: Files with other content.
        removed: Paths that the new one has not.
    """

    added: tuple[CarriedFile, ...]
    changed: tuple[CarriedFile, ...]
    removed: tuple[str, ...]

    @property
    def to_carry(self) -> tuple[CarriedFile, ...]:
        """Files of a delta."""
        return (*self.added, *self.changed)


def difference(old: BundleContent, new: BundleContent) -> BundleDifference:
    """Compare two bundles by their lists."""
    before, after = old.by_path, new.by_path
    return BundleDifference(
        added=tuple(f for p, f in sorted(after.items()) if p not in before),
        changed=tuple(f for p, f in sorted(after.items()) if p in before and before[p].sha256 != f.sha256),
        removed=tuple(sorted(before.keys() - after.keys())),
    )


def write_delta(new: Path, *, found: BundleDifference, out: Path) -> None:
    """Write a bundle that holds only what is new, with the whole list and its signature.

    Raises:
        ConfigError: The bundle cannot be written, or exists already.
    """
    if out.exists():
        msg = f"{out} already exists"
        raise ConfigError(msg)
    try:
        for file in found.to_carry:
            (out / file.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new / file.path, out / file.path)
        # Last: a folder without a list is no bundle.
        out.mkdir(parents=True, exist_ok=True)
        for name in (f"{LIST}.sig", LIST):
            shutil.copyfile(new / name, out / name)
    except OSError as error:
        shutil.rmtree(out, ignore_errors=True)
        msg = f"{out}: the delta cannot be written: {error}"
        raise ConfigError(msg) from error
