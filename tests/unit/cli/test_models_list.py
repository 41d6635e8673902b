"""A question makes nothing."""

import json
from pathlib import Path

import pytest

from swath.cli.main import main


@pytest.mark.parametrize("form", [(), ("-o", "csv"), ("--json",)])
def test_asking_for_models_where_there_are_none_makes_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["models", "list", "--output", str(tmp_path), *form])
    said = capsys.readouterr().out
    assert json.loads(said) == [] if form == ("--json",) else said.startswith("model")
    assert list(tmp_path.iterdir()) == []
