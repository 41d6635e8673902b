"""Results that wait cross a slow link once each, whole, and go on where a cut ended them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.slow_network import NO_SUCH_LINK

NETWORK, SCRIPT = (Path(__file__).with_name(name) for name in ("slow_network.py", "slow_link.py"))
pytestmark = [pytest.mark.tools, pytest.mark.timeout(1200)]


def _sent(link: tuple[str, str, str], folder: Path, *, runs: int, kills: int) -> dict[str, Any]:
    """What the script says, behind a link of so many kbit/s, ms of delay, share of packets lost."""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
    variables = {**os.environ, **keys, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    words = ["/usr/bin/unshare", "-rn", sys.executable, str(NETWORK), *link, sys.executable, str(SCRIPT), str(folder)]
    done = subprocess.run([*words, str(runs), "11", str(kills)], env=variables, capture_output=True, text=True, check=False)
    if done.returncode == NO_SUCH_LINK or "unshare:" in done.stderr:
        pytest.skip(f"no network with such a link can be made here (unshare, ip, /dev/net/tun): {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def test_500_runs_wait_and_are_sent_within_five_minutes_at_10_mbit(tmp_path: Path) -> None:
    told = _sent(("10000", "0", "0"), tmp_path, runs=500, kills=3)
    assert (told["code"], told["equal"], told["receipts"]) == (0, True, 500)
    assert told["attempts"] >= 2  # killed; a fast machine is done before the last moment comes
    assert told["payload"] > 5_000_000
    sys.stdout.write(f"{told}\n")
    assert told["seconds"] < 300
    # Headers, answers and acknowledgements are in it, and a connection for each flow: moto's server keeps none.
    assert told["crossed"] <= 1.3 * told["payload"]


def test_a_slow_lossy_link_is_crossed_once(tmp_path: Path) -> None:
    """256 kbit/s, 600 ms there and back, 5 % lost."""
    told = _sent(("256", "300", "0.05"), tmp_path, runs=12, kills=2)
    assert (told["code"], told["equal"], told["receipts"]) == (0, True, 12)
