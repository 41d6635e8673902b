"""The word `demo` of the image, with its entry point run as a script; the image itself is built by test_images.py."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.environments import ROOT

SCRIPT = ROOT / "spark-operator" / "entrypoint.sh"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The entry point, with a folder of this test in place of /out."""
    text = SCRIPT.read_text(encoding="utf-8")
    assert text.count("/out/demo") == 1
    copy = tmp_path / "entrypoint.sh"
    copy.write_text(text.replace("-w /out", f"-w {tmp_path}/out").replace("/out/demo", f"{tmp_path}/out/demo"), encoding="utf-8")
    # tini of the image: what stands behind its `--` is started.
    tini = tmp_path / "tini"
    tini.write_text('#!/bin/sh\nshift 2\nexec "$@"\n', encoding="utf-8")
    tini.chmod(tini.stat().st_mode | stat.S_IXUSR)
    return copy


def _ended(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{script.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["/bin/sh", str(script), *words]
    return subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False, timeout=120)


def test_demo_starts_swaths_demo_with_the_words_behind_it(script: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    ended = _ended(script, "demo", "--help")
    assert ended.returncode == 0, ended.stderr
    assert "Usage: swath demo" in ended.stdout


def test_demo_goes_to_the_folder_that_is_mounted(script: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "demo").write_text("in the way", encoding="utf-8")
    ended = _ended(script, "demo")
    assert ended.returncode == 2
    assert f"'{tmp_path}/out/demo' is a file" in ended.stderr


def test_demo_without_a_folder_says_how_to_mount_one(script: Path) -> None:
    ended = _ended(script, "demo")
    assert ended.returncode == 2
    assert 'docker run --rm --user "$(id -u)" -v "$PWD:/out" IMAGE demo' in ended.stderr


def test_any_other_word_runs_as_it_is(script: Path) -> None:
    ended = _ended(script, "swath", "steps", "list", "--json")
    assert ended.returncode == 0, ended.stderr
    assert '"name": "smac"' in ended.stdout
