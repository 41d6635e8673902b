"""The sources of the site: no dead link, every command, every page in the navigation."""

import runpy
from pathlib import Path

import pytest
import yaml

from swath.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
STAGE = runpy.run_path(str(ROOT / "docs" / "site" / "stage.py"))


def test_the_guides_and_the_pages_made_from_the_code_are_staged(tmp_path: Path) -> None:
    STAGE["stage"](tmp_path / "source")

    commands = (tmp_path / "source" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert {name for name in COMMANDS if f"## swath {name}\n" not in commands} == set()
    settings = yaml.safe_load((tmp_path / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = {path for section in settings["nav"] for entries in section.values() for entry in entries for path in entry.values()}
    staged = {p.relative_to(tmp_path / "source").as_posix() for p in (tmp_path / "source").rglob("*.md")}
    assert listed == staged


def test_a_dead_link_ends_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "README.md").write_text("[gone](docs/gone.md)", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    monkeypatch.setitem(STAGE["stage"].__globals__, "ROOT", tmp_path)
    monkeypatch.setitem(STAGE["stage"].__globals__, "OTHERS", ("README.md",))
    with pytest.raises(SystemExit, match=r"README.md: the link to docs/gone.md is dead"):
        STAGE["stage"](tmp_path / "staged")
