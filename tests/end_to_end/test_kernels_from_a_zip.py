"""``spark-submit --py-files swath.zip``: nothing can be written beside the code, and perhaps nowhere at all."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parents[2] / "lib"
CODE = """
import numpy as np, swath
from swath.inference.forest_predictor import ForestPredictor, _comb
answer = ForestPredictor(_comb(3, outputs=1)).predict(np.array([[0.5, 1.5, 2.5]], dtype=np.float32))
print(swath.__file__, answer[1].argmax())
"""


@pytest.mark.parametrize("home", ["writable", "missing"])
def test_kernels_run_and_keep_their_machine_code_where_they_can(tmp_path: Path, home: str) -> None:
    with zipfile.ZipFile(tmp_path / "swath.zip", "w") as archive:
        for path in (LIB / "swath").rglob("*.py"):
            archive.write(path, path.relative_to(LIB))
    folder = str(tmp_path) if home == "writable" else "/proc/nowhere"
    environment = {"PYTHONPATH": str(tmp_path / "swath.zip"), "HOME": folder, "XDG_CACHE_HOME": f"{folder}/cache"}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "swath.zip/swath/__init__.py"), "2"]
    assert bool(list(tmp_path.rglob("*.nbi"))) == (home == "writable")
