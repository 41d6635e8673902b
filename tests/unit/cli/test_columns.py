"""Tables in a pipe: nothing is cut, and programs can read them."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import click
import pytest

from swath.cli.columns import plain, show
from swath.cli.main import cli, main
from swath.cli.versions import installed_digest, lock_digest

LONG = "S2A_MSIL1C_20240806T102031_N0510_R022_T33UVV_20240806T142031." * 4
ROWS = [("one", LONG, "1"), ("a longer name", "x", "")]


def test_plain_columns_are_whole_and_begin_under_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    show(("name", "value", "number"), ROWS, form=None)
    lines = capsys.readouterr().out.splitlines()
    assert LONG in lines[1]
    assert lines[0].index("value") == lines[1].index(LONG) == lines[2].index("x")
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("width", ["200", "80", "40"])
def test_a_terminal_of_any_width_shows_every_cell_whole(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names can be copied; other cells may go on in the next line, and nothing is left out."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", width)
    names = ("run", "pipeline", "waves", "in", "made", "skipped", "quarantined", "account", "took")
    run = "20261130T195317-9f99fe"
    show(names, [(run, "surface-reflectance", "12", "1400", "1399", "0", "1", "balances", "12 min 3 s")], form=None)
    told = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out)
    assert run in told
    assert "…" not in told
    assert max(map(len, told.splitlines())) <= int(width)
    if width != "80":
        assert all(cell in told for cell in (*names[1:], "surface-reflectance", "balances", "12 min 3 s"))


def test_json_and_csv_carry_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    show(("name", "value", "number"), ROWS, form="json")
    assert [tuple(row.values()) for row in json.loads(capsys.readouterr().out)] == ROWS
    show(("name", "value", "number"), ROWS, form="csv")
    assert [tuple(row) for row in csv.reader(io.StringIO(capsys.readouterr().out))][1:] == ROWS


def test_no_rows_are_a_header() -> None:
    assert plain(("a", "b"), []) == "a  b"


def test_versions_name_what_decides_results(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    told = dict(line.rsplit(" ", 1) for line in capsys.readouterr().out.splitlines())
    assert {"swath", "pyspark", "GDAL", "requirements.lock", "installed packages"} <= told.keys()
    assert told["pyspark"] == "4.0.5"
    assert (told["requirements.lock"], told["installed packages"]) == (lock_digest(), installed_digest())
    assert len(lock_digest()) == 12


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["completion", shell])
    script = capsys.readouterr().out
    assert "_SWATH_COMPLETE" in script
    # Its script splits type from name; at every comma, a description would end at its first.
    assert ("string split --max 1" in script) == (shell == "fish")


def test_bash_completes_commands_and_options() -> None:
    def completed(words: str) -> set[str]:
        asked = {"_SWATH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        command = [sys.executable, "-c", "import sys; sys.argv[0] = 'swath'; from swath.cli.main import main; main()"]
        done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return {line.split(",", 1)[1] for line in done.stdout.splitlines()}

    assert {"status", "sites"} <= completed("swath s")
    assert "--version" in completed("swath --v")
    assert "--base-map" in completed("swath view --b")
    # What says "loading" before a command says nothing before its completion.
    assert "--list" in completed("swath plan --l")


def test_completing_a_command_imports_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def imported(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr("swath.cli.lazy.import_module", imported)
    items = cli.shell_complete(click.Context(cli), "mo")
    assert [(item.value, item.help) for item in items] == [
        ("models", "List, register, promote, export, import, verify and trace models.")
    ]
