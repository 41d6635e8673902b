"""Raw images inside archives in a bucket: found by the prefix, and read in place."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.s3.conftest import Bucket
from tests.unit.readers.test_archived_items import model_into_the_image
from tests.unit.readers.test_archived_items import packed as packed_item
from tests.unit.readers.test_raw_items import Write as WriteItem
from tests.unit.readers.test_raw_items import write
from tests.unit.readers.test_rpc_archives import ALL, packed
from tests.unit.readers.test_rpc_scenes import Write, bundle, pixels, pleiades, read_band

from swath.grid import Window
from swath.readers.discover import discover
from swath.readers.registry import read_scene

__all__ = ["pleiades", "write"]
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def test_raw_images_in_archives_of_a_bucket_are_the_scenes_of_their_folders(
    bucket: Bucket, pleiades: Write, tmp_path: Path
) -> None:
    folder = pleiades()
    digest = read_scene(str(folder)).digest
    home = tmp_path / "bundle" / "012"
    home.mkdir(parents=True)
    bundle(home)
    for kind, delivery in (("zip", folder), ("tar", folder), ("gztar", folder), ("bztar", home)):
        path = packed(delivery, kind)
        bucket.client.upload_file(str(path), bucket.name, f"in/{kind}/{path.name}")
    shutil.rmtree(home)
    shutil.rmtree(folder)
    hrefs = list(discover([f"s3://{bucket.name}/in"]))
    assert [href.rpartition("/")[2] for href in hrefs] == ["order.tar.bz2", "order.tar.gz", "order.tar", "order.zip"]
    both, *same = (read_scene(href) for href in hrefs)
    assert sorted(both.assets) == ["green", "pan", "red"]
    for scene in same:
        assert scene.digest == digest
        np.testing.assert_array_equal(read_band(scene, "red", ALL).values, pixels()[1])


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_a_raw_image_that_only_an_item_in_an_archive_of_a_bucket_describes(
    bucket: Bucket, write: WriteItem, tmp_path: Path, kind: str
) -> None:
    item = write()
    model_into_the_image(item)
    digest = read_scene(item).digest
    path = packed_item(item, kind, home=tmp_path.parent / f"{tmp_path.name}-packed")
    bucket.client.upload_file(str(path), bucket.name, f"in/{path.name}")
    (href,) = discover([f"s3://{bucket.name}/in"])
    assert href == f"s3://{bucket.name}/in/{path.name}#{tmp_path.name}/item.json"
    scene = read_scene(href)
    assert scene.digest == digest
    assert (read_band(scene, "pan", Window(100, 200, 10, 20)).values == 1).all()
