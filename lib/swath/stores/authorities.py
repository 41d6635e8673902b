"""The bundle of certificate authorities, which may be replaced while a process works: taken up, and forgotten, by its name.

boto3 adds a new authority to those that it trusts and forgets none; libcurl, below GDAL, keeps what it read for a day. Both
read the file anew under another name, and every file has as many names as there are ways to write its path.
"""

import os
from collections.abc import Mapping

_Mark = tuple[int, int, int]
#: By path: the version that was seen last, and how many there were before.
_seen: dict[str, tuple[_Mark, int]] = {}


def bundle_of(variable: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """The path that a variable names, written in a way that it never was for another version of the file.

    Args:
        variable: Such as ``AWS_CA_BUNDLE``.
        environ: Environment that names the file.

    Returns:
        The path itself until the file is replaced; ``folder/./name`` after that, ``folder/././name`` next. Empty
        without the variable. A file that is not there is left to the library that wants it.
    """
    path = environ.get(variable, "")
    if not path:
        return ""
    try:
        now = os.stat(path)  # noqa: PTH116  a hundred thousand times a run: half the time of pathlib's
    except OSError:
        return path
    mark = now.st_ino, now.st_mtime_ns, now.st_size
    last, before = _seen.get(path, (mark, 0))
    if last != mark:
        before += 1
    _seen[path] = mark, before
    folder, name = os.path.split(path)
    return os.path.join(folder, *["."] * before, name)  # noqa: PTH118  pathlib would tidy the name
