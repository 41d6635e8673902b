"""What all tests share: where the real scenes are, or the reason why a test that needs them is skipped."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def scenes() -> Path:
    """The folder of real scenes, or a skip."""
    folder = SHARED / "scenes"
    if not folder.is_dir():
        pytest.skip("the real scenes (../shared/scenes) are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def oracles(scenes: Path) -> dict[str, Any]:
    """Reference numbers that other people computed."""
    loaded: dict[str, Any] = json.loads((scenes / "oracles.json").read_text(encoding="utf-8"))
    return loaded
