"""MLflow reports to its makers how it is used, unless it is told before its import: no command of swath lets it."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import swath.training.adopting.from_mlflow
from mlflow.telemetry import get_telemetry_client
print(get_telemetry_client())
"""


def test_a_registry_is_used_without_a_word_to_others(tmp_path: Path) -> None:
    # Without the variables by which MLflow takes a process for a test: there it is quiet anyway.
    variables = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    variables |= {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "None"
