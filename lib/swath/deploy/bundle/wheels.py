"""Wheels and source archives of a lock, checked against its hashes: what ``pip install --no-index`` needs at the other end."""

import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from swath.deploy.bundle.content import digest_of
from swath.deploy.sbom.python_packages import Locked, read_lock
from swath.errors import ConfigError, ServiceError

_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
#: Builds the packages that come as source archives alone (pyspark), where pip cannot fetch the tools.
_BUILD = """\
setuptools==84.2.1 \\
    --hash=sha256:3ff8b3b5492a0aa66960f4419365a86b84e013070d4313e4d4a6894f5d64d6bc \\
    --hash=sha256:ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2
wheel==0.48.0 --hash=sha256:3217dcc807155e45db462d7ef2431f5ddda0d7273b700d05a67b271ceb1287ab
"""

#: Kinds of wheels that Linux nodes of this machine's architecture take.
_PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010", "linux")


def fetch(lock: Path, *, into: Path, python: str = "") -> None:
    """Fetch what a lock lists for a Python and this machine, by its hashes.

    Args:
        lock: Requirements with hashes.
        into: Folder; files already there with the right hash are not fetched again.
        python: Version of the Python, such as ``3.12``; this one's if empty.

    Raises:
        ServiceError: The index does not answer, or has not what the lock lists.
    """
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        build = Path(folder) / "build.lock"
        build.write_text(_BUILD, encoding="utf-8")
        for wanted in (lock, build):
            _download(wanted, into=into, python=python)


def _download(lock: Path, *, into: Path, python: str) -> None:
    certificates = ["--cert", str(_CERTIFICATES)] if _CERTIFICATES.exists() else []
    words = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", *certificates]
    done = subprocess.run(
        [sys.executable, *words, *_of(python), "--dest", str(into), "--find-links", str(into), "--requirement", str(lock)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        msg = f"{lock}: its packages cannot be fetched: {done.stderr.strip().splitlines()[-1:] or done.returncode}"
        raise ServiceError(msg)


def _of(python: str) -> list[str]:
    """Pip's words for another Python on the same kind of machine."""
    if not python:
        return []
    kind = f"cp{python.replace('.', '')}"
    words = ["--python-version", python, "--implementation", "cp"]
    words += [word for abi in (kind, "abi3", "none") for word in ("--abi", abi)]
    return words + [word for name in _PLATFORMS for word in ("--platform", f"{name}_{platform.machine()}")]


def check(lock: Path, *, folder: Path) -> tuple[Path, ...]:
    """The files of a folder that a lock lists, and nothing else in it.

    Args:
        lock: Requirements with hashes.
        folder: Files of packages.

    Raises:
        ConfigError: A package of the lock has no file, or a file is none of the lock's.
    """
    listed = read_lock(lock.read_text(encoding="utf-8"))
    known = {**listed, **read_lock(_BUILD)}
    owners = {digest: name for name, locked in known.items() for digest in locked.sha256}
    files = {path: digest_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    stray = [p.name for p, digest in files.items() if digest not in owners]
    if stray:
        msg = f"{folder}: {', '.join(stray[:5])}: no file of {lock.name}, by its SHA-256"
        raise ConfigError(msg)
    _refuse_missing(listed, there={owners[digest] for digest in files.values()}, lock=lock, folder=folder)
    return tuple(files)


def _refuse_missing(listed: Mapping[str, Locked], *, there: set[str], lock: Path, folder: Path) -> None:
    missing = sorted(name for name, locked in listed.items() if name not in there and not locked.marked)
    if missing:
        named = f"{', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}"
        msg = f"{folder}: {named}: {lock.name} lists it, but its file is missing here"
        raise ConfigError(msg)
