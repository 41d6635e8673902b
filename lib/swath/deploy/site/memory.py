"""Memory sizes as Spark 4.0 takes them: a whole number followed by ``m`` or ``g``."""

import re
from dataclasses import dataclass
from typing import Self

from swath.errors import ConfigError

_SPARK = re.compile(r"(?P<number>[1-9]\d*)(?P<unit>[mg])")
_MIB = {"m": 1, "g": 1024}


@dataclass(frozen=True, slots=True, order=True)
class Memory:
    """An amount of memory, in whole mebibytes."""

    mib: int

    def __post_init__(self) -> None:
        """Refuse nothing and less."""
        if self.mib <= 0:
            msg = f"memory must be positive, got {self.mib} MiB"
            raise ConfigError(msg)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``4g`` or ``512m``.

        Raises:
            ConfigError: Anything else. Spark 4.0 refuses ``1Gi`` and ``1024Mi`` (4.2 and the operator's schema take
                them, so they pass every check and fail at start), and no Spark takes ``1.5g``.
        """
        match = _SPARK.fullmatch(text.strip())
        if match is None:
            msg = f"memory {text!r}: Spark 4.0 takes a whole number with g or m. Write {_better(text)}"
            raise ConfigError(msg)
        return cls(int(match["number"]) * _MIB[match["unit"]])

    @property
    def spark(self) -> str:
        """As Spark and the operator's schema take it."""
        return f"{self.mib // 1024}g" if self.mib % 1024 == 0 else f"{self.mib}m"

    @property
    def kubernetes(self) -> str:
        """As a Kubernetes quantity."""
        return f"{self.mib}Mi"

    def __add__(self, other: "Memory") -> "Memory":
        """The sum."""
        return Memory(self.mib + other.mib)

    def __mul__(self, factor: int) -> "Memory":
        """Several times this."""
        return Memory(self.mib * factor)


def _better(text: str) -> str:
    """What the writer of ``text`` probably meant."""
    loose = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip(), flags=re.IGNORECASE)
    scale = {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024 * 1024}
    if loose is None or loose[2].lower() not in scale or float(loose[1]) * scale[loose[2].lower()] < 1:
        return "for example 4g or 1536m"
    return Memory(round(float(loose[1]) * scale[loose[2].lower()])).spark
