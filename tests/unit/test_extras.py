"""The base of the package is small, and a command that needs more says what to install."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

from swath.extras import EXTRA_OF, remedy

LIB = Path(__file__).parents[2] / "lib" / "swath"


def declared() -> dict[str, set[str]]:
    """Names of distributions by extra; the base by the empty name."""
    found: dict[str, set[str]] = {"": set()}
    for line in requires("swath") or []:
        requirement, _, marker = line.partition(";")
        extra = re.search(r"extra == ['\"](\w+)['\"]", marker)
        name = re.split(r"[\[<>=! ]", requirement.strip())[0].lower().replace("_", "-")
        found.setdefault(extra[1] if extra else "", set()).add(name)
    return found


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _executed(node)


def imported() -> set[str]:
    """Top-level modules that the library imports, its own and Python's left out."""
    found: set[str] = set()
    for path in LIB.rglob("*.py"):
        for node in _executed(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {a.name.partition(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"swath"}


#: Modules that a declared distribution always brings, by that distribution.
BROUGHT = {
    "attr": "rasterio", "botocore": "boto3",
    "google": "onnx", "matplotlib": "mlflow", "pandas": "pyspark", "psycopg": "pypgstac", "py4j": "pyspark",
    "pyarrow": "pyspark", "referencing": "jsonschema", "sqlalchemy": "mlflow", "tenacity": "pypgstac", "urllib3": "kubernetes",
}  # fmt: skip


def test_the_base_has_at_most_fifteen_requirements() -> None:
    assert len(declared()[""]) <= 15, sorted(declared()[""])


def test_every_module_that_is_imported_comes_from_the_base_or_from_an_extra_that_its_message_names() -> None:
    extras, by_module = declared(), packages_distributions()
    unknown = []
    for module in sorted(imported()):
        owners = (
            [BROUGHT[module]] if module in BROUGHT else [d.lower().replace("_", "-") for d in by_module.get(module, [module])]
        )
        extra = EXTRA_OF.get(module, "")
        if not extras[extra].intersection(owners):
            unknown.append(f"{module} of {owners} is not in {extra or 'the base'}")
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize("module", ["mlflow", "kubernetes.client", "psycopg"])
def test_a_missing_module_is_answered_by_its_extra(module: str) -> None:
    told = remedy(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert told is not None
    assert f"pip install 'swath[{EXTRA_OF[module.partition('.')[0]]}]'" in told


def test_a_module_of_nobody_has_no_remedy() -> None:
    assert remedy(ModuleNotFoundError("No module named 'nonsense'", name="nonsense")) is None
