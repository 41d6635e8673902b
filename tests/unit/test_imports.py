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
        "account",
        "asset",
        "asset_check",
        "class_area",
        "compiled",
        "coregister",
        "encoding",
        "errors",
        "extras",
        "grid",
        "grid_choice",
        "inputs",
        "layer_name",
        "lookup",
        "mapping",
        "moments",
        "names",
        "ndjson",
        "outside",
        "pipeline",
        "pipeline_file",
        "place",
        "plain",
        "plugged",
        "product",
        "problem",
        "redaction",
        "retention",
        "scene",
        "sensors",
        "settings",
        "shares",
        "shipped",
        "source",
        "source_ref",
        "statistics",
        "suggestion",
        "swath",
        "tile_sets",
        "tiling_choice",
        "tilings",
        "truth",
        "wave_width",
    }
)
#: What a room may import beside the values and itself: the most exact name counts, a name includes the rooms inside it.
ALLOWED: Mapping[str, frozenset[str]] = {
    "algo": frozenset(),
    "stores": frozenset(),
    # What a model asks for is part of the layers that a step makes; the model itself comes through the context.
    "steps": frozenset({"algo", "inference.features", "inference.manifest", "inference.network", "inference.step_model"}),
    # Readers share files and pixels; none knows another, but that an item of a known platform is read by that sensor's own
    # bands and metadata.
    "readers": frozenset({"algo", "stores"}),
    "readers.archives": frozenset(),
    "readers.files": frozenset({"readers.archives", "stores"}),
    "readers.gate": frozenset({"algo", "readers.files"}),
    "readers.pixels": frozenset({"algo", "stores", "readers.files"}),
    "readers.landsat": frozenset({"readers.archives", "algo", "readers.files", "readers.gate", "readers.pixels"}),
    "readers.sentinel2": frozenset({"readers.archives", "stores", "readers.files", "readers.gate", "readers.pixels"}),
    "readers.elevation": frozenset({"readers.files", "readers.pixels", "stores"}),
    "readers.rpc": frozenset({"algo", "readers.elevation", "readers.files", "readers.gate", "readers.pixels"}),
    "readers.level2": frozenset({"algo", "readers.files", "readers.gate", "readers.pixels", "readers.stac"}),
    "readers.stac": frozenset(
        {
            "algo",
            "stores",
            "readers.files",
            "readers.gate",
            "readers.pixels",
            "readers.landsat",
            "readers.sentinel2",
            "readers.archives",
            "readers.rpc",
        }
    ),
    "inference": frozenset({"algo", "stores"}),
    # The table of promotions is Delta's, as an output's are.
    "inference.promotion": frozenset({"algo", "inference", "ledger.promotions", "stores"}),
    "sinks": frozenset({"algo", "stores"}),
    "sinks.cog": frozenset({"algo", "stores"}),
    "sinks.stac": frozenset({"stores"}),
    "sinks.served": frozenset({"stores", "sinks.stac"}),
    "simulator": frozenset({"algo"}),
    # Samples are made by the engine: a model sees in training what it will see in a run.
    "training": frozenset({"algo", "engine", "readers", "steps", "inference", "lineage", "stores"}),
    "engine": frozenset({"algo", "readers", "steps", "inference", "sinks", "stores"}),
    # A child is asked for strips of scenes and of stacks alike.
    "engine.child": frozenset({"algo", "engine", "readers", "stack", "steps", "inference", "sinks", "stores"}),
    "stack": frozenset({"algo", "engine", "readers", "sinks", "stores"}),
    # The ledger needs nothing but stores: what a run means by a row is the run's.
    "ledger": frozenset({"stores"}),
    # What Spark is needed for in itself: a session, tasks on executors, the kernels as UDFs.
    "spark": frozenset({"engine", "ledger", "stores", "inference", "training", "algo", "steps"}),
    "spark.start": frozenset({"stores", "engine.child", "ledger.arrow_rows"}),
    # The driver discovers scenes (readers) when it plans.
    "runs": frozenset(
        {
            "engine",
            "ledger",
            "readers",
            "report",
            "sinks",
            "spark",
            "stores",
            "inference",
            "lineage",
            "metrics",
            "deploy.site.strict",
        }
    ),
    "composites": frozenset({"engine", "ledger", "lineage", "readers", "report", "runs", "sinks", "spark", "stack", "stores"}),
    "upkeep": frozenset({"engine", "ledger", "runs", "sinks", "spark", "stores"}),
    # Beats of a run: values, their file, and the services that are told.
    "metrics": frozenset({"stores"}),
    "lineage": frozenset({"stores"}),
    "report": frozenset({"algo", "readers", "sinks", "stores"}),
    # The map: what the ledger lists, what the items say, pixels as GDAL reads them.
    "view": frozenset({"ledger", "stores", "readers.files", "sinks.quicklook", "runs.status"}),
    # A pipeline file becomes a Pipeline, its models pinned in the registry.
    "grid_settings": frozenset({"readers.files", "readers.pixels"}),
    "coregister_settings": frozenset({"readers"}),
    "shadow_settings": frozenset({"inference", "steps"}),
    "step_settings": frozenset({"inference", "shadow_settings", "steps"}),
    "config": frozenset(
        {"coregister_settings", "grid_settings", "step_settings", "steps", "engine.pipeline_json", "inference", "report.drift"}
    ),
    # From what a user writes, to what every engine is asked for, to an engine; the files beside the rooms choose one.
    "deploy": frozenset({"config", "stores", "metrics", "spark.start.settings", "spark.start.jars", "spark.start.s3a_jars"}),
    "deploy.site": frozenset({"config", "stores"}),
    "deploy.render": frozenset(
        {"deploy.site", "stores", "metrics", "spark.start.settings", "spark.start.jars", "spark.start.s3a_jars"}
    ),
    "deploy.operate": frozenset(
        {"deploy.site", "deploy.render", "stores", "metrics", "spark.start.settings", "spark.start.jars", "spark.start.s3a_jars"}
    ),
    # What engines with pods share, then the engines: a folder each, which none of the others names.
    "deploy.pods": frozenset({"deploy.site", "deploy.render"}),
    "deploy.emr_on_eks": frozenset({"deploy.site", "deploy.render", "deploy.operate", "deploy.pods"}),
    "deploy.spark_operator": frozenset({"deploy.site", "deploy.render", "deploy.operate", "deploy.pods", "spark.start.settings"}),
    "deploy.spark_submit": frozenset(
        {"deploy.site", "deploy.render", "deploy.operate", "spark.start.jars", "spark.start.s3a_jars"}
    ),
    "deploy.border": frozenset({"deploy.site", "deploy.operate", "stores", "metrics"}),
    # What users copy, and thus import themselves: values alone.
    "templates": frozenset(),
    "deploy.monitoring": frozenset({"metrics"}),
    "deploy.sbom": frozenset(),
    "deploy.events": frozenset(),
    "deploy.release": frozenset(
        {"deploy.bundle.skopeo", *("inference.signature", "inference.signed_file", "inference.trusted_keys")}
    ),
    # A bundle is of a whole delivery, and signed as models are.
    "deploy.bundle": frozenset(
        {
            *("deploy.engine", "deploy.site", "deploy.render", "deploy.sbom"),
            *("inference.signature", "inference.signed_file", "inference.trusted_keys"),
        }
    ),
    "doctor_services": frozenset({"stores"}),
    "doctor": frozenset({"doctor_services", "readers", "stores", "spark.start", "spark.start.s3a_jars"}),
    "cli": frozenset(
        {
            *(
                "config",
                "runs",
                "ledger",
                "upkeep",
                "spark",
                "deploy",
                "report",
                "doctor",
                "doctor_services",
                "simulator",
                "metrics",
            ),
            *(
                "training",
                "inference",
                "readers",
                "stores",
                "sinks.stac",
                "sinks.cog",
                "sinks.served",
                "view",
                "composites",
                "stack",
                "steps",
            ),
        }
    ),
    "jobs": frozenset({"cli", "config", "spark", "deploy", "report", "doctor", "readers", "inference", "training"}),
}
#: Where a library may be imported: folders or files under lib/swath.
LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "pyspark": ("spark", "ledger", "runs", "composites", "upkeep"),
    "delta": ("spark", "ledger"),
    "rasterio": ("readers", "sinks", "training", "simulator", "view"),
    # Coordinate systems meet in one module: what maps one to another is asked of it.
    "pyproj": ("mapping.py",),
    "rio_tiler": ("view",),
    "starlette": ("view",),
    "uvicorn": ("view",),
    "pyogrio": ("readers", "training", "simulator"),
    "mlflow": ("inference", "training"),
    "boto3": ("stores", "deploy", "metrics", "training/sagemaker"),
    "botocore": ("stores", "deploy", "metrics", "training/sagemaker"),
    "psycopg": ("stores", "sinks", "ledger"),
    "pypgstac": ("sinks",),
    "openlineage": ("lineage",),
    "lightgbm": ("training",),
    "onnxruntime": ("inference", "training/adopting"),
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


