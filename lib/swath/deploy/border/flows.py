"""Cuts what a run left into the flows of the border: each holds its own kind of knowledge and nothing of another's."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from swath.deploy.site.border import Flow

Json = dict[str, Any]
ReadItem = Callable[[str], bytes | None]


def metrics(result: Mapping[str, Any], *, site: str, namespace: str) -> Json:
    """Counts and seconds in CloudWatch's embedded metric format; by site and pipeline, no names of scenes."""
    numbers = {
        "ScenesIn": result["scenes_in"],
        "ScenesMade": result["made"],
        "ScenesSkipped": result["skipped"],
        "ScenesQuarantined": result["quarantined"],
        "CpuSeconds": sum(float(stage.get("cpu_s", 0)) for stage in result.get("stages", [])),
        "WallSeconds": sum(float(stage.get("wall_s", 0)) for stage in result.get("stages", [])),
    }
    units = {name: "Seconds" if name.endswith("Seconds") else "Count" for name in numbers}
    ended = result.get("ended")
    stamp = int(datetime.fromisoformat(ended).timestamp() * 1000) if ended else 0
    directive = {
        "Namespace": namespace,
        "Dimensions": [["Site", "Pipeline"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
    }
    return {
        "_aws": {"Timestamp": stamp, "CloudWatchMetrics": [directive]},
        "Site": site,
        "Pipeline": result["pipeline"],
        **numbers,
    }


def footprints(result: Mapping[str, Any], *, read: ReadItem) -> Json:
    """Outlines and dates, without names."""
    features = []
    for product in result.get("products", []):
        item = json.loads(read(product["item"]) or b"{}")
        features.append(
            {
                "type": "Feature",
                "geometry": item.get("geometry"),
                "properties": {"datetime": item.get("properties", {}).get("datetime")},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def lineage(result: Mapping[str, Any]) -> Json:
    """Scenes, products, models and code."""
    return {
        "code": result.get("code"),
        "models": result.get("models", []),
        "products": [{key: p[key] for key in ("scene_id", "product_id") if key in p} for p in result.get("products", [])],
        "assets": {p["product_id"]: [_file(href) for href in p.get("assets", {}).values()] for p in result.get("products", [])},
    }


def _file(href: str) -> str:
    return href.rsplit("/", 1)[-1]


def error_texts(result: Mapping[str, Any]) -> Json:
    """Why scenes were quarantined."""
    return {"quarantine": result.get("quarantine", [])}


def arguments(result: Mapping[str, Any]) -> Json:
    """What was asked for."""
    return {key: result[key] for key in ("pipeline", "output") if key in result}


def driver_log(result: Mapping[str, Any], *, read: ReadItem) -> Json:
    """What the run told, line by line."""
    text = read(f"reports/{result['run_id']}.log") if "run_id" in result else None
    return {"lines": (text or b"").decode(errors="replace").splitlines()}


def cut(result: Mapping[str, Any], *, read: ReadItem, site: str, namespace: str) -> dict[Flow, Json]:
    """All flows that a run leaves with its result. Event log and job request are not in it: nothing forwards them."""
    return {
        Flow.METRICS: metrics(result, site=site, namespace=namespace),
        Flow.FOOTPRINTS: footprints(result, read=read),
        Flow.LINEAGE: lineage(result),
        Flow.ERROR_TEXTS: error_texts(result),
        Flow.ARGUMENTS: arguments(result),
        Flow.DRIVER_LOGS: driver_log(result, read=read),
    }
