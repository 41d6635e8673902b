"""Children that a nursery forks: warm, in their worker's environment, gone with their worker; without a nursery things go on.

What is asked of any child stands in ``test_child``, which runs with both kinds.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.faults.processes import alive, ended, of_role
from tests.unit.engine.conftest import Lent, lent_nursery

from swath.engine.child.kept import _Kept
from swath.engine.child.nursery import Nursery
from swath.engine.child.parent import Child, Limits
from swath.engine.refused import Refused

LIMITS = Limits(memory_mb=400, seconds=60.0)


@pytest.fixture(autouse=True)
def _reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def own() -> Iterator[Lent]:
    """A nursery to be killed."""
    with lent_nursery() as made:
        yield made


def _child(nursery: Nursery | None) -> Child:
    return Child(LIMITS, module="hostile_child", nursery=nursery)


def _send(nursery: int, what: signal.Signals) -> None:
    """Hit the nursery and never ourselves: that would be the parent of a child that nobody forked."""
    assert nursery != os.getpid()
    os.kill(nursery, what)


def _done(child: Child, op: str, **fields: Any) -> dict[str, Any]:
    answer = child.call({"op": op, **fields})
    assert not isinstance(answer, Refused), answer
    return answer


def test_children_are_forked_by_one_warm_process_and_hold_nothing_of_each_other(lent: Lent) -> None:
    first, second, plain = _child(lent.nursery), _child(lent.nursery), _child(None)
    try:
        told = [_done(c, "surroundings") for c in (first, second, plain)]
        assert {*of_role(lent.host.pid, "child")} == {told[0]["pid"], told[1]["pid"]}
        assert of_role(lent.host.pid, "nursery") == [told[0]["parent"]]
    finally:
        for child in (first, second, plain):
            child.close()
    assert [t["name"] for t in told[:2]] == ["swath-child"] * 2
    assert [t["numba"] for t in told] == [True, True, False]
    assert told[0]["pid"] != told[1]["pid"]
    assert told[0]["parent"] == told[1]["parent"] not in {os.getpid(), lent.host.pid}
    assert told[0]["open"] == told[1]["open"]


def test_a_child_lives_in_the_environment_of_its_worker(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_OF_THE_WORKER", "späte Schlüssel\n")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.syspath_prepend("/a/plug-in")
    child = _child(lent.nursery)
    try:
        told = _done(child, "surroundings", names=["SWATH_OF_THE_WORKER", "HOME", "GDAL_CACHEMAX", "SWATH_CHILD_MEMORY_MIB"])
    finally:
        child.close()
    wanted = {"SWATH_OF_THE_WORKER": "späte Schlüssel\n", "HOME": "", "GDAL_CACHEMAX": "256", "SWATH_CHILD_MEMORY_MIB": "400"}
    assert told["c"] == wanted
    assert "HOME" not in told["environment"]
    assert {n: v for n, v in told["environment"].items() if n in wanted} == {n: v for n, v in wanted.items() if v}
    assert told["path"] == [p for p in sys.path if p]


WORKER = """
import socket, sys
from swath.engine.child.parent import Child, Limits
from swath.engine.child.kept import _Kept
from swath.engine.child.nursery import Nursery
nursery = Nursery(socket.socket(fileno=int(sys.argv[1])))
child = Child(Limits(memory_mb=400, seconds=60), module="hostile_child", nursery=nursery)
told = child.call({"op": "surroundings"})
print(told["pid"], told["name"], flush=True)
child.call({"op": "hang"})
"""


def test_the_child_of_a_killed_worker_is_killed_in_the_middle_of_a_request_and_others_are_not(lent: Lent) -> None:
    channel = lent.nursery.channel.fileno()
    path = os.pathsep.join(p for p in sys.path if p)
    other = _child(lent.nursery)
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(channel)],
        stdout=subprocess.PIPE, pass_fds=[channel], env={**os.environ, "PYTHONPATH": path},
    ) as worker:  # fmt: skip
        before = _done(other, "echo")["pid"]
        assert worker.stdout is not None
        pid, name = worker.stdout.readline().split()
        assert (alive(int(pid)), name) == (True, b"swath-child")
        worker.kill()
    assert ended(int(pid), seconds=20)
    assert _done(other, "echo")["pid"] == before
    other.close()


def test_who_has_ended_is_reaped(lent: Lent) -> None:
    child = _child(lent.nursery)
    told = _done(child, "surroundings")
    child.call({"op": "exit"})
    child.close()
    # The next child is forked after the ones before were told of.
    after = _done(child, "echo")["pid"]
    nursery = told["parent"]
    assert Path(f"/proc/{nursery}/task/{nursery}/children").read_text(encoding="ascii").split() == [str(after)]
    child.close()


def test_children_die_with_their_nursery_and_the_worker_goes_on_without(own: Lent) -> None:
    child = _child(own.nursery)
    before = _done(child, "surroundings")
    _send(before["parent"], signal.SIGKILL)
    assert ended(before["pid"], seconds=20)
    after = _done(child, "surroundings")
    assert (before["name"], after["parent"]) == ("swath-child", os.getpid())
    child.close()


def test_a_nursery_that_dies_in_the_middle_of_a_request_costs_one_try(own: Lent, tmp_path: Path) -> None:
    child, log = _child(own.nursery), tmp_path / "log"
    nursery = _done(child, "surroundings")["parent"]
    assert nursery != os.getpid()
    assert _done(child, "orphan-once", log=str(log), nursery=nursery)["parent"] == os.getpid()
    assert len(log.read_text(encoding="utf-8").split()) == 2
    child.close()


def test_a_nursery_that_stands_still_is_not_waited_for() -> None:
    with lent_nursery(answer_s=0.5) as stopped:
        child = _child(Nursery(stopped.nursery.channel))
        nursery = _done(child, "surroundings")["parent"]
        _send(nursery, signal.SIGSTOP)
        impatient = _child(stopped.nursery)
        assert _done(impatient, "surroundings")["parent"] == os.getpid()
        _send(nursery, signal.SIGCONT)
        # What it forks now nobody waits for: it is ended again, and the next one is forked as ever.
        assert _done(child, "surroundings")["parent"] == nursery
        impatient.close()
        child.close()


def test_a_nursery_and_its_children_end_with_the_process_that_opened_it(own: Lent) -> None:
    child = _child(own.nursery)
    told = _done(child, "surroundings")
    own.host.kill()
    assert ended(told["parent"], seconds=20)
    assert ended(told["pid"], seconds=20)
    child.close()


def test_an_environment_that_no_message_holds_needs_no_nursery(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        monkeypatch.setenv(f"SWATH_LONG_{number}", "x" * 100_000)
    child = _child(lent.nursery)
    told = _done(child, "surroundings")
    child.close()
    assert told["parent"] == os.getpid()
    assert len(told["environment"]["SWATH_LONG_2"]) == 100_000


def test_a_nursery_whose_libraries_start_threads_ends_before_it_forks(capfd: pytest.CaptureFixture[str]) -> None:
    with lent_nursery(threads="2") as threaded:
        child = _child(threaded.nursery)
        assert _done(child, "surroundings")["parent"] == os.getpid()
        child.close()
    assert "children are not forked from a process with threads" in capfd.readouterr().err


def test_a_child_with_gpus_is_a_python_of_its_own_that_sees_them(lent: Lent) -> None:
    """Libraries of a GPU do not survive a fork."""
    kept = _Kept(nursery=lent.nursery, module="hostile_child")
    child = kept.get(replace(LIMITS, gpus="1,3"))
    try:
        told = _done(child, "surroundings")
        assert told["parent"] == os.getpid()
        environment = Path(f"/proc/{told['pid']}/environ").read_bytes().split(b"\0")
        assert {b"CUDA_VISIBLE_DEVICES=1,3", b"SWATH_GPUS=1,3"} <= {*environment}
        assert kept.get(replace(LIMITS, gpus="2")) is not child
    finally:
        kept.get(LIMITS).close()
