"""One part of an image."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swath.errors import ConfigError

#: Licences under which swath's images ship nothing: they would bind those who run the images.
FORBIDDEN = re.compile(
    r"\b(AGPL|Affero|SSPL|Server Side Public|BUSL|Business Source|Commons Clause|CC-BY-NC)", flags=re.IGNORECASE
)
_SPDX = re.compile(r"[A-Za-z0-9.+() -]+")
_WORDS = {"AND", "OR", "WITH"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A package, a jar, a Debian package.

    Args:
        name: Name.
        version: Version.
        purl: Package URL.
        licence: SPDX expression, or the licence's name in words.
        sha256: Digests of the files that it may have been installed from.

    Raises:
        ConfigError: Licence is not known, or forbids what the image is for.
    """

    name: str
    version: str
    purl: str
    licence: str
    sha256: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Nothing without a licence, and none of the forbidden ones."""
        if not self.licence:
            msg = f"{self.name} {self.version} names no licence; look it up, and add it to the exceptions of swath.deploy.sbom"
            raise ConfigError(msg)
        if FORBIDDEN.search(self.licence):
            msg = f"{self.name} {self.version} is under {self.licence}, which no image may ship; replace it"
            raise ConfigError(msg)

    def plain(self) -> Mapping[str, Any]:
        """As CycloneDX has it."""
        hashes = [{"alg": "SHA-256", "content": digest} for digest in self.sha256]
        return {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
            "licenses": [_licence(self.licence)],
            **({"hashes": hashes} if hashes else {}),
        }


def _licence(text: str) -> Mapping[str, Any]:
    """An SPDX expression as such; words as a name."""
    parts = text.replace("(", " ").replace(")", " ").split()
    expression = _SPDX.fullmatch(text) and all(
        p in _WORDS or re.search(r"[-0-9]", p) or p in {"MIT", "ISC", "Zlib"} for p in parts
    )
    return {"expression": text} if expression else {"license": {"name": text}}
