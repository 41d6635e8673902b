"""How many processes of this container the kernel has ended because the container's memory was used up."""

import re
from pathlib import Path

_COUNT = re.compile(r"^oom_kill (\d+)$", flags=re.MULTILINE)
_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def kernel_kills(*, cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> int:
    """The kernel's count for the control group that this process belongs to; 0 where it tells none.

    Args:
        cgroups: Mount point of the control groups.
        membership: Lines of ``number:controllers:path``, of this process.
    """
    try:
        lines = membership.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    places: list[Path] = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") > 1):
        here = path.lstrip("/")
        if controllers == "":
            places += [cgroups / here / "memory.events", cgroups / "memory.events"]
        elif "memory" in controllers.split(","):
            # In a container the path may be the host's, while what is mounted is the container's own group.
            places += [cgroups / "memory" / here / "memory.oom_control", cgroups / "memory" / "memory.oom_control"]
    for place in places:
        try:
            found = _COUNT.search(place.read_text(encoding="ascii"))
        except OSError:
            continue
        if found:
            return int(found[1])
    return 0