def _room(path: Path) -> str:
    """The most exact room of ``ALLOWED`` that a file is in; without one, the first folder or the file itself."""
    if not path.is_relative_to(LIB):
        return "jobs"
    return _room_of(".".join(path.relative_to(LIB).with_suffix("").parts).removesuffix("__init__").rstrip("."))


def _room_of(module: str) -> str:
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((name for name in names if name in ALLOWED), parts[0] or "swath")


def _below(target: str, name: str) -> bool:
    return target == name or target.startswith(f"{name}.")


def _may(room: str, target: str) -> bool:
    """True when ``room`` may import ``target``, a module under swath (``algo.qa.bits``)."""
    head = target.split(".", maxsplit=1)[0]
    own = room in ALLOWED and _below(target, room)
    return head in VALUES | {"__version__"} or own or any(_below(target, a) for a in ALLOWED.get(room, frozenset()))


def _wrong_edges(path: Path) -> list[str]:
    room = _room(path)
    named = [m.removeprefix("swath.") for m in _modules(_parse(path)) if m.startswith("swath.")]
    return [f"{path.relative_to(ROOT)} ({room}) imports swath.{t}" for t in named if not _may(room, t)]


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
    assert {_room(p) for p in _files()} - VALUES <= set(ALLOWED)


def test_rooms_have_no_circle() -> None:
    above: dict[str, set[str]] = {}
    for path in _files():
        room = _room(path)
        named = {_room_of(m.removeprefix("swath.")) for m in _modules(_parse(path)) if m.startswith("swath.")}
        above.setdefault(room, set()).update(named - {room})
    while above:
        leaves = {room for room, needs in above.items() if not needs & set(above)}
        assert leaves, f"a circle among {sorted(above)}"
        above = {room: needs for room, needs in above.items() if room not in leaves}


