"""One rule for every name that becomes part of a path: of scenes, platforms, pipelines, runs, assets."""

import re
from typing import Final

#: Most bytes of a file's name on the file systems of Linux.
FILE_NAME_BYTES: Final = 255
#: What a name is, for messages.
NAME_RULE: Final = "a plain name: no white space, slash or control character, no dot or hyphen at the beginning"
#: Separators of paths, white space, controls, and what no file system keeps.
_UNFIT: Final = re.compile(r"[\s/\\\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def name_problem(name: str) -> str:
    """What keeps a name from being part of a path, in words; empty when nothing does.

    Args:
        name: Name of one part of a path.
    """
    if not name:
        return "it is empty"
    if name[0] in ".-":
        return f"it begins with {name[0]!r}"
    unfit = _UNFIT.search(name)
    if unfit is not None:
        return f"it holds {unfit.group()!a}"
    size = len(name.encode())
    if size > FILE_NAME_BYTES:
        return f"it has {size} bytes, and a file's name has at most {FILE_NAME_BYTES}"
    return ""


def plain_name(value: str) -> str:
    """The value itself, when it can be part of a path: for fields of files that users write.

    Raises:
        ValueError: It cannot.
    """
    problem = name_problem(value)
    if problem:
        msg = f"{value!a} is not a name: {problem}; expected {NAME_RULE}"
        raise ValueError(msg)
    return value
