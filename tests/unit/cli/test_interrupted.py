"""Ctrl-C before a run: one line, and the exit code that shells know."""

import os
import signal
import subprocess
import sys

import pytest

from swath.cli.main import _ASKING, COMMANDS, cli, main

#: Ctrl-C while Python imports what a command needs: the first module of click asks for it.
_DURING_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from swath.cli.start import main
main()
"""


def test_before_anything_is_imported_it_is_one_line_and_130() -> None:
    done = subprocess.run([sys.executable, "-c", _DURING_IMPORT, "status"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\ninterrupted\n")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("status", "interrupted"),
        ("ingest", "interrupted; what is finished stays: start the same command again"),
        ("run", "interrupted; what is finished stays: start the same command again"),
    ],
)
def test_a_command_says_how_it_goes_on_where_it_changes_something(
    command: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "resolve_command", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(SystemExit, match=r"^130$"):
        main([command, "x"])
    assert capsys.readouterr().err.strip() == told


def test_the_commands_that_change_nothing_are_commands() -> None:
    assert set(COMMANDS) > _ASKING
