"""Which Java runs Spark: found by its release file, never by starting it."""

import os
import re
import shutil
from pathlib import Path

#: Spark 4.0 runs on these; the first is what swath is tested with.
SUPPORTED = (17, 21)
#: Debian's packages of these, the preferred first; Debian 13 has the second alone.
JAVA_PACKAGES = tuple(f"openjdk-{major}-jre-headless" for major in SUPPORTED)
HOW_TO_GET = (
    f"Java {SUPPORTED[0]} or {SUPPORTED[1]} is missing: sudo apt-get install {JAVA_PACKAGES[0]} (or {JAVA_PACKAGES[1]}),"
    " or set JAVA_HOME to one of these"
)
_SYSTEM_HOMES = Path("/usr/lib/jvm")


def java_major(home: Path) -> int | None:
    """Major version of the Java at ``home`` (17), from its release file; None where there is no usable Java."""
    if not (home / "bin" / "java").exists():
        return None
    try:
        release = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', release, flags=re.MULTILINE)
    return int(found.group(1)) if found else None


def java_homes(system: Path = _SYSTEM_HOMES) -> tuple[Path, ...]:
    """Every Java of this machine, the user's choice first: JAVA_HOME, the system's, the one on PATH."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += sorted(system.iterdir()) if system.is_dir() else []
    command = shutil.which("java")
    homes += [Path(command).resolve().parents[1]] if command else []
    return tuple(dict.fromkeys(h.resolve() for h in homes))


def find_java(system: Path = _SYSTEM_HOMES) -> Path | None:
    """Home of the Java to use: JAVA_HOME when Spark runs on it, otherwise the oldest supported one; None without any."""
    homes = java_homes(system)
    chosen = os.environ.get("JAVA_HOME")
    if chosen and java_major(Path(chosen)) in SUPPORTED:
        return Path(chosen)
    fit = [h for h in homes if java_major(h) in SUPPORTED]
    return min(fit, key=lambda h: java_major(h) or 0, default=None)
