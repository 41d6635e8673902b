"""Two drivers on one output: the second one refuses, and nothing of it is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import swath
from swath.stores.local import local_store
from swath.stores.lock import output_lock

pytestmark = [pytest.mark.slow, pytest.mark.spark]


def _second(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "swath.cli", *words],
        env={**os.environ, "PYTHONPATH": str(Path(swath.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_a_second_driver_ends_with_5_and_leaves_nothing_but_its_log(java: None, scene: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    with output_lock(local_store(output), run_id="the-first"):
        done = _second("run", "toa", "--input", str(scene), "--output", str(output))
    assert done.returncode == 5, done.stderr
    assert f"{output} is locked by run the-first (process {os.getpid()}): wait for it to end" in done.stderr
    assert {p.name for p in output.iterdir()} == {".lock", "reports"}
    assert [p.suffix for p in (output / "reports").iterdir()] == [".log"]
