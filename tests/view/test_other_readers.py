"""Every block of Python in docs/viewing.md does what it says, on a real output."""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from tests.deploy.environments import environment
from tests.view.conftest import Viewed

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "viewing.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)

#: Readers of tables and notebooks that nothing of swath needs.
_ELSEWHERE = {"polars", "duckdb", "leafmap"}


def _modules(block: str) -> list[str]:
    found = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [n.module or "" if isinstance(n, ast.ImportFrom) else n.names[0].name for n in found]


def _elsewhere(block: str) -> bool:
    return bool(_ELSEWHERE & {m.partition(".")[0] for m in _modules(block)})


def _case(block: str) -> ParameterSet:
    """A block with the mark of its reader: those that the test requirements do not hold are other programs."""
    marks = [pytest.mark.tools] if _elsewhere(block) else []
    return pytest.param(block, id=block.splitlines()[0].removeprefix("# "), marks=marks)


@pytest.mark.filterwarnings("ignore")  # of libraries that are none of ours
@pytest.mark.parametrize("block", [_case(block) for block in BLOCKS])
def test_a_block_of_the_guide_runs(block: str, viewed: Viewed, monkeypatch: pytest.MonkeyPatch) -> None:
    if _elsewhere(block):
        packages = environment("readers").parent.parent / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        # behind ours: what both have is that of the lock
        monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    for module in _modules(block):
        importlib.import_module(module)
    names: dict[str, object] = {"OUT": viewed.root, "ID": viewed.sentinel}
    exec(compile(block, str(DOCUMENT), "exec"), names)  # noqa: S102  our own document
    if "reflectance" in names:
        values = names["reflectance"].values  # type: ignore[attr-defined]
        assert 0.0 < float(values[values > 0].mean()) < 1.0
    if "products" in names:
        assert names["products"].height == 2  # type: ignore[attr-defined]
        # a row for each attempt: both runs met it
        assert names["refused"]["scene_id"].to_list() == [viewed.broken, viewed.broken]  # type: ignore[index]


def test_every_reader_that_is_named_has_its_block() -> None:
    named = " ".join(block.splitlines()[0] for block in BLOCKS)
    assert all(name in named for name in ("titiler", "odc-stac", "stackstac", "polars", "duckdb", "leafmap"))
