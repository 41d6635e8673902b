"""Modules are compiled once, at set-up, whatever the environment says of keeping bytecode."""

from pathlib import Path

import pytest

from swath.spark.start.bytecode import keep_bytecode


def _package(folder: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> Path:
    package = folder / "small"
    package.mkdir()
    for name, text in {"__init__": "", **modules}.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return package


def _compiled(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in folder.glob("__pycache__/*.pyc")}


def test_modules_are_kept_compiled_where_python_is_told_to_keep_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = _package(tmp_path, monkeypatch, one="from small import two", two="x = 1", __main__="raise SystemExit(3)")
    (tmp_path / "later.py").write_text("y = 2")
    assert keep_bytecode("small", others=["later", "not_installed_anywhere"])
    assert _compiled(package) == {"__init__", "one", "two"}
    assert _compiled(tmp_path) == {"later"}


def test_a_module_that_cannot_be_loaded_is_named_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _package(tmp_path, monkeypatch, broken="raise ValueError('no such luck')")
    assert not keep_bytecode("small", others=[])
    assert "not all compiled (ValueError: no such luck); commands start slower" in caplog.text
