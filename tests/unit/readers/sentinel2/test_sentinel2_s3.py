"""Sentinel-2 scenes and STAC items in a bucket are those of the folder. The bucket is moto's, over HTTP."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

from swath.errors import ReadError
from swath.readers.angles import angle_field
from swath.readers.discover import discover
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Reflectance
from swath.stores.s3 import s3_client

WriteSafe = Callable[..., Path]
Upload = Callable[[Path], None]


@pytest.fixture
def upload(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upload]:
    """Upload a file or folder to ``s3://msi/in/<its name>``."""
    settings = {
        "AWS_ENDPOINT_URL_S3": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    s3_client.cache_clear()
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket="msi")

    def put(path: Path) -> None:
        for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
            client.upload_file(str(file), "msi", f"in/{file.relative_to(path.parent).as_posix()}")

    yield put
    for entry in client.list_objects_v2(Bucket="msi").get("Contents", []):
        client.delete_object(Bucket="msi", Key=entry["Key"])
    client.delete_bucket(Bucket="msi")
    s3_client.cache_clear()


def test_a_safe_in_a_bucket_is_the_scene_of_the_folder(upload: Upload, write_safe: WriteSafe) -> None:
    safe = write_safe()
    local = read_scene(str(safe))
    upload(safe)
    assert list(discover(["s3://msi/in"])) == [f"s3://msi/in/{safe.name}"]
    scene = read_scene(f"s3://msi/in/{safe.name}")
    assert (scene.scene_id, scene.digest, scene.angles) == (local.scene_id, local.digest, local.angles)
    assert {n: a.grid for n, a in scene.assets.items()} == {n: a.grid for n, a in local.assets.items()}
    with BandReader() as reader:
        there, here = (reader.read(s, "cirrus", s.assets["cirrus"].grid.window).values for s in (scene, local))
    np.testing.assert_array_equal(there, here)
    remote, near = angle_field(scene), angle_field(local)
    assert remote is not None
    assert near is not None
    x, y = np.array([612345.6]), np.array([5087654.3])
    np.testing.assert_array_equal(remote.sample(x=x, y=y, band="nir08"), near.sample(x=x, y=y, band="nir08"))
    granule = next((safe / "GRANULE").iterdir()).name
    assert read_scene(f"s3://msi/in/{safe.name}/GRANULE/{granule}").digest == local.digest


def test_granules_of_a_safe_in_a_bucket_are_scenes_of_their_own(upload: Upload, write_safe: WriteSafe) -> None:
    safe = write_safe()
    only = next((safe / "GRANULE").iterdir())
    first = only.rename(only.with_name("L1C_T32TQM_A003901_20250601T101043"))
    shutil.copytree(first, first.with_name("L1C_T32TQM_A003901_20250601T999999"))
    upload(safe)
    local = [read_scene(href) for href in discover([str(safe.parent)])]
    for given in ("s3://msi/in", f"s3://msi/in/{safe.name}", f"s3://msi/in/{safe.name}/"):
        found = list(discover([given]))
        assert found == [f"s3://msi/in/{safe.name}/GRANULE/{g.name}" for g in sorted((safe / "GRANULE").iterdir())]
    there = [read_scene(href) for href in found]
    assert [(s.scene_id, s.digest) for s in there] == [(s.scene_id, s.digest) for s in local]
    single = safe.name.removesuffix(".SAFE")
    assert all(s.scene_id.startswith(f"{single}_") for s in there)


def test_a_zip_in_a_bucket_is_the_scene_of_the_folder(
    upload: Upload, write_safe: WriteSafe, zip_folder: Callable[[Path], Path]
) -> None:
    safe = write_safe()
    archive = zip_folder(safe)
    upload(archive)
    scene = read_scene(f"s3://msi/in/{archive.name}")
    assert scene.digest == read_scene(str(safe)).digest
    with BandReader() as reader:
        assert reader.read(scene, "nir09", scene.assets["nir09"].grid.window).values.any()


def test_an_item_in_a_bucket_finds_its_assets_beside_it(upload: Upload, write_safe: WriteSafe) -> None:
    safe = write_safe()
    native = read_scene(str(safe))
    upload(safe)
    red = native.assets["red"]
    assert isinstance(red.calibration, Reflectance)
    angles = {"view:sun_elevation": native.angles.sun_elevation_deg, "view:sun_azimuth": native.angles.sun_azimuth_deg}
    assets: dict[str, Any] = {
        "red": {
            "href": f"../in/{Path(red.href).relative_to(safe.parent).as_posix()}",
            "type": "image/jp2",
            "bands": [{"eo:common_name": "red", "raster:scale": red.calibration.gain, "raster:offset": red.calibration.offset}],
        },
        "granule_metadata": {"href": f"./{Path(native.angles_href or '').relative_to(safe.parent).as_posix()}"},
    }
    properties = {"datetime": "2025-06-01T10:10:41Z", "platform": "sentinel-2c", **angles}
    item = {"type": "Feature", "stac_version": "1.1.0", "id": "a", "properties": properties, "assets": assets}
    path = safe.parent / "item.json"
    path.write_text(json.dumps(item))
    upload(path)
    scene = read_scene("s3://msi/in/item.json")
    assert scene.assets["red"].digest == red.digest
    assert scene.assets["red"].href.startswith("/vsis3/msi/in/")
    assert angle_field(scene) is not None


def test_a_bucket_without_the_zip_is_a_read_error(upload: Upload, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"archive cannot be read.*S2A_MSIL1C_nothing\.zip"):
        read_scene("s3://msi/in/S2A_MSIL1C_nothing.zip")
