"""Whose fault it is when a store is away or refuses: never a scene's, unless its own file is refused."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.faults.outage_s3 import RESET, Fault, OutageS3

import swath
from swath.config import load_pipeline, prepare
from swath.engine.child.parent import CONFIG, STORE, Child, Limits
from swath.engine.refused import Refused
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.simulator.simulate import simulate
from swath.stores.registry import is_below, open_store
from swath.stores.s3 import S3Store


@pytest.fixture
def bucket(switch: OutageS3, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SWATH_STORE_PATIENCE_S", "2")
    name = f"fault-{uuid4().hex[:12]}"
    store = open_store(f"s3://{name}")
    assert isinstance(store, S3Store)
    store.client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One Landsat scene of 64 x 64 pixels."""
    return Path(simulate(kind="landsat9", folder=tmp_path_factory.mktemp("scenes"), size=64, truth=False).delivery)


@pytest.fixture
def remote(bucket: str, scenes: Path) -> str:
    store = open_store(f"s3://{bucket}/in/{scenes.name}")
    for file in scenes.iterdir():
        store.write(file.name, file.read_bytes())
    return store.root


@pytest.fixture
def child(switch: OutageS3) -> Iterator[Child]:
    made = Child(Limits(memory_mb=1024, seconds=300.0))
    yield made
    made.close()


def pipeline(folder: Path) -> str:
    return canonical(dict(prepare(load_pipeline("toa"), registry=Registry.beside(folder)).plain))


def _asked(child: Child, request: dict[str, Any]) -> dict[str, Any]:
    answer = child.call(request)
    assert not isinstance(answer, Refused), answer
    return answer


def _made(child: Child, remote: str, *, output: str, folder: Path) -> dict[str, Any]:
    """What is asked of a child to make the product."""
    text = pipeline(folder)
    found = _asked(child, {"op": "ingest", "href": remote, "files": None, "strip_rows": None, "pipeline": text})
    return {
        "op": "make", "scene": found["scene"], "scene_id": found["scene_id"], "pipeline": text, "output": output, "split": False,
        "strip_rows": None, "folder": ".scratch/x", "skip": [], "pictures": True, "models": {}, "attempt": "a",
    }  # fmt: skip


def test_what_a_child_says_of_a_store(remote: str, child: Child, switch: OutageS3, tmp_path: Path, bucket: str) -> None:
    """One child for all: it starts for seconds. It reads each file of the input once, so the input comes first."""
    asked = _made(child, remote, output=f"s3://{bucket}/out", folder=tmp_path)
    child.close()
    for code in ("SlowDown", "ExpiredToken"):
        switch.away(code, asked=lambda e: "/in/" in e["PATH_INFO"])
        _is_away(child.call(asked), place=f"s3://{bucket}/in/")
    switch.away("AccessDenied", asked=lambda e: "_B4." in e["PATH_INFO"])
    answer = child.call(asked)
    assert isinstance(answer, Refused)
    assert answer.error_class == "access"
    assert "_B4.TIF: s3:GetObject is refused to access key ...ABCD (from env)" in answer.message
    switch.away(RESET, asked=lambda e: "/out/" in e["PATH_INFO"])
    _is_away(child.call(asked), place=f"s3://{bucket}/out/")
    switch.away("AccessDenied", asked=lambda e: "/out/" in e["PATH_INFO"] and e["REQUEST_METHOD"] == "PUT")
    answer = child.call(asked)
    assert isinstance(answer, Refused)
    assert answer.error_class == CONFIG
    assert f"s3://{bucket}/out/" in answer.message
    assert "s3:PutObject is refused to access key ...ABCD" in answer.message
    fault = switch.away("SlowDown", seconds=0.7)
    assert child.call(asked).keys() >= {"published"}  # type: ignore[union-attr]
    assert fault.met > 0


def _is_away(answer: dict[str, Any] | Refused, *, place: str) -> None:
    assert isinstance(answer, Refused), answer
    assert answer.error_class == STORE, answer
    assert place in answer.message


