"""The name of an image, as manifests, arguments and variables have it."""

import re
from dataclasses import dataclass
from typing import Self

from swath.errors import ConfigError

_HOST = r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:\d))(?::\d+)?"
_PATH = r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}"
_ANY = re.compile(rf"(?P<name>(?:{_HOST}/)?{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?")
#: What is an image wherever it is written: a host, a path, and a tag or a digest.
_SURE = re.compile(rf"{_HOST}/{_PATH}(?::{_TAG}(?:@{_DIGEST})?|@{_DIGEST})")


@dataclass(frozen=True, slots=True, order=True)
class ImageReference:
    """An image by name.

    Args:
        name: Host and path, as it is written.
        tag: Empty without one.
        digest: ``sha256:...``; empty without one.
    """

    name: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def read(cls, text: str, *, where: str) -> Self:
        """What a manifest's field says.

        Args:
            text: The field.
            where: The object and its field, for the message.

        Raises:
            ConfigError: The text is not the name of an image.
        """
        match = _ANY.fullmatch(text.strip())
        if match is None:
            msg = f"{where}: {text!r} is not the name of an image (host/path:tag@sha256:...)"
            raise ConfigError(msg)
        return cls(match["name"], match["tag"] or "", match["digest"] or "")

    @property
    def path(self) -> str:
        """Name without its host: what it is called in any registry."""
        host, slash, rest = self.name.partition("/")
        return rest if slash and ("." in host or ":" in host or host == "localhost") else self.name

    @property
    def pinned(self) -> str:
        """By digest, without its tag."""
        return f"{self.name}@{self.digest}"

    def __str__(self) -> str:
        return f"{self.name}{f':{self.tag}' if self.tag else ''}{f'@{self.digest}' if self.digest else ''}"


def is_surely_one(word: str) -> bool:
    """Whether a word of any text names an image: with a host and a tag or digest."""
    return _SURE.fullmatch(word) is not None
