"""Known vulnerabilities in a lock, by pip-audit; what was not looked at is said so, and never called clean."""

import shutil
import subprocess
from pathlib import Path

from swath.errors import ConfigError

CLEAN = "no known vulnerability"
#: What pip-audit prints on stderr when it found some; every other failure is that of the look-up.
_FOUND = "known vulnerabilit"


def scan(lock: Path) -> str:
    """What ``images.json`` says of a lock: ``CLEAN`` or ``not scanned: REASON``.

    Raises:
        ConfigError: A package has a known vulnerability.
    """
    program = shutil.which("pip-audit")
    if program is None:
        return "not scanned: pip-audit is not installed"
    words = ["--strict", "--disable-pip", "--no-deps", "--progress-spinner", "off", "--requirement", str(lock)]
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return CLEAN
    if _FOUND in done.stderr.lower() and "no known" not in done.stderr.lower():
        msg = f"{lock.name}: {done.stderr.strip()}\n{done.stdout.strip()}"
        raise ConfigError(msg)
    reason = next(
        (line for line in reversed(done.stderr.splitlines()) if line.strip()), f"pip-audit ended with {done.returncode}"
    )
    return f"not scanned: {reason.strip()[:300]}"
