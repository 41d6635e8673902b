"""How a plan is told."""

import pytest

from swath.cli import plan
from swath.cli.main import main


def test_a_refused_scene_is_named_once_and_the_terminal_obeys_no_stranger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = [{"scene_id": "night", "message": "night: the sun\x1b[2J is not above the horizon"}]
    found = {
        "status": {"refused": 1},
        "tasks": 0,
        "assets": 0,
        "bytes_at_most": 0,
        "peak_mb_per_worker": 0,
        "waves": 1,
        "wave_products": 32,
    }
    # Looking needs Spark.
    monkeypatch.setattr(plan, "_planned", lambda *_, **__: found | {"wall_s": 1, "cpu_s": 1, "refused": refused})
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["plan", "toa", "--input", "in", "--output", "out"])
    assert capsys.readouterr().out.splitlines()[-1] == "would be quarantined: night: the sun [2J is not above the horizon"
