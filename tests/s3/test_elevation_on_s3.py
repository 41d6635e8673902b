"""Tiles of an elevation in a bucket, by folder and by a STAC collection: only those that are needed are asked for."""

from pathlib import Path

import pytest
from tests.s3.conftest import Bucket
from tests.unit.readers.test_listed_tiles import collection, glo30, heights, item, tile, write

from swath.errors import GeometryError
from swath.readers.elevation.model import open_elevation


def test_a_collection_and_a_prefix_give_the_same_heights(bucket: Bucket, tmp_path: Path) -> None:
    cells = [(44, 5), (44, 6), (45, 5), (45, 6)]
    for cell in cells:
        path = tile(tmp_path, *cell)
        bucket.client.upload_file(str(path), bucket.name, f"dem/{path.name}")
        said = write(tmp_path / f"{path.stem}.json", item(path, *cell))
        bucket.client.upload_file(said, bucket.name, f"dem/{path.stem}.json")
    listed = collection(tmp_path, [f"dem/{glo30(*cell)}.json" for cell in cells])
    bucket.client.upload_file(listed, bucket.name, "collection.json")
    model = open_elevation(f"s3://{bucket.name}/collection.json", datum="ellipsoid")
    bucket.recorder.seen.clear()
    assert heights(model, (5.5, 44.5)) == pytest.approx([4405.0])
    asked = {path.rpartition("/")[2] for _, path, _ in bucket.recorder.seen}
    assert f"{glo30(44, 5)}.json" in asked  # GDAL may have kept the raster's own blocks
    assert not any(glo30(*cell) in name for cell in cells[1:] for name in asked)
    with pytest.raises(GeometryError, match="the elevation lacks the tile N46E005"):
        heights(model, (5.5, 46.5))
    assert heights(open_elevation(f"s3://{bucket.name}/dem", datum="ellipsoid"), (6.5, 45.5)) == pytest.approx([4506.0])
