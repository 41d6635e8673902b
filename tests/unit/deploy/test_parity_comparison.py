from pathlib import Path

import pytest

from swath.deploy.engine_command import EngineCommand
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.parity import Runtime, compare, execute


def _output(folder: Path, **files: bytes) -> Path:
    for name, data in files.items():
        path = folder / "products" / "c" / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_equal_outputs_are_equal(tmp_path: Path) -> None:
    found = compare(_output(tmp_path / "a", x=b"1", y=b"2"), _output(tmp_path / "b", x=b"1", y=b"2"))
    assert found.equal_bytes
    assert found.same == ("products/c/x.tif", "products/c/y.tif")


def test_other_bytes_and_other_keys_are_told_apart(tmp_path: Path) -> None:
    found = compare(_output(tmp_path / "a", x=b"1", y=b"2"), _output(tmp_path / "b", x=b"9", z=b"2"))
    assert found.differing == ("products/c/x.tif",)
    assert (found.only_a, found.only_b) == (("products/c/y.tif",), ("products/c/z.tif",))
    assert not found.equal_keys


def test_two_empty_outputs_are_not_called_equal(tmp_path: Path) -> None:
    assert not compare(tmp_path, tmp_path).equal_keys


def test_a_run_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    submit = tmp_path / "spark" / "bin" / "spark-submit"
    submit.parent.mkdir(parents=True)
    submit.write_text("#!/bin/sh\necho the reason >&2\nexit 2\n", encoding="utf-8")
    submit.chmod(0o755)
    command = EngineCommand(program="p", arguments=(), conf={}, driver={}, executor={})
    with pytest.raises(LaunchError, match=r"ended with 2: the reason"):
        execute(command, runtime=Runtime(spark_home=tmp_path / "spark"))
