"""Python packages of this environment: what the lock says of them, and the licences that they state."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions

from swath.deploy.sbom.component import Component
from swath.errors import ConfigError

_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*])?==(?P<version>[^\s;\\]+)(?P<marker>\s*;[^\\]*)?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
#: Packages whose metadata names no licence, with that of their source.
_EXCEPTIONS = {
    "huey": "MIT",  # LICENSE in its source archive
    "hydraters": "MIT",  # LICENSE in its repository
    "sigstore-models": "Apache-2.0",  # LICENSE in its repository
    "skops": "BSD-3-Clause",  # LICENSE in its source archive
}
#: What makes environments, and swath itself, which is the subject.
_NOT_LISTED = {"pip", "setuptools", "wheel", "uv", "swath"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A package of a lock.

    Args:
        version: Exact.
        sha256: Digests of its files.
        marked: Only some machines install it.
    """

    version: str
    sha256: tuple[str, ...]
    marked: bool


def read_lock(text: str) -> dict[str, Locked]:
    """The packages of a requirements file with hashes, by normalised name.

    Raises:
        ConfigError: A line is neither a package with exact version nor a hash.
    """
    found: dict[str, Locked] = {}
    for entry in re.split(r"\n(?=\S)", text):
        match = _ENTRY.match(entry)
        if match:
            hashes = tuple(sorted(_HASH.findall(entry)))
            if not hashes:
                msg = f"the lock has no hash for {match['name']}"
                raise ConfigError(msg)
            found[_normal(match["name"])] = Locked(version=match["version"], sha256=hashes, marked=bool(match["marker"]))
        elif entry.strip() and not entry.startswith("#"):
            msg = f"the lock has a line that is not a package with an exact version: {entry.splitlines()[0]!r}"
            raise ConfigError(msg)
    return found


def python_components(lock: Mapping[str, Locked], *, installed: Mapping[str, Distribution] | None = None) -> Iterator[Component]:
    """Components of this environment, which must be the lock's.

    Args:
        lock: Lock of the packages that were to be installed.
        installed: Installed packages, by normalised name; this environment's by default.

    Raises:
        ConfigError: A package is installed that the lock does not list, in another version, or is missing; or a licence is
            unknown.
    """
    there = installed if installed is not None else {_normal(d.metadata["Name"]): d for d in distributions()}
    stray = sorted(there.keys() - lock.keys() - _NOT_LISTED)
    if stray:
        msg = f"{', '.join(stray)}: installed, but the lock does not list it; build the image from its lock alone"
        raise ConfigError(msg)
    for name, locked in sorted(lock.items()):
        if name in there:
            yield _component(name, there[name], locked=locked)
        elif not locked.marked:
            msg = f"{name} {locked.version}: the lock lists it, and it is not installed here; this environment is not the lock's"
            raise ConfigError(msg)


def _component(name: str, distribution: Distribution, *, locked: Locked) -> Component:
    if distribution.version != locked.version:
        msg = f"{name}: {distribution.version} is installed, the lock says {locked.version}"
        raise ConfigError(msg)
    purl = f"pkg:pypi/{name}@{locked.version}"
    licence = licence_of(distribution) or _EXCEPTIONS.get(name, "")
    return Component(name=name, version=locked.version, purl=purl, licence=licence, sha256=locked.sha256)


def licence_of(distribution: Distribution) -> str:
    """What a package's metadata states: expression, one-line licence, or classifiers; empty when it states nothing."""
    told = distribution.metadata
    short = next(iter(told.get_all("License") or ()), "").strip()
    classified = [c.rsplit(" :: ", 1)[-1] for c in told.get_all("Classifier") or () if c.startswith("License ::")]
    words = " and ".join(c for c in classified if c != "OSI Approved")
    one_line = short if 0 < len(short) < 80 and "\n" not in short and short.lower() != "unknown" else ""
    return next(iter(told.get_all("License-Expression") or ()), "") or words or one_line


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
