from pathlib import Path

import pytest

from swath.engine.child.kernel_kills import kernel_kills

V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
V2 = "low 0\nhigh 0\nmax 12\noom 4\noom_kill 2\noom_group_kill 0\n"


@pytest.mark.parametrize(
    ("membership", "file", "text", "kills"),
    [
        ("0::/\n", "memory.events", V2, 2),
        ("0::/pods/one\n", "pods/one/memory.events", V2, 2),
        ("0::/pods/of-the-host\n", "memory.events", V2, 2),
        ("4:cpu:/\n3:memory:/docker/one\n0::/\n", "memory/docker/one/memory.oom_control", V1, 3),
        ("3:cpuset,memory:/of-the-host\n", "memory/memory.oom_control", V1, 3),
        ("4:cpu:/\n", "memory/memory.oom_control", V1, 0),
        ("0::/\n", "memory.events", "oom 4\n", 0),
        ("nonsense\n", "memory.events", V2, 0),
    ],
)
def test_the_count_of_the_own_group_is_found(tmp_path: Path, membership: str, file: str, text: str, kills: int) -> None:
    place = tmp_path / "cgroup" / file
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="ascii")
    told = tmp_path / "membership"
    told.write_text(membership, encoding="ascii")
    assert kernel_kills(cgroups=tmp_path / "cgroup", membership=told) == kills


def test_a_machine_without_control_groups_tells_none(tmp_path: Path) -> None:
    assert kernel_kills(cgroups=tmp_path, membership=tmp_path / "none") == 0
