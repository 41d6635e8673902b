"""A reader from outside that does to its process what its scene says: crashes natively, takes all memory, hangs."""

import ctypes
import signal
from pathlib import Path

from swath.errors import MetadataError
from swath.scene import Scene

SUFFIX = ".hostile"


class HostileReader:
    """Its scenes are text files with one word."""

    def recognises(self, href: str) -> bool:
        return href.endswith(SUFFIX)

    def read_scene(self, href: str) -> Scene:
        word = Path(href).read_text(encoding="utf-8").strip()
        if word == "crash":
            ctypes.string_at(0)
        elif word == "hog":
            held = []
            while True:
                held.append(b"x" * (64 << 20))
        elif word == "hang":
            signal.pause()
        raise MetadataError("a hostile scene without a word", expected="crash, hog or hang", got=word)


READER = HostileReader()
