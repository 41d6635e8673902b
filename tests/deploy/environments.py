"""Environments of their own for orchestrators: packages that the product and its lock never have."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LOCKS = Path(__file__).resolve().parent / "locks"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def environment(name: str) -> Path:
    """The Python of an environment with the packages of ``locks/<name>.lock``, made when it is not there."""
    lock, folder = _LOCKS / f"{name}.lock", ROOT / ".cache" / "environments" / name
    python, stamp = folder / "bin" / "python", folder / "lock.sha256"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    uv = str(Path(sys.executable).with_name("uv"))
    shutil.rmtree(folder, ignore_errors=True)
    certificates = ["--system-certs"] if _CERTIFICATES.exists() else []
    for words in (
        ["venv", "-q", "--python", sys.executable, str(folder)],
        [
            "pip",
            "install",
            "-q",
            *certificates,
            "--compile-bytecode",
            "--python",
            str(python),
            "--require-hashes",
            "-r",
            str(lock),
        ],
    ):
        done = subprocess.run([uv, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{name} cannot be installed here: {done.stderr.strip()[-300:]}")
    stamp.write_text(wanted)
    return python
