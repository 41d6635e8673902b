"""What a killed run left in the bucket: the janitor ends uploads of files of ours, and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

from swath.upkeep.janitor import Cleaning, _end_uploads

FOLDER = "products/toa-landsat-oli/2024/08/05/S.toa"
OURS = f"{FOLDER}/S.toa.red.0123456789ab.tif"
THEIRS = f"{FOLDER}/backup.tif"


def test_old_uploads_of_our_files_are_ended_and_others_stay(bucket: Any) -> None:
    store, neighbour = bucket.store("out"), bucket.store("outside")
    for path in (OURS, THEIRS):
        store.upload(path)
    neighbour.upload(OURS)
    now = datetime.now(UTC)
    assert {u.path for u in store.unfinished()} == {OURS, THEIRS}
    fresh = Cleaning()
    _end_uploads(fresh, store, before=datetime(2000, 1, 1, tzinfo=UTC), dry=False)  # moto dates all of them 2010
    assert fresh.uploads == []
    told = Cleaning()
    _end_uploads(told, store, before=now + timedelta(hours=24), dry=True)
    assert told.uploads == [OURS]
    assert {u.path for u in store.unfinished()} == {OURS, THEIRS}
    done = Cleaning()
    _end_uploads(done, store, before=now + timedelta(hours=24), dry=False)
    assert done.uploads == [OURS]
    assert {u.path for u in store.unfinished()} == {THEIRS}
    assert {u.path for u in neighbour.unfinished()} == {OURS}
