"""What the demo says last."""

from pathlib import Path

import pytest
from tests.unit.report.conftest import sample

from swath.cli import demo
from swath.cli.main import main


def test_the_demo_says_last_what_to_open_after_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = sample({})
    # Making it takes a minute.
    monkeypatch.setattr(demo, "demo", lambda *_, **__: summary)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["demo", "--output", str(tmp_path)])
    told = [line.split("] ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert told[-1] == f"open {tmp_path}/{summary.report}, or look at the map: swath view {tmp_path}"
    assert "the account balances" in told[1]
