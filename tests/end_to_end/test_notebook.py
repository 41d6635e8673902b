"""The notebook of the docs, run from its first cell to its last."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.environments import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
#: Reflectance is stored in steps of 0.0001, so half of one is what rounding costs.
HALF_A_STEP = 0.5e-4


def test_the_notebook_runs_and_sql_gives_what_the_product_holds(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "notebook.py")], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    count = re.search(r"^count +([\d.]+)", ended.stdout, re.MULTILINE)
    assert count is not None
    assert 10_000 < float(count[1]) <= 128 * 128
    told = re.search(r"largest difference between SQL and product: ([\d.]+)", ended.stdout)
    assert told is not None, ended.stdout[-1000:]
    assert 0.0 < float(told[1]) <= HALF_A_STEP + 1e-6
