"""Workers of another machine must see what the driver's search found."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.readers.stac_api import Api, serving

from swath.engine.child.parent import Limits
from swath.runs import ingest
from swath.runs.ingest import IngestRequest


def test_answers_of_a_search_lie_in_the_output(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def discover(inputs: Sequence[str], *, scratch: str, **_: Any) -> Iterator[str]:
        file = Path(scratch) / "search-1" / "landsat.A.json"
        file.parent.mkdir(parents=True)
        file.write_text("{}", encoding="utf-8")
        yield str(file)
        yield from inputs

    monkeypatch.setattr(ingest, "discover", discover)
    request = IngestRequest(run_id="r1", inputs=("s3://other/scene",), limits=Limits())
    found = ingest.find_scenes(bucket.store(), request)
    answer = "runs/r1/search/search-1/landsat.A.json"
    assert found == [(0, f"s3://{bucket.name}/out/{answer}"), (1, "s3://other/scene")]
    assert bucket.store().read(answer) == b"{}"


def test_a_run_that_begins_again_uses_the_answer_in_the_output(bucket: Any) -> None:
    api = Api()
    with serving(api) as root:
        request = IngestRequest(run_id="r2", inputs=(f"stac+{root}?collections=landsat",), limits=Limits())
        found = ingest.find_scenes(bucket.store(), request)
    assert len(found) == 3
    assert all(bucket.store().read(href.partition("/out/")[2]) for _, href in found)
    # The API is gone.
    assert ingest.find_scenes(bucket.store(), request) == found
