"""Uploads that have ended, told by a store whose answer lost its body."""

import io
from collections.abc import Iterator
from typing import Any

import pytest

from swath.stores.parts import MIN_PART, StaleUploadError, UploadEndedError


class BodiesLost:
    """Cuts the body off each answer that is an error."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        told: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told.append(status)
            kept = [h for h in headers if h[0].lower() not in {"content-length", "content-type"}]
            return start_response(status, [*kept, ("Content-Length", "0")] if status.startswith("404") else headers, *rest)

        answer = self._app(environ, start)
        return [] if told and told[0].startswith("404") else answer


@pytest.fixture
def store(bucket: Any) -> Iterator[Any]:
    app = bucket.recorder.app
    bucket.recorder.app = BodiesLost(app)
    yield bucket.store()
    bucket.recorder.app = app


def test_a_completed_upload_is_known_by_its_object_and_an_aborted_one_by_its_absence(store: Any) -> None:
    data = bytes(MIN_PART)
    done, lost = (store.upload(name) for name in ("done.tif", "lost.tif"))
    sent = [upload.put(1, io.BytesIO(data), length=len(data)) for upload in (done, lost)]
    assert done.complete(sent[:1])
    assert not done.complete(sent[:1])
    lost.abort()
    lost.abort()
    with pytest.raises(StaleUploadError, match=r"lost\.tif has ended and left nothing"):
        lost.complete(sent[1:])
    with pytest.raises(UploadEndedError, match=r"part 1: the upload of .* has ended"):
        lost.put(1, io.BytesIO(data), length=len(data))
    assert store.size("done.tif") == len(data)
