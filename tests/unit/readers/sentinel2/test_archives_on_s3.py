"""Archives in a bucket that hold several granules, or are of a kind that is not read: as in a folder. The bucket is moto's."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.readers.sentinel2.test_sentinel2_s3 import Upload, upload

from swath.errors import ArchiveError
from swath.readers.discover import discover
from swath.readers.registry import read_scene

__all__ = ["upload"]
WriteSafe = Callable[..., Path]


@pytest.mark.parametrize("name", ["many.zip", "many.tar", "many.tar.gz", "S2A_OPER_PRD_MSIL1C_PDMC_2016.tar", "S2C_MSIL1C_X.zip"])
def test_each_granule_of_a_safe_in_an_archive_on_s3_is_a_scene(
    name: str, upload: Upload, write_safe: WriteSafe, tmp_path: Path
) -> None:
    safe = write_safe()
    only = next((safe / "GRANULE").iterdir())
    first = only.rename(only.with_name("L1C_T32TQM_A003901_20250601T101043"))
    shutil.copytree(first, first.with_name("L1C_T32TQM_A003901_20250601T999999"))
    (safe / "GRANULE" / first.name / "IMG_DATA" / "._T32TQM_20250601T101041_B04.jp2").write_bytes(b"\0\5\26\7")
    local = [read_scene(href) for href in discover([str(safe)])]
    path = tmp_path / "up" / name
    path.parent.mkdir()
    files = {f"{safe.name}/{p.relative_to(safe).as_posix()}": p for p in safe.rglob("*") if p.is_file()}
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as packed:
            for inside, file in files.items():
                packed.write(file, inside)
    else:
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tar:
            for inside, file in files.items():
                tar.add(file, inside)
    upload(path)
    found = list(discover(["s3://msi/in"]))
    assert found == [f"s3://msi/in/{name}#{safe.name}/GRANULE/{g.name}" for g in sorted((safe / "GRANULE").iterdir())]
    there = [read_scene(href) for href in found]
    assert [(s.scene_id, s.digest) for s in there] == [(s.scene_id, s.digest) for s in local]
    assert there[0].assets["red"].href.startswith("/vsizip/{/vsis3/" if name.endswith(".zip") else "/vsitar/{/vsis3/")


def test_a_7z_in_a_bucket_is_told(upload: Upload, tmp_path: Path) -> None:
    (tmp_path / "scene.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(600))
    upload(tmp_path / "scene.7z")
    assert list(discover(["s3://msi/in"])) == ["s3://msi/in/scene.7z"]
    with pytest.raises(ArchiveError, match=r"of a kind that is not read: .* got 7z in .*Unpack it and name the folder"):
        read_scene("s3://msi/in/scene.7z")
