"""``swath view`` as it is called."""

import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.view.conftest import Viewed

from swath.cli.main import main


def test_the_address_is_printed_answers_and_ends_with_the_process(viewed: Viewed) -> None:
    command = [sys.executable, "-m", "swath.cli", "view", str(viewed.root), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = (process.stdout.readline() if process.stdout else "").split()[0]
            assert address.startswith("http://127.0.0.1:")
            with urlopen(address, timeout=30) as answer:  # noqa: S310  loopback
                assert b"swath view" in answer.read()
        finally:
            process.terminate()


def _said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit, match=r"^\d$") as stop:
        main(["view", *words])
    return int(stop.value.code or 0), capsys.readouterr().err


def test_what_is_no_output_is_refused_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = _said(capsys, str(tmp_path / "nothing"), "--no-open")
    assert code == 2
    assert "is not a swath output" in said
    assert not (tmp_path / "nothing").exists()


def test_a_taken_port_is_refused(viewed: Viewed, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = _said(capsys, str(viewed.root), "--no-open", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "choose another --port" in said


def test_a_missing_extra_is_named(viewed: Viewed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swath.cli.view.find_spec", lambda name: None if name == "rio_tiler" else object())
    code, said = _said(capsys, str(viewed.root))
    assert code == 2
    assert "the map needs rio_tiler: pip install 'swath[view]'" in said
