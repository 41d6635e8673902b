"""Folders of this user below the machine's temporary folder, where everybody may make files."""

import os
import stat
import tempfile
from pathlib import Path

from swath.errors import ConfigError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def own_folder(name: str) -> Path:
    """``<temporary folder>/<name>-<uid>``, made for this user alone.

    What is written there is published afterwards, so no other user may be able to replace it.

    Raises:
        ConfigError: The folder is a link, belongs to another user, or is open to others.
    """
    folder = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        _refuse_others(folder)
    return folder


def _refuse_others(folder: Path) -> None:
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        wrong = "is a symbolic link"
    elif not stat.S_ISDIR(found.st_mode):
        wrong = "is not a folder"
    elif found.st_uid != os.getuid():
        wrong = f"belongs to user {found.st_uid}"
    elif found.st_mode & _OTHERS:
        wrong = f"can be opened by others (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    msg = f"{folder} {wrong}; expected a folder of user {os.getuid()} with mode 0700"
    msg += ": remove it, or set TMPDIR to a folder of your own"
    raise ConfigError(msg)
