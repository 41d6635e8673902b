"""How much of an archive is believed: checked while it is listed, before a byte of it is unpacked."""

import time
from dataclasses import dataclass, field

from swath.errors import ArchiveError


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What an archive may hold and cost.

    Args:
        members: A delivery has 20 to 150 files; a SAFE of 2015 with many granules a few thousand.
        unpacked: Bytes; a Landsat 9 scene has 1.5 GB.
        ratio: Bytes unpacked for one that is packed; pixels pack 1.3 to 4 times, a scene that is mostly fill 20 times.
        small: Bytes up to which no ratio is looked at: a made-up scene of one value packs a thousand times.
        seconds: Longest time to list, inflate or copy out of one archive.
    """

    members: int = 10_000
    unpacked: int = 16 << 30
    ratio: int = 200
    small: int = 256 << 20
    seconds: float = 300.0


LIMITS = ArchiveLimits()


@dataclass(slots=True, kw_only=True)
class Budget:
    """Counts what an archive declares and gives, and stops it where that is beyond belief.

    Args:
        name: Name of the archive, for messages.
        packed: Size in bytes.
        limits: Limits on the archive's content and cost.
    """

    name: str
    packed: int
    limits: ArchiveLimits = LIMITS
    _members: int = 0
    _declared: int = 0
    _inflated: int = 0
    _began: float = field(default_factory=time.monotonic)

    def declare(self, size: int) -> None:
        """Count a member by the size that its header declares.

        Raises:
            ArchiveError: The members are too many or too large.
        """
        self._members += 1
        self._declared += max(size, 0)
        self.expect(self._members)
        self._believe(self._declared)

    def expect(self, members: int) -> None:
        """Refuse an archive of too many members.

        Raises:
            ArchiveError: There are more than a delivery has.
        """
        if members > self.limits.members:
            raise self._refusal(f"at most {self.limits.members} members", f"{members} or more")

    def inflate(self, size: int) -> None:
        """Count bytes that came out.

        Raises:
            ArchiveError: The bytes are too many, or took too long.
        """
        self._inflated += size
        self._believe(self._inflated)
        if time.monotonic() - self._began > self.limits.seconds:
            raise self._refusal(f"at most {self.limits.seconds:.0f} s to unpack", f"{self._inflated} bytes in that time")

    def _believe(self, size: int) -> None:
        if size > self.limits.unpacked:
            raise self._refusal(f"at most {self.limits.unpacked} bytes unpacked", f"{size} or more")
        if size > self.limits.small and size > self.limits.ratio * self.packed:
            expected = f"at most {self.limits.ratio} bytes unpacked for one that is packed"
            raise self._refusal(expected, f"{size} or more from {self.packed}")

    def _refusal(self, expected: str, got: str) -> ArchiveError:
        return ArchiveError(
            "the archive unpacks to more than a delivery",
            expected=expected,
            got=f"{got} in {self.name}",
            remedy="Do not trust this archive; if it is yours, unpack it and name the folder.",
        )
