import json
from pathlib import Path
from typing import Any

from swath.engine.child.main import answer
from swath.engine.child.tasks import perform
from swath.engine.ingested import Ingest, columns_of
from swath.engine.message import answer_to

NAMES = ["scene_id", "scene_digest", "error_class", "message", "stage"]


def row_of(path: Path) -> dict[str, Any]:
    """The columns of an item that the child refuses."""
    request = Ingest(href=str(path))
    told = answer(request.to_plain(), perform=perform)
    return columns_of(answer_to(request, told.get("done", told)), NAMES)


def test_a_refused_item_is_known_by_its_id_and_not_by_its_files_name(tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    path.write_text(json.dumps({"type": "Feature", "stac_version": "1.0.0", "id": "S2-1", "properties": {}, "assets": {}}))
    row = row_of(path)
    assert (row["scene_id"], row["scene_digest"], row["error_class"], row["stage"]) == ("S2-1", None, "metadata", "ingest")
    assert row["message"].startswith("S2-1: ")


def test_a_file_that_is_no_item_is_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    path.write_text("{" * 9)
    row = row_of(path)
    assert not row["scene_id"]
    assert row["message"]
