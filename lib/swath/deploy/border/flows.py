"""Cuts what a run left into the flows of the border: each holds its own kind of knowledge and nothing of another's."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from swath.deploy.site.border import Flow
from swath.ndjson import entries

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
        **_wall(result),
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
        # a property of the event and no metric: stages overlap, and each would be a series of its own
        "Stages": [
            {key: stage[key] for key in ("name", "wall_s", "cpu_s") if key in stage} for stage in result.get("stages", [])
        ],
        **numbers,
    }


def _wall(result: Mapping[str, Any]) -> dict[str, float]:
    """From start to end [s]; nothing for a result that does not say both."""
    started, ended = result.get("started"), result.get("ended")
    if not started or not ended:
        return {}
    return {"WallSeconds": round((datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds(), 3)}


def footprints(result: Mapping[str, Any], *, read: ReadItem) -> Json:
    """Outlines and dates, without names; ``missing`` counts products whose item is gone or has no outline."""
    found = [_feature(read(product["item"])) for product in entries(result, "products", read=read)]
    features = [feature for feature in found if feature is not None]
    return {"type": "FeatureCollection", "features": features, "missing": len(found) - len(features)}


def _feature(data: bytes | None) -> Json | None:
    """The footprint of an item; None where there is none to tell."""
    try:
        item = json.loads(data or b"null")
    except ValueError:
        return None
    if not isinstance(item, dict) or not item.get("geometry"):
        return None
    return {
        "type": "Feature",
        "geometry": item["geometry"],
        "properties": {"datetime": (item.get("properties") or {}).get("datetime")},
    }


def lineage(result: Mapping[str, Any], *, read: ReadItem) -> Json:
    """Scenes, products, models and code."""
    products, assets = [], {}
    for product in entries(result, "products", read=read):
        products.append({key: product[key] for key in ("scene_id", "product_id") if key in product})
        assets[product["product_id"]] = [_file(href) for href in product.get("assets", {}).values()]
    return {"code": result.get("code"), "models": result.get("models", []), "products": products, "assets": assets}


def _file(href: str) -> str:
    return href.rsplit("/", 1)[-1]


def error_texts(result: Mapping[str, Any], *, read: ReadItem) -> Json:
    """Why scenes were quarantined."""
    told = [{name: value for name, value in e.items() if name != "wave"} for e in entries(result, "quarantine", read=read)]
    return {"quarantine": told}


def arguments(result: Mapping[str, Any]) -> Json:
    """What was asked for."""
    return {key: result[key] for key in ("pipeline", "output") if key in result}


def driver_log(result: Mapping[str, Any], *, read: ReadItem) -> Json:
    """The run's messages, line by line."""
    text = read(f"reports/{result['run_id']}.log") if "run_id" in result else None
    return {"lines": (text or b"").decode(errors="replace").splitlines()}


def cut(result: Mapping[str, Any], *, read: ReadItem, site: str, namespace: str) -> dict[Flow, Json]:
    """All flows that a run leaves with its result. Event log and job request are not in it: nothing forwards them."""
    return {
        Flow.METRICS: metrics(result, site=site, namespace=namespace),
        Flow.FOOTPRINTS: footprints(result, read=read),
        Flow.LINEAGE: lineage(result, read=read),
        Flow.ERROR_TEXTS: error_texts(result, read=read),
        Flow.ARGUMENTS: arguments(result),
        Flow.DRIVER_LOGS: driver_log(result, read=read),
    }
