"""``swath report``: the report of a run drawn anew."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.report.conftest import sample

from swath.cli.main import main
from swath.runs.report_files import write_report


def test_the_latest_run_is_drawn_where_its_output_lies_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, now = tmp_path / "before", tmp_path / "now"
    # Names tell nothing of the time.
    for number, name in enumerate(("first", "a-second")):
        write_report(replace(sample({}), run_id=name, report=f"reports/{name}.html", output=str(before)))
        os.utime(before / "reports" / f"{name}.json", (number, number))
    before.rename(now)
    result = now / "reports" / "a-second.json"
    told, page = result.read_bytes(), result.with_suffix(".html")
    page.unlink()
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["report", str(now)])
    assert capsys.readouterr().out == f"{now}/reports/a-second.html\n"
    assert "a-second" in page.read_text(encoding="utf-8")
    # When a run ended is told by its result's age.
    assert (result.read_bytes(), result.stat().st_mtime, before.exists()) == (told, 1.0, False)
