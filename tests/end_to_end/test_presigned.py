"""A presigned signature reaches nothing that a run leaves or says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from tests.unit.readers.file_server import Files, serving_files

from swath.simulator.simulate import simulate

if TYPE_CHECKING:
    from swath.report.summary import RunSummary

pytestmark = pytest.mark.spark
CANARY = "c4n4ryc4n4ry"


class Ear:
    """Remembers what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def wave(self, number: int, waves: int, products: int) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


def _text_of(path: Path) -> str:
    """All that is in a file; tables are compressed."""
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist())
    return path.read_bytes().decode("latin-1")


def test_a_signature_is_neither_kept_nor_told(run_job: Callable[..., "RunSummary"], tmp_path: Path) -> None:
    scene = simulate(kind="stac", folder=tmp_path / "scene", size=96, seed=5, truth=False)
    record: dict[str, Any] = json.loads(scene.metadata.read_text(encoding="utf-8"))
    files, items = Files(folder=scene.delivery, query=f"X-Amz-Signature={CANARY}"), tmp_path / "items"
    items.mkdir()
    with serving_files(files) as root:
        for name, query in (("good", files.query), ("bad", f"sig={CANARY}")):
            assets = {k: {**a, "href": f"{root}/{a['href']}?{query}"} for k, a in record["assets"].items()}
            (items / f"{name}.json").write_text(json.dumps({**record, "id": name, "assets": assets}), encoding="utf-8")
        ear, output = Ear(), tmp_path / "out"
        summary = run_job("toa", items, output=output, told=ear)
    assert [p.scene_id for p in summary.products] == ["good"]
    (refused,) = summary.quarantine
    assert "HTTP 403" in refused.message
    kept = {str(p.relative_to(output)): _text_of(p) for p in output.rglob("*") if p.is_file() and p.suffix != ".crc"}
    assert len(kept) > 10
    assert [path for path, text in kept.items() if CANARY in text] == []
    assert CANARY not in "".join(ear.said) + summary.to_json()
