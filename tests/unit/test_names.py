"""One name, one thing: no two public classes of lib share a name."""

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib" / "swath"
#: Names that several classes may have, each with the reason.
SHARED: Mapping[str, str] = {}


def test_no_two_public_classes_share_a_name() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(LIB.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.relative_to(LIB).as_posix())
    twice = {name: places for name, places in found.items() if len(places) > 1 and name not in SHARED}
    assert twice == {}
    assert len(found) > 300
