"""The base of the package, without any extra, is a whole program."""

import os
import subprocess
import sys
from pathlib import Path

from swath.extras import EXTRA_OF
from swath.simulator.simulate import simulate

#: Every process that starts with this finds no module of an extra.
SITE = f"""
import importlib.util, sys
HIDDEN = {set(EXTRA_OF)!r}
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.partition(".")[0] in HIDDEN else real(name, package)
"""


def swath(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command where no extra is installed."""
    hidden = folder / "hidden"
    hidden.mkdir(exist_ok=True)
    (hidden / "sitecustomize.py").write_text(SITE)
    environment = os.environ | {"PYTHONPATH": str(hidden)}
    command = [str(Path(sys.executable).with_name("swath")), *words]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_a_run_makes_products_without_any_extra(tmp_path: Path) -> None:
    simulate(kind="landsat9", folder=tmp_path / "in", size=96, clouds=0.0, truth=False)

    ended = swath(tmp_path, "run", "ard", "--input", "in/scenes", "--output", "out", "--run-id", "base")

    assert ended.returncode == 0, ended.stderr
    assert "1 scenes in = 1 made" in ended.stderr + ended.stdout
    assert (tmp_path / "out" / "reports" / "base.html").is_file()


def test_what_needs_an_extra_says_so_in_one_line(tmp_path: Path) -> None:
    ended = swath(tmp_path, "catalog", "migrate", "--catalog", "postgresql://localhost/none")

    assert ended.returncode == 2
    assert ended.stderr.strip() == "swath: this needs psycopg, which is not installed: pip install 'swath[catalog]'"
