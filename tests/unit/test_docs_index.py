"""The start page of the documents leads to every one of them."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_start_page_names_every_document_and_no_other() -> None:
    links = re.findall(r"\]\(([^)#]+)", (DOCS / "index.md").read_text(encoding="utf-8"))
    assert [link for link in links if not (DOCS / link).exists()] == []
    assert {p.name for p in DOCS.glob("*.md")} - {"index.md"} <= set(links)


def test_the_table_of_extensions_names_files_that_are_there() -> None:
    table = (DOCS / "extending.md").read_text(encoding="utf-8").split("## A pipeline")[0]
    paths = [p for p in re.findall(r"`([a-z_/]+/[\w./]+)`", table) if "NAME" not in p]
    assert len(paths) >= 12
    assert [p for p in paths if not (DOCS.parent / p).exists()] == []
