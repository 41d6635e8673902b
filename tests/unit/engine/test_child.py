"""A child process that crashes, hangs, or takes too much memory costs its request and nothing else."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from tests.faults.processes import alive, ended
from tests.unit.engine.conftest import lent_nursery

from swath.engine.child.parent import Child, Limits
from swath.engine.refused import Refused
from swath.errors import InfrastructureError

HOSTILE = "hostile_child"
GENEROUS = Limits(memory_mb=500, seconds=60.0)


@pytest.fixture(autouse=True)
def _reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child's module lies beside this file; a child inherits ``sys.path``."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture(params=["started", "forked"])
def child(request: pytest.FixtureRequest) -> Iterator[Child]:
    """A child that is a Python of its own, and one that a nursery forks: nobody must be able to tell them apart."""
    nursery = request.getfixturevalue("lent").nursery if request.param == "forked" else None
    made = Child(GENEROUS, module=HOSTILE, nursery=nursery)
    yield made
    made.close()


def _pids(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").split()


def _done(answer: dict[str, Any] | Refused) -> dict[str, Any]:
    assert not isinstance(answer, Refused), answer
    return answer


def test_requests_are_answered_by_one_process_that_is_kept(child: Child) -> None:
    answers = [_done(child.call({"op": "echo", "value": v})) for v in ("a", "ß\n", {"x": [1, None]}, "y" * 300_000)]
    assert [a["echo"] for a in answers] == ["a", "ß\n", {"x": [1, None]}, "y" * 300_000]
    assert len({a["pid"] for a in answers}) == 1
    assert answers[0]["pid"] != os.getpid()


@pytest.mark.parametrize(("op", "how"), [("crash", "signal 11"), ("exit", "exit code 3")])
def test_a_native_crash_is_refused_after_two_tries_and_the_next_request_works(
    child: Child, tmp_path: Path, op: str, how: str
) -> None:
    log = tmp_path / "log"
    answer = child.call({"op": op, "log": str(log), "scene_id": "S1"})
    assert isinstance(answer, Refused)
    assert answer.error_class == "crash"
    assert answer.message.startswith(f"S1: the process that worked on the scene died: expected an answer; got {how}. ")
    assert len(set(_pids(log))) == 2
    assert _done(child.call({"op": "echo", "value": 1}))["echo"] == 1


def test_who_was_killed_from_outside_is_not_called_a_bad_file(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = child.call({"op": "kill", "scene_id": "S1"})
    assert isinstance(answer, Refused)
    assert answer.error_class == "crash"
    assert answer.message.startswith("S1: the process that worked on the scene was killed from outside: ")
    counts = iter(range(9))
    monkeypatch.setattr("swath.engine.child.parent.kernel_kills", lambda: next(counts))
    answer = child.call({"op": "kill", "scene_id": "S1"})
    assert isinstance(answer, Refused)
    assert answer.error_class == "oom"
    assert "the container's memory was used up" in answer.message


def test_a_crash_that_does_not_come_back_costs_one_try(child: Child, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert _done(child.call({"op": "once", "log": str(log)}))["pid"] == int(_pids(log)[1])


def test_a_hang_is_refused_as_timeout_after_two_tries(tmp_path: Path) -> None:
    child, log = Child(Limits(memory_mb=400, seconds=1.5), module=HOSTILE), tmp_path / "log"
    try:
        child.call({"op": "echo"})
        answer = child.call({"op": "hang", "log": str(log)})
        assert isinstance(answer, Refused)
        assert answer.error_class == "timeout"
        assert "expected under 2 s for a strip; got no answer. The file may be hostile" in answer.message
        # A child on a busy machine may use up its time before it gets to the request.
        assert len(_pids(log)) in {1, 2}
        assert not alive(int(_pids(log)[0]))
    finally:
        child.close()


def test_an_allocation_beyond_the_limit_is_refused_as_oom_after_two_tries(child: Child, tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = child.call({"op": "allocate", "mb": 2000, "log": str(log), "scene_id": "S1"})
    assert isinstance(answer, Refused)
    assert answer.error_class == "oom"
    assert answer.message.startswith("S1: the scene needs more memory than its process may have: expected at most 500 MiB; got")
    assert len(set(_pids(log))) == 2
    assert _done(child.call({"op": "echo", "value": 2}))["echo"] == 2


def test_memory_that_earlier_requests_left_behind_does_not_count(child: Child, tmp_path: Path) -> None:
    log = tmp_path / "log"
    # The data limit is 750 MiB: both together do not fit, each alone does. A child and its libraries have up to 120 MiB.
    for _ in range(2):
        _done(child.call({"op": "allocate", "mb": 378, "log": str(log)}))
    assert len(set(_pids(log))) == 2


def test_growth_that_the_kernel_does_not_limit_is_seen_by_the_parent(child: Child, tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = child.call({"op": "touch", "mb": 560, "log": str(log)})
    assert isinstance(answer, Refused)
    assert answer.error_class == "oom"
    assert "the scene outgrew the memory limit of its process: expected at most 500 MiB; got" in answer.message
    assert len(set(_pids(log))) == 2
    assert _done(child.call({"op": "echo", "value": 3}))["echo"] == 3


@pytest.mark.parametrize("forked", [False, True])
def test_noise_on_stdout_does_not_corrupt_answers(capfd: pytest.CaptureFixture[str], *, forked: bool) -> None:
    # A nursery of its own: what children say goes where the nursery's words went when it began.
    with lent_nursery() if forked else nullcontext() as lent:
        child = Child(GENEROUS, module=HOSTILE, nursery=lent.nursery if lent else None)
        for _ in range(2):
            assert _done(child.call({"op": "noise"}))["noise"] is True
        child.close()
    assert "a lie" in capfd.readouterr().err


def test_errors_of_scenes_and_of_configuration_are_answers(child: Child) -> None:
    refused = child.call({"op": "scene-error", "scene_id": "S1"})
    assert refused == Refused("read", "S1: it cannot be read: got zeros")
    assert child.call({"op": "config-error"}) == Refused("config", "no such step")


def test_a_bug_is_the_outcome_of_its_scene_after_a_try_in_a_fresh_child(child: Child, tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = child.call({"op": "bug", "log": str(log), "scene_id": "S1"})
    assert isinstance(answer, Refused)
    assert answer.error_class == "internal"
    code = Path(__file__).with_name("hostile_child.py").read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(code, 1) if "our own" in text)
    expected = f"got ZeroDivisionError: our own fault, at engine/hostile_child.py:{line} (_bug), from "
    assert answer.message.startswith("S1: an unexpected error: ")
    assert expected in answer.message
    assert len(set(_pids(log))) == 2
    assert _done(child.call({"op": "echo", "value": 4}))["echo"] == 4


@pytest.mark.parametrize("what", ["huge number", "bytes", "mute error", "surrogate", "recursion", "exit"])
def test_whatever_goes_wrong_is_an_answer_that_a_table_can_hold(child: Child, what: str) -> None:
    answer = child.call({"op": "strange", "what": what, "scene_id": "S1"})
    assert isinstance(answer, Refused)
    assert answer.error_class == ("crash" if what == "exit" else "internal")
    assert answer.message.encode().isascii()
    assert answer.message.startswith("S1: ")
    assert "\n" not in answer.message
    assert len(answer.message) < 5000


@pytest.mark.parametrize("what", ["disk full", "no more files, told by a reader", "a failure of our own"])
def test_what_every_scene_needs_is_no_scenes_fault(child: Child, what: str) -> None:
    with pytest.raises(InfrastructureError, match=r"No space left|Too many open files|the store is away"):
        child.call({"op": "strange", "what": what, "scene_id": "S1"})
    assert _done(child.call({"op": "echo", "value": 5}))["echo"] == 5


def test_a_child_that_died_between_requests_is_replaced(child: Child) -> None:
    first = _done(child.call({"op": "echo"}))["pid"]
    os.kill(first, 9)
    assert ended(first, seconds=20)
    assert _done(child.call({"op": "echo"}))["pid"] != first


def test_a_closed_child_is_gone_and_starts_again_when_asked(child: Child) -> None:
    first = _done(child.call({"op": "echo"}))["pid"]
    child.close()
    child.close()
    assert not alive(first)
    assert _done(child.call({"op": "echo"}))["pid"] != first


def test_limits_hold_in_the_child(child: Child) -> None:
    answer = _done(child.call({"op": "limits"}))
    assert (answer["data"], answer["core"]) == (750 << 20, 0)


PARENT = """
from swath.engine.child.parent import Child, Limits
child = Child(Limits(memory_mb=400, seconds=60), module="hostile_child")
print(child.call({"op": "echo"})["pid"], flush=True)
child.call({"op": "hang"})
"""


def test_the_child_dies_with_its_parent_even_in_the_middle_of_a_request() -> None:
    path = os.pathsep.join(p for p in sys.path if p)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        parent.wait()
    assert ended(pid, seconds=20)


def test_time_spent_waiting_for_a_store_is_not_the_scenes() -> None:
    child = Child(Limits(memory_mb=400, seconds=1.0), module=HOSTILE)
    try:
        assert _done(child.call({"op": "waits", "away_s": 2.5, "patience_s": 60.0}))["waited_s"] > 2.5
        answer = child.call({"op": "waits", "away_s": 60.0, "patience_s": 0.5})
    finally:
        child.close()
    assert answer == Refused("store", "s3://bucket was away")


def test_a_shell_that_allows_too_little_address_space_is_told_and_no_scene_is_blamed() -> None:
    code = "from swath.engine.child.parent import Child, Limits\nChild(Limits(memory_mb=700))"
    soft = 600 << 20
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY)),
    )  # fmt: skip
    told = "processes of this shell may use 600 MiB of address space (ulimit -v), and a scene may need 700 MiB; raise it"
    assert told in done.stderr, done.stderr[-500:]
