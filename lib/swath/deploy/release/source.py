"""What images are built from: a commit, with nothing beside it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from swath.deploy.release.released import sha256_of
from swath.errors import ConfigError

LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSource:
    """A clean checkout with its wheel.

    Args:
        root: Folder.
        commit: 40 hex digits.
        epoch: Time of the commit [s since 1970].
        lock_sha256: Digest of its lock.
        wheel: The one wheel in ``dist``.
    """

    root: Path
    commit: str
    epoch: int
    lock_sha256: str
    wheel: Path

    @classmethod
    def of(cls, root: Path) -> Self:
        """Look at a checkout.

        Raises:
            ConfigError: The folder is not a checkout, has uncommitted changes, or does not have exactly one wheel.
        """
        changed = _git(root, "status", "--porcelain")
        if changed:
            first = changed.splitlines()[0][3:]
            msg = f"{root}: {first} is not committed: an image is built from a commit and nothing else; commit or remove it"
            raise ConfigError(msg)
        wheels = sorted((root / "dist").glob("swath-*.whl"))
        if len(wheels) != 1:
            msg = f"{root / 'dist'}: {len(wheels)} wheels of swath, expected one: make wheel"
            raise ConfigError(msg)
        commit, epoch = _git(root, "log", "-1", "--format=%H %ct").split()
        return cls(root=root, commit=commit, epoch=int(epoch), lock_sha256=sha256_of(root / LOCK), wheel=wheels[0])


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode:
        msg = f"{root}: git {words[0]}: {done.stderr.strip()}"
        raise ConfigError(msg)
    return done.stdout.strip()
