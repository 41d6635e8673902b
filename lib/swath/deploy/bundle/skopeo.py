"""Images copied by skopeo, byte for byte: between registries, OCI layouts and plain folders, without a container engine."""

import re
import shutil
import subprocess
from pathlib import Path

from swath.errors import ConfigError, ServiceError

_LOOPBACK = re.compile(r"docker://(localhost|127\.0\.0\.1|\[::1\])[:/]")
#: What skopeo says when the other side does not know an image.
_UNKNOWN = ("manifest unknown", "name unknown", "unauthorized", "requested access", "not found", "no such file")


def copy(source: str, target: str, *, called: str) -> None:
    """Copy an image with all its architectures; what is at the target already is not sent again.

    Args:
        source: Source in skopeo's notation: ``docker://...``, ``oci:...``, ``dir:...``.
        target: The same.
        called: The image's name in messages.

    Raises:
        ConfigError: There is no such image, or skopeo is missing.
        ServiceError: The image could not be copied whole.
    """
    words = ["copy", "--all", "--preserve-digests", "--retry-times", "3", *_plain(source, "src"), *_plain(target, "dest")]
    done = _skopeo(*words, source, target)
    if done.returncode:
        reason = _reason(done)
        known = any(word in reason.lower() for word in _UNKNOWN)
        msg = f"{called}: cannot be copied from {source} to {target}: {reason}"
        raise ConfigError(msg) if known else ServiceError(msg)


def digest_at(place: str) -> str | None:
    """Digest of the manifest or index at a place; None when there is none."""
    done = _skopeo("manifest-digest", "/dev/stdin", given=raw) if (raw := raw_manifest(place)) is not None else None
    return done.stdout.decode().strip() if done is not None and done.returncode == 0 else None


def raw_manifest(place: str) -> bytes | None:
    """Manifest or index at a place as it is; None when there is none."""
    tls = ("--tls-verify=false",) if _LOOPBACK.match(place) else ()
    done = _skopeo("inspect", "--raw", *tls, place)
    return done.stdout if done.returncode == 0 else None


def folder(path: Path) -> str:
    """A plain folder, as skopeo names it."""
    return f"dir:{path}"


def _plain(place: str, end: str) -> tuple[str, ...]:
    """Loopback needs no certificate."""
    return (f"--{end}-tls-verify=false",) if _LOOPBACK.match(place) else ()


def _skopeo(*words: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("skopeo")
    if program is None:
        raise ConfigError("skopeo copies images and is not installed: apt-get install skopeo")
    return subprocess.run([program, *words], input=given, capture_output=True, check=False)


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    found = re.search(r'msg="(.*)"', lines[-1]) if lines else None
    return found[1] if found else (lines[-1] if lines else f"skopeo ended with {done.returncode}")
