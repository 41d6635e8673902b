"""From nothing to the first prediction: what a worker's process imports, and the CPU seconds it takes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.onnx_bytes import model, node, port, tensor

from swath.inference.digest import model_digest
from swath.training.recipe import TrainingRecipe

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[3]
#: Stated for an idle machine [CPU s]; others at work on the same cores, and caches that they share, cost up to this much more.
FOREST_S, NETWORK_S, GENEROUS = 0.6, 1.0, 3.0
#: The driver's libraries, and what only training needs.
HEAVY = {"mlflow", "lightgbm", "pandas", "scipy", "pyarrow", "pyspark", "sklearn", "onnx", "openlineage", "boto3"}
PROGRAM = """
import json, sys, time
import numpy as np
from swath.inference.loader import load_predictor
answer = load_predictor(sys.argv[1], sys.argv[2]).predict(np.full((6, 100), 0.2, dtype=np.float32))
spent = time.process_time()
print(json.dumps({"spent": spent, "shape": answer.shape, "modules": sorted(m for m in sys.modules if "." not in m)}))
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds byte code, as an image does."""
    return tmp_path_factory.mktemp("cold")


def started(folder: Path, scratch: Path) -> dict[str, Any]:
    """What a second process says; the first one leaves byte code and machine code where an image has them."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    # A home that cannot be written, as in a container; machine code is beside the package.
    environment |= {"HOME": "/nonexistent", "PYTHONPYCACHEPREFIX": str(scratch / "bytecode"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(folder), model_digest(folder)]
    for _ in range(2):
        done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network of 40 MB that takes single pixels of six bands."""
    recipe = TrainingRecipe.read(ROOT / "models" / "landcover" / "recipe.yaml")
    plain = recipe.manifest().to_plain() | {"kind": "onnx", "weights": "network.onnx"}
    random, width, classes = np.random.default_rng(2), 3200, len(recipe.classes)
    shapes = {"a": (6, width), "b": (width, width), "c": (width, classes)}
    tensors = [tensor(n, random.normal(0.0, 0.01, shape).astype(np.float32)) for n, shape in shapes.items()]
    nodes = [node("MatMul", ["x", "a"], "y"), node("MatMul", ["y", "b"], "z"), node("MatMul", ["z", "c"], "scores")]
    nodes.append(node("Softmax", ["scores"], "probabilities"))
    folder = tmp_path / "network"
    folder.mkdir()
    given, made = port("x", "rows", 6), port("probabilities", "rows", classes)
    (folder / "network.onnx").write_bytes(model(nodes, tensors, given=given, made=made))
    (folder / "manifest.json").write_text(json.dumps(plain), encoding="utf-8")
    (folder / "card.md").write_text("A network.", encoding="utf-8")
    return folder


def test_a_forest_answers_soon_and_brings_nothing_of_the_driver(small_model: Path, scratch: Path) -> None:
    told = started(small_model, scratch)
    assert told["shape"] == [8, 100]
    assert HEAVY & set(told["modules"]) == set()
    assert told["spent"] < FOREST_S * GENEROUS


def test_a_network_of_40_mb_answers_soon_and_brings_nothing_of_the_driver(network: Path, scratch: Path) -> None:
    assert 40e6 < (network / "network.onnx").stat().st_size < 42e6
    told = started(network, scratch)
    assert told["shape"] == [8, 100]
    assert HEAVY & set(told["modules"]) == set()
    assert told["spent"] < NETWORK_S * GENEROUS
