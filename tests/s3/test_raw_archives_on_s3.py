"""Raw images inside archives in a bucket: found by the prefix, and read in place."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.s3.conftest import Bucket
from tests.unit.readers.test_rpc_archives import ALL, packed
from tests.unit.readers.test_rpc_scenes import Write, bundle, pixels, pleiades, read_band

from swath.readers.discover import discover
from swath.readers.registry import read_scene

__all__ = ["pleiades"]
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
