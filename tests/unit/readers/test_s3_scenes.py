"""Scenes in a bucket: found, listed and read like those in a folder. The bucket is moto's, over HTTP."""

import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest
from rasterio.env import getenv

from swath.errors import ConfigError, ReadError, SceneError
from swath.grid import Window
from swath.readers.discover import discover
from swath.readers.files.gdal_env import gdal_env
from swath.readers.files.listing import folders_on_s3
from swath.readers.passed_over import PassedOver
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.stores.s3 import s3_client

WriteLandsat = Callable[..., Path]


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, str], None]]:
    """An empty bucket ``scenes``; what it yields uploads a folder below a prefix."""
    for key, value in {
        "AWS_ENDPOINT_URL_S3": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(key, value)
    s3_client.cache_clear()
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket="scenes")

    def upload(folder: Path, prefix: str) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                client.upload_file(str(path), "scenes", f"{prefix}/{path.relative_to(folder).as_posix()}")

    yield upload
    for entry in client.list_objects_v2(Bucket="scenes").get("Contents", []):
        client.delete_object(Bucket="scenes", Key=entry["Key"])
    client.delete_bucket(Bucket="scenes")
    s3_client.cache_clear()


def test_a_scene_in_a_bucket_is_the_scene_in_the_folder(
    bucket: Callable[[Path, str], None], write_landsat: WriteLandsat, tmp_path: Path
) -> None:
    local = read_scene(str(write_landsat(tmp_path / "scene")))
    bucket(tmp_path / "scene", "2023/LC09")
    (href,) = discover(["s3://scenes/2023/"])
    remote = read_scene(href)
    assert href == "s3://scenes/2023/LC09"
    assert remote.digest == local.digest
    assert remote.assets["red"].href == "/vsis3/scenes/2023/LC09/LC09_L1TP_033033_20230716_20230716_02_T1_B4.TIF"
    assert {n: a.grid for n, a in remote.assets.items()} == {n: a.grid for n, a in local.assets.items()}
    window = Window(5, 7, 20, 30)
    with BandReader() as reader:
        there, here = (reader.read(scene, "red", window).values for scene in (remote, local))
    np.testing.assert_array_equal(there, here)


def test_an_mtl_file_and_a_tar_in_a_bucket_are_scenes(
    bucket: Callable[[Path, str], None], write_landsat: WriteLandsat, tmp_path: Path
) -> None:
    folder = write_landsat(tmp_path / "in" / "scene")
    digest = read_scene(str(folder)).digest
    mtl = next(folder.glob("*_MTL.txt")).name
    with tarfile.open(tmp_path / "in" / "LC09.tar", "w") as tar:
        tar.add(folder, ".")
    bucket(tmp_path / "in", "x")
    for href in (f"s3://scenes/x/scene/{mtl}", "s3://scenes/x/LC09.tar"):
        assert list(discover([href])) == [href]
        assert read_scene(href).digest == digest
    assert list(discover(["s3://scenes"])) == ["s3://scenes/x/scene", "s3://scenes/x/LC09.tar"]


@pytest.mark.parametrize(
    ("name", "mode"), [("LC09.TAR", "w"), ("LC09.tar", "w:gz"), ("LC09.tar.gz", "w"), ("LC09_L1TP_033033_2023.SAFE", "w:bz2")]
)
def test_an_archive_in_a_bucket_is_read_by_its_bytes(
    name: str, mode: str, bucket: Callable[[Path, str], None], write_landsat: WriteLandsat, tmp_path: Path
) -> None:
    folder = write_landsat(tmp_path / "scene")
    local = read_scene(str(folder))
    (tmp_path / "in").mkdir()
    with tarfile.open(tmp_path / "in" / name, mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]  # literals
        tar.add(folder, "d" * 101)
    (tmp_path / "in" / f"._{name}").write_bytes(b"AppleDouble")
    bucket(tmp_path / "in", "x")
    for given in ("s3://scenes/x", f"s3://scenes/x/{name}"):
        assert list(discover([given])) == [f"s3://scenes/x/{name}"]
    scene = read_scene(f"s3://scenes/x/{name}")
    assert scene.digest == local.digest
    window = Window(5, 7, 20, 30)
    with BandReader() as reader:
        there, here = (reader.read(s, "red", window).values for s in (scene, local))
    np.testing.assert_array_equal(there, here)


def test_nothing_in_a_bucket_is_lost_without_a_word(
    bucket: Callable[[Path, str], None], write_landsat: WriteLandsat, tmp_path: Path
) -> None:
    write_landsat(tmp_path / "in" / "a" / "scene")
    lost = ("S2A_X.SAFE/GRANULE/T/IMG_DATA/T_B02.jp2", "S2A_X.SAFE/manifest.safe")
    own = ("a/scene/sub/notes.txt", "a/scene/._x", "__MACOSX/a.json")
    others = ("README.md", "b/c/holiday.jpg")
    for name in (*lost, *own, *others, "cut.json", "empty.tar.gz"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"{" if name == "cut.json" else b"")
    bucket(tmp_path / "in", "x")
    passed_over = PassedOver()
    found = list(discover(["s3://scenes/x"], passed_over=passed_over))
    assert sorted(found) == [f"s3://scenes/x/{name}" for name in ("S2A_X.SAFE", "a/scene", "cut.json", "empty.tar.gz")]
    assert sorted(passed_over.names) == [f"s3://scenes/x/{name}" for name in others]
    for href, message in (
        ("S2A_X.SAFE", "this is not a scene|no Sentinel-2 metadata"),
        ("cut.json", "not a STAC record that can be read"),
        ("empty.tar.gz", "the archive is empty"),
    ):
        with pytest.raises(SceneError, match=message) as told:
            read_scene(f"s3://scenes/x/{href}")
        assert told.value.stage == "discover"