#: Modules of a room that know nothing of each other, whatever the room may import.
STRANGERS: Mapping[str, tuple[str, ...]] = {
    # A step is one file: what two of them share is a formula (algo) or a name (steps.naming).
    "steps": ("toa", "smac", "counts", "qa", "ndvi", "classes", "clouds", "landcover", "pansharpen"),
    # A delivery's metadata are read by its own reader; an item of a known platform alone asks for that sensor's.
    "readers": ("landsat", "sentinel2", "level2", "rpc"),
    "deploy": ("emr_on_eks", "spark_operator", "spark_submit"),
    "cli": ("run", "composite", "ledger", "plan", "upkeep", "ingest", "view", "steps", "catalog"),
}
#: A command that ends as another does, or offers its options, shares that much of it.
_SHARED_COMMANDS = frozenset({"swath.cli.run.finish", "swath.cli.run.exit_code", "swath.cli.run.EXIT_QUARANTINED"})


def _stranger(room: str, module: str) -> str:
    parts = module.removeprefix("swath.").split(".")
    return parts[1] if len(parts) > 1 and parts[0] == room and parts[1] in STRANGERS[room] else ""


@pytest.mark.parametrize("room", sorted(STRANGERS))
def test_modules_of_one_kind_do_not_import_each_other(room: str) -> None:
    met = []
    for path in _files():
        own = ".".join(("swath", *path.relative_to(LIB).with_suffix("").parts)) if path.is_relative_to(LIB) else ""
        for named in _modules(_parse(path)):
            known = named in _SHARED_COMMANDS or (room == "cli" and named.startswith("swath.cli.catalog."))
            if (a := _stranger(room, own)) and (b := _stranger(room, named)) and a != b and not known:
                met.append(f"{own} imports {named}")
    assert met == []


@pytest.mark.parametrize(
    ("layer", "target"),
    [
        ("algo", "readers.files.xml"),
        ("steps", "sinks.cog"),
        ("deploy", "spark.start.session"),
        ("readers", "spark"),
        ("readers.landsat", "readers.sentinel2.scene"),
        ("ledger", "runs.plan"),
        ("deploy.render", "deploy.emr_on_eks.request"),
    ],
)
def test_an_import_against_the_direction_is_seen(layer: str, target: str) -> None:
    assert not _may(layer, target)


def test_an_import_inside_a_function_is_seen() -> None:
    assert list(_modules(ast.parse("def f():\n    from swath.spark.start import session\n"))) == ["swath.spark.start.session"]


def test_onnx_runtime_is_loaded_where_its_reports_are_switched_off() -> None:
    """It looks up its maker's host from every process that loads it."""
    trees = {p: ast.parse(p.read_text(encoding="utf-8")) for p in LIB.rglob("*.py")}
    found = {
        p.relative_to(LIB).as_posix() for p, t in trees.items() if "onnxruntime" in {m.partition(".")[0] for m in _modules(t)}
    }
    assert found == {"inference/onnx_runtime.py"}
