"""``swath --version``: what a report of a fault needs to name."""

import hashlib
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from swath import __version__

#: What is asked for most, by distribution.
_TOLD = ("pyspark", "delta-spark", "rasterio", "numpy")
#: Hex digits of the digest.
_DIGITS = 12


def versions() -> list[str]:
    """Versions of swath and of what decides its results, and digests of the lock file and of what is installed."""
    told = [f"swath {__version__}"]
    told += [f"{name} {_version(name)}" for name in _TOLD]
    told.append(f"GDAL {_gdal()}")
    told.append(f"requirements.lock {lock_digest() or 'not beside this installation'}")
    told.append(f"installed packages {installed_digest()}")
    return told


def lock_digest() -> str:
    """The first digits of the lock file's sha256, for a checkout; empty for an installed wheel, which has none."""
    lock = Path(__file__).resolve().parents[3] / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:_DIGITS] if lock.is_file() else ""


def installed_digest() -> str:
    """The first digits of the sha256 of all installed packages and versions: two equal ones run the same code."""
    found = sorted({f"{d.metadata['Name'].lower()}=={d.version}" for d in distributions() if d.metadata["Name"]})
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:_DIGITS]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "is not installed"


def _gdal() -> str:
    try:
        from swath.readers.files.drivers import gdal_version  # noqa: PLC0415  GDAL
    except ImportError as error:
        return f"cannot be loaded: {error}"
    return gdal_version()
