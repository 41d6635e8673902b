"""Imports point one way, and heavy libraries stay where they belong."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIB = ROOT / "lib" / "swath"

#: Value types, and what they are computed with: everything may import them.
VALUES = frozenset(
    {
        *("swath", "errors", "scene", "grid", "encoding", "statistics", "product", "pipeline", "compiled", "lookup"),
        *("names", "outside", "redaction"),
    }
)
#: What a package may import beside the values and itself.
ALLOWED: Mapping[str, frozenset[str]] = {
    "algo": frozenset(),
    "stores": frozenset(),
    # What a model asks for is part of the layers that a step makes; the model itself comes through the context.
    "steps": frozenset({"algo", "inference.features", "inference.manifest"}),
    "readers": frozenset({"algo", "stores"}),
    "inference": frozenset({"algo", "stores"}),
    "sinks": frozenset({"algo", "stores"}),
    "simulator": frozenset({"algo"}),
    # Samples are made by the engine: a model sees in training what it will see in a run.
    "training": frozenset({"algo", "engine", "readers", "steps", "inference", "stores"}),
    "engine": frozenset({"algo", "readers", "steps", "inference", "sinks", "stores"}),
    # The driver discovers scenes (readers) and pins models (inference) when it plans; spark.udf exports the kernels.
    "spark": frozenset({"engine", "sinks", "stores", "readers", "inference", "training", "algo", "steps"}),
    "report": frozenset({"algo", "readers", "sinks", "stores"}),
    # A pipeline file becomes a Pipeline, its models pinned in the registry.
    "config": frozenset({"steps", "engine.pipeline_json", "inference"}),
    "deploy": frozenset({"config", "stores", "spark.settings", "spark.jars", "spark.s3a_jars"}),
    "doctor_services": frozenset({"stores"}),
    "doctor": frozenset(
        {
            *("doctor_services", "readers", "stores"),
            *("spark.archive", "spark.jars", "spark.java", "spark.prepare", "spark.s3a_jars"),
        }
    ),
    "cli": frozenset(
        {
            *("config", "spark", "deploy", "report", "doctor", "simulator", "training", "inference", "readers", "stores"),
            "doctor_services",
            # `swath check seams` needs no Spark.
            "engine.seams",
            *("sinks.validate", "sinks.validate_cog", "sinks.delivery", "sinks.target", "sinks.pgstac", "sinks.delta"),
        }
    ),
    "jobs": frozenset({"cli", "config", "spark", "deploy", "report", "doctor", "readers", "inference", "training"}),
}
#: Where a library may be imported: folders or files under lib/swath.
LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "pyspark": ("spark", "ledger/delta.py"),
    "delta": ("spark", "ledger/delta.py"),
    "rasterio": ("readers", "sinks", "training", "simulator"),
    "pyogrio": ("readers", "training", "simulator"),
    "mlflow": ("inference", "training"),
    "boto3": ("stores", "deploy"),
    "botocore": ("stores", "deploy"),
    "psycopg": ("stores", "sinks"),
    "pypgstac": ("sinks",),
    "lightgbm": ("training",),
    "onnxruntime": ("inference",),
    "click": ("cli",),
    "rich": ("cli",),
}


def _files() -> list[Path]:
    return sorted(LIB.rglob("*.py")) + sorted((ROOT / "jobs").glob("*.py"))


def _modules(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports, wherever in the file; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _layer(path: Path) -> str:
    if not path.is_relative_to(LIB):
        return "jobs"
    part = path.relative_to(LIB).parts[0]
    return "swath" if part == "__init__.py" else part.removesuffix(".py")


def _may(layer: str, target: str) -> bool:
    """True when ``layer`` may import ``target``, a module under swath (``algo.qa.bits``)."""
    head = target.split(".", maxsplit=1)[0]
    if head in VALUES | {layer, "__version__"}:
        return True
    return any(target == a or target.startswith(f"{a}.") for a in ALLOWED.get(layer, frozenset()))


def _wrong_edges(path: Path) -> list[str]:
    layer = _layer(path)
    named = [m.removeprefix("swath.") for m in _modules(_parse(path)) if m.startswith("swath.")]
    return [f"{path.relative_to(ROOT)} ({layer}) imports swath.{t}" for t in named if not _may(layer, t)]


def _wrong_libraries(path: Path) -> list[str]:
    if not path.is_relative_to(LIB):
        return []
    place = path.relative_to(LIB).as_posix()
    heads = {m.split(".")[0] for m in _modules(_parse(path))}
    bad = [h for h in sorted(heads & set(LIBRARIES)) if not any(place == p or place.startswith(f"{p}/") for p in LIBRARIES[h])]
    return [f"{place} imports {h}" for h in bad]


def test_imports_point_one_way() -> None:
    assert [edge for path in _files() for edge in _wrong_edges(path)] == []


def test_heavy_libraries_stay_where_they_belong() -> None:
    assert [use for path in _files() for use in _wrong_libraries(path)] == []


def test_every_package_has_a_rule() -> None:
    assert {_layer(p) for p in _files()} - VALUES <= set(ALLOWED)


def test_allowed_imports_have_no_cycle() -> None:
    above = {layer: {a.split(".")[0] for a in allowed} for layer, allowed in ALLOWED.items()}
    while above:
        leaves = {layer for layer, needs in above.items() if not needs & set(above)}
        assert leaves, f"cycle among {sorted(above)}"
        above = {layer: needs for layer, needs in above.items() if layer not in leaves}


@pytest.mark.parametrize(
    ("layer", "target"), [("algo", "readers.xml"), ("steps", "sinks.cog"), ("deploy", "spark.session"), ("readers", "spark")]
)
def test_an_import_against_the_direction_is_seen(layer: str, target: str) -> None:
    assert not _may(layer, target)


def test_an_import_inside_a_function_is_seen() -> None:
    assert list(_modules(ast.parse("def f():\n    from swath.spark import session\n"))) == ["swath.spark.start.session"]
