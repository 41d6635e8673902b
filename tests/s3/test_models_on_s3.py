"""Models on S3: a worker of another machine has neither the driver's disk nor its temporary folder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swath.inference.loader import load_predictor
from swath.inference.model_store import shared_models
from swath.inference.pinned import pin

WORKER = """
import json, sys
import numpy as np
from swath.inference.loader import load_predictor
place, digest, features = json.loads(sys.argv[1])
print(json.dumps(load_predictor(place, digest).predict(np.array(features, dtype=np.float32)).tolist()))
"""


@pytest.mark.slow
def test_a_worker_elsewhere_predicts_with_the_model_of_the_output(bucket: Any, small_model: Path, tmp_path: Path) -> None:
    model = pin(small_model, cache=tmp_path / "driver")
    features = np.linspace(0.0, 0.6, len(model.manifest.bands) * 4, dtype=np.float32).reshape(-1, 4)
    expected = load_predictor(model.path, model.digest).predict(features)
    given = {"m": {"path": str(model.path), "digest": model.digest}}
    found = shared_models(given, output=f"s3://{bucket.name}/out")
    assert found == {"m": {"path": f"s3://{bucket.name}/out/models/pinned", "digest": model.digest}}
    assert shared_models(found, output=f"s3://{bucket.name}/out") == found
    shutil.rmtree(tmp_path / "driver")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    words = [sys.executable, "-c", WORKER, json.dumps([found["m"]["path"], model.digest, features.tolist()])]
    environment = {**os.environ, "TMPDIR": str(elsewhere), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = [subprocess.run(words, env=environment, cwd=elsewhere, capture_output=True, text=True, check=False) for _ in range(2)]
    assert [d.returncode for d in done] == [0, 0], done[0].stderr[-3000:]
    assert [np.array_equal(np.float32(json.loads(d.stdout)), expected) for d in done] == [True, True]
    read = [path for method, path, _ in bucket.recorder.seen if method == "GET" and model.digest in path]
    assert len(read) == len(set(read)) == 1 + len(list(small_model.iterdir()))
