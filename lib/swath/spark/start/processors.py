"""Cores of this machine as Java counts them, for callers without Java."""

import os
from pathlib import Path
from typing import Final

#: Quota and period of a container [us], or "max" and the period.
_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def processors(quota: Path = _QUOTA) -> int:
    """Cores that this process may use: those of its affinity, fewer where a container's quota is less."""
    cores = len(os.sched_getaffinity(0))
    limit, _, period = quota.read_text(encoding="ascii").strip().partition(" ") if quota.is_file() else ("max", "", "")
    return cores if limit == "max" else max(min(cores, -(-int(limit) // int(period))), 1)
