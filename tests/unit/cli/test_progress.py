"""Progress in a log: the inputs that are read, a line every ten seconds."""

import re

import pytest

from swath.cli.progress import Lines


def test_inputs_are_counted_as_they_are_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = [100.0]
    monkeypatch.setattr("swath.cli.progress.time.monotonic", lambda: clock[0])
    lines = Lines()
    for done in range(0, 2001, 8):
        clock[0] += 0.25
        lines.stage("inputs", done, 2000)
    told = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^\[ *([\d.]+) s\] ", r"\1 ", line) for line in told] == [
        "0.2 reading 0 of 2,000 inputs",
        *(f"{at + 0.2:.1f} reading {at * 32:,} of 2,000 inputs" for at in range(10, 61, 10)),
        "62.8 2,000 inputs read",
    ]
