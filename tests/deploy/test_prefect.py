"""The flow for Prefect in Prefect itself, with the command that it calls, against the fake API server."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.environments import ROOT, environment
from tests.deploy.fake_kubernetes import FakeCluster, serve

from swath.deploy.handover import write_handover
from swath.deploy.site.files import load_job, load_site

pytestmark = [pytest.mark.tools, pytest.mark.timeout(900)]
HERE = ROOT / "conf" / "orchestrators" / "prefect"
SWATH = str(Path(sys.executable).with_name("swath"))


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped site, with products in a folder that pods share."""
    for kind in ("jobs", "sites"):
        (tmp_path / "conf" / kind).mkdir(parents=True)
    site = yaml.safe_load((ROOT / "conf" / "sites" / "kubernetes.yaml").read_text(encoding="utf-8"))
    site["stores"]["products"] = {"kind": "folder", "uri": str(tmp_path / "p"), "shared": True, "claim": "swath-products"}
    (tmp_path / "conf" / "sites" / "kubernetes.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
    job = (ROOT / "conf" / "jobs" / "ard.yaml").read_text(encoding="utf-8")
    (tmp_path / "conf" / "jobs" / "ard.yaml").write_text(job, encoding="utf-8")
    (tmp_path / "p" / "ard" / "reports").mkdir(parents=True)
    monkeypatch.setenv("SWATH_CONF", str(tmp_path / "conf"))
    return tmp_path / "conf"


class _Cluster(FakeCluster):
    """Whose runs end at once, as they are asked to; those that complete leave a result of ten scenes."""

    def __init__(self, reports: Path, ends: list[tuple[str, int]]) -> None:
        super().__init__()
        self.reports, self.ends = reports, ends
        self.created_at = datetime.now(UTC).isoformat()

    def made(self, name: str) -> None:
        state, quarantined = self.ends[len(self.apps) - 1]
        self.apps[name]["status"] = {"applicationState": {"state": state}}
        if state == "COMPLETED":
            counts = {"scenes_in": 10, "made": 10 - quarantined, "skipped": 0, "quarantined": quarantined}
            result = {"run_id": name, "site": "kubernetes", "pipeline": "ard", "ended": datetime.now(UTC).isoformat(), **counts}
            (self.reports / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")


def _flows(conf: Path, *, address: str, sites: list[str]) -> list[dict[str, Any]]:
    folder = conf.parent
    rendered = write_handover(load_job("ard"), site=load_site("kubernetes"), folder=folder)
    kubeconfig = folder / "kubeconfig"
    cluster = {"name": "x", "cluster": {"server": address}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    kubeconfig.write_text(
        yaml.safe_dump(
            {"current-context": "x", "contexts": [context], "clusters": [cluster], "users": [{"name": "x", "user": {}}]}
        ),
        encoding="utf-8",
    )
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))},
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "200",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # what a start that got no answer would wait for
        "SWATH_RETRY_DELAY_S": "1",
        "KUBECONFIG": str(kubeconfig),
        "PYTHONPATH": str(HERE),
    }
    script = Path(__file__).with_name("prefect_run.py")
    words = [str(environment("prefect")), str(script), str(rendered), str(conf), SWATH, *sites]
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"state"')]


def test_flows_are_green_and_red_as_their_gates_say(conf: Path) -> None:
    cluster = _Cluster(conf.parent / "p" / "ard" / "reports", [("COMPLETED", 0), ("COMPLETED", 5), ("FAILED", 0)])
    with serve(cluster) as address:
        good, half, failed, foreign = _flows(conf, address=address, sites=[*["kubernetes"] * 3, "eks-anywhere"])
    assert good["state"] == "Completed", good
    assert [good["gate"]["run_id"], good["gate"]["exit_code"]] == [next(iter(cluster.apps)), 0]
    assert [flow["state"] for flow in (half, failed, foreign)] == ["Failed"] * 3
    assert re.search("swath ended with 3: .*50.0% of the scenes are quarantined", half["message"])
    assert "swath ended with 1: " in failed["message"]
    assert "is rendered for site kubernetes, not for eks-anywhere" in foreign["message"]
    # tries of one flow are one run, and the refused one started nothing
    assert len(cluster.apps) == 3