def test_folders_of_a_bucket_come_once_with_their_own_files(bucket: Callable[[Path, str], None], tmp_path: Path) -> None:
    for name in ("a/1", "a/b/2", "a/b.c/3", "a/b0", "a/c/d/4", "top"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    bucket(tmp_path, "p")
    assert dict(folders_on_s3("s3://scenes/p")) == {
        "s3://scenes/p/a/b": ("2",),
        "s3://scenes/p/a/b.c": ("3",),
        "s3://scenes/p/a/c/d": ("4",),
        "s3://scenes/p/a": ("1", "b0"),
        "s3://scenes/p": ("top",),
    }
    assert len(list(folders_on_s3("s3://scenes/p"))) == 5


def test_a_scene_below_another_in_a_bucket_is_found(bucket: Callable[[Path, str], None], tmp_path: Path) -> None:
    for name in ("a/LC09_A_MTL.txt", "a/LC09_A_B4.TIF", "a/more/LC09_B_MTL.txt", "a/more/LC09_B_B4.TIF", "a/zone/LC09_C_MTL.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    bucket(tmp_path, "p")
    assert list(discover(["s3://scenes/p"])) == [f"s3://scenes/p/a{inside}" for inside in ("/more", "/zone", "")]


def test_a_safe_folder_in_a_bucket_is_found_once(bucket: Callable[[Path, str], None], tmp_path: Path) -> None:
    for name in ("MTD_MSIL1C.xml", "GRANULE/L1C_T33UVV/MTD_TL.xml", "manifest.safe"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    bucket(tmp_path, "S2A_MSIL1C_X.SAFE")
    assert list(discover(["s3://scenes/"])) == ["s3://scenes/S2A_MSIL1C_X.SAFE"]


def test_a_prefix_without_scenes_is_a_config_error(bucket: Callable[[Path, str], None]) -> None:
    with pytest.raises(ConfigError, match="nothing to do in 's3://scenes/nothing': expected a Landsat scene"):
        list(discover(["s3://scenes/nothing"]))


def test_an_object_that_is_not_there_is_a_read_error(bucket: Callable[[Path, str], None]) -> None:
    with pytest.raises(ReadError, match=r"archive cannot be read: expected an intact tar or zip; got .*LC09\.tar"):
        read_scene("s3://scenes/LC09.tar")


def test_each_bucket_has_its_own_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT", "SWATH_STORES"):
        monkeypatch.delenv(name, raising=False)
    assert _told("/vsis3/scenes/x.tif") == {}
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://h:1/")
    assert _told("/vsis3/scenes/x.tif") == {"AWS_S3_ENDPOINT": "h:1", "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
    assert _told("/data/x.tif") == {}
    monkeypatch.setenv("AWS_S3_ENDPOINT", "of-the-user")
    assert _told("/vsis3/scenes/x.tif") == {}
    options = {
        "landsat": {"region": "us-west-2", "requester_pays": True},
        "public": {"kind": "s3", "anonymous": True, "region": "us-west-2"},
    }
    monkeypatch.setenv("SWATH_STORES", json.dumps(options))
    assert _told("/vsizip/{/vsis3/landsat/x.zip}/y.jp2") == {"AWS_REGION": "us-west-2", "AWS_REQUEST_PAYER": "requester"}
    assert _told("/vsis3/public/x.tif") == {"AWS_NO_SIGN_REQUEST": "YES", "AWS_REGION": "us-west-2"}


def _told(href: str) -> dict[str, object]:
    ours = ("AWS_S3_ENDPOINT", "AWS_HTTPS", "AWS_VIRTUAL_HOSTING", "AWS_REQUEST_PAYER", "AWS_NO_SIGN_REQUEST", "AWS_REGION")
    with gdal_env(href):
        return {k: v for k, v in getenv().items() if k in ours}


@pytest.mark.parametrize("name", ["two.zip", "two.tar", "two.tar.gz"])
def test_each_scene_of_an_archive_in_a_bucket_is_a_scene_of_its_own(
    name: str, bucket: Callable[[Path, str], None], write_landsat: WriteLandsat, tmp_path: Path
) -> None:
    folders = [write_landsat(tmp_path / "scenes" / f"row{row}", edits={"WRS_ROW": f"{row}"}) for row in (33, 34)]
    shutil.make_archive(
        str(tmp_path / "in" / "two"), {"zip": "zip", "tar": "tar", "gz": "gztar"}[name.rpartition(".")[2]], tmp_path / "scenes"
    )
    bucket(tmp_path / "in", "x")
    found = list(discover(["s3://scenes/x"]))
    mtl = "LC09_L1TP_033033_20230716_20230716_02_T1_MTL.txt"
    assert sorted(found) == [f"s3://scenes/x/{name}#row33/{mtl}", f"s3://scenes/x/{name}#row34/{mtl}"]
    window = Window(5, 7, 20, 30)
    for href, folder in zip(sorted(found), folders, strict=True):
        scene, local = read_scene(href), read_scene(str(folder))
        assert scene.digest == local.digest
        with BandReader() as reader:
            there, here = (reader.read(s, "red", window).values for s in (scene, local))
        np.testing.assert_array_equal(there, here)
