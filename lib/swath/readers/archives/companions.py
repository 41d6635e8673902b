"""What a Mac leaves beside files and inside archives: part of no delivery."""


def is_companion(name: str) -> bool:
    """Whether a name, or a path with slashes, is a Mac's: AppleDouble (``._x``), ``__MACOSX`` or ``.DS_Store``."""
    *folders, file = name.rstrip("/").split("/")
    return file.startswith("._") or file in {".DS_Store", "__MACOSX"} or "__MACOSX" in folders