def test_an_output_is_known_by_its_uri_and_by_its_access_point(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_below("s3://b/out/x", "s3a://b/out/")
    assert is_below("s3://b/out", "s3://b/out")
    assert not is_below("s3://b/outer/x", "s3://b/out")
    assert not is_below("s3://b/x", "/folder")
    point = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01/accesspoint/x"
    monkeypatch.setenv("SWATH_STORES", json.dumps({"rack": {"kind": "s3-outposts", "access_point": point}}))
    assert is_below(f"s3://{point}/out/x", "s3://rack/out")


def _run(remote: str, output: str) -> "subprocess.CompletedProcess[str]":
    words = ["run", "toa", "--input", remote, "--output", output, "--run-id", "r", "--json", "--master", "local[1,4]"]
    return subprocess.run(
        [sys.executable, "-m", "swath.cli", *words],
        env={**{k: v for k, v in os.environ.items() if k != "SWATH_LOCK"}, "PYTHONPATH": str(Path(swath.__file__).parents[1])},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


def _ends_with_6_and_how_to_go_on(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 6, done.stderr
    told = next(line for line in done.stderr.splitlines() if "was away for" in line)
    assert re.match(r"(\[ *[\d.]+ s\] )?swath: s3://", told)
    assert "was away for 2 s" in told
    assert told.endswith("start the same command again with --run-id r")
    assert "Traceback" not in done.stderr
    return told


def _all_made(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["made"], summary["quarantined"], summary["run_id"]) == (1, 0, "r")


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_whose_input_is_away_ends_with_6_and_goes_on(java: None, remote: str, switch: OutageS3, tmp_path: Path) -> None:
    switch.away("SlowDown", asked=lambda e: "_B4." in e["PATH_INFO"])
    assert "_B4." in _ends_with_6_and_how_to_go_on(_run(remote, str(tmp_path / "out")))
    switch.fault = None
    _all_made(_run(remote, str(tmp_path / "out")))


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.s3a
@pytest.mark.timeout(600)
def test_a_run_whose_output_is_away_outlasts_it_or_ends_with_6_and_goes_on(
    s3a_jars: tuple[Path, ...], remote: str, switch: OutageS3, bucket: str
) -> None:
    short = Fault(code="SlowDown", asked=lambda e: short.met > 0 or "/out/products" in e["PATH_INFO"], lasts_s=1.0)
    long = Fault(code=RESET, asked=lambda e: "/out/tables/products" in e["PATH_INFO"] and e["REQUEST_METHOD"] == "PUT")
    switch.fault = Both(short, long)
    told = _ends_with_6_and_how_to_go_on(_run(remote, f"s3://{bucket}/out"))
    assert short.met > 1
    assert "out/tables/products" in told
    before = _digests(bucket)
    switch.fault = None
    _all_made(_run(remote, f"s3://{bucket}/out"))
    assert {path: _digests(bucket)[path] for path in before} == before


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.s3a
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            Fault(code="AccessDenied", asked=lambda e: "/out/products" in e["PATH_INFO"] and e["REQUEST_METHOD"] == "PUT"),
            r"s3://\S+/out/products/\S+: s3:PutObject is refused to access key \.\.\.\S+ \(from env\) \(AccessDenied",
        ),
        (
            Fault(code="RequestTimeTooSkewed", asked=lambda e: "/out/" in e["PATH_INFO"], ahead_s=3600.0),
            r"this machine's clock is 3[56]\d\d s behind the store's",
        ),
    ],
    ids=["access denied", "clock skew"],
)
def test_a_run_whose_output_refuses_it_says_why_in_one_line(
    s3a_jars: tuple[Path, ...], remote: str, switch: OutageS3, bucket: str, fault: Fault, told: str
) -> None:
    switch.fault = fault
    done = _run(remote, f"s3://{bucket}/out")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "swath: " in line]
    assert re.search(told, line), line
    switch.fault = None


@pytest.mark.spark
@pytest.mark.long
@pytest.mark.s3a
@pytest.mark.timeout(600)
def test_a_store_that_is_busy_at_the_ledgers_commit_alone_is_waited_for_and_the_run_goes_on(
    s3a_jars: tuple[Path, ...], remote: str, switch: OutageS3, bucket: str
) -> None:
    switch.away("SlowDown", asked=_commits)
    assert "/out/tables/" in _ends_with_6_and_how_to_go_on(_run(remote, f"s3://{bucket}/out"))
    before = _digests(bucket)
    busy = switch.away("SlowDown", asked=_commits, seconds=1.0)
    _all_made(_run(remote, f"s3://{bucket}/out"))
    # The first pause may be longer than the store is busy: one refusal and a run that goes on are what is waited for.
    assert busy.met >= 1
    assert {path: _digests(bucket)[path] for path in before} == before


def _commits(environ: dict[str, Any]) -> bool:
    """Whether a request writes a commit of a table."""
    path = environ["PATH_INFO"]
    return environ["REQUEST_METHOD"] == "PUT" and "/out/tables/" in path and "/_delta_log/" in path and path.endswith(".json")


class Both(Fault):
    """One fault, and after it another."""

    def __init__(self, first: Fault, second: Fault) -> None:
        super().__init__(code=first.code)
        self._first, self._second = first, second

    def meets(self, environ: dict[str, Any]) -> bool:
        """Whether a request has the first or the second one."""
        fault = next((f for f in (self._first, self._second) if f.meets(environ)), None)
        if fault is not None:
            self.code, fault.met = fault.code, fault.met + 1
        return fault is not None


def _digests(bucket: str) -> dict[str, str]:
    """Of the files of products."""
    store = open_store(f"s3://{bucket}/out")
    return {path: store.digest(path)[0] for path in store.list("products") if path.endswith(".tif")}
