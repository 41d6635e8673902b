"""Run by a test behind a slow link: the results of many runs wait in a folder and are sent to a bucket, killed at seeded moments.

Arguments: a folder of its own, number of runs, seed, number of kills. Prints one JSON object.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from swath.deploy.border.flows import cut
from swath.deploy.site.border import Flow
from swath.deploy.site.files import load_site
from swath.deploy.site.site import Site

PORT = 5897
ALLOWED = [Flow.METRICS, Flow.LINEAGE, Flow.FOOTPRINTS, Flow.ERROR_TEXTS]
FORWARD = """
import json, sys
from swath.deploy.border.forward import forward
from swath.deploy.site.site import Site
site = Site.model_validate_json(open(sys.argv[1]).read())
for sent in forward(site, output=sys.argv[2], max_duration_s=3600):
    pass
"""


def site_of(folder: Path) -> Site:
    """The shipped rack, whose border leads to a bucket behind the link."""
    plain = load_site("outposts-local").model_dump(mode="json", exclude_unset=True)
    plain.pop("sizes", None)
    plain["stores"]["region"] = {
        "kind": "s3-compatible", "insecure_http": True, "uri": "s3://there/swath", "region": "us-east-1",
        "endpoint": f"http://{os.environ['SLOW_THERE']}:{PORT}",
        "addressing": "path",
    }  # fmt: skip
    plain["border"] = {"allow": [flow.value for flow in ALLOWED], "to": "store://region/in"}
    site = Site.model_validate(plain)
    (folder / "site.json").write_text(site.model_dump_json(exclude_unset=True), encoding="utf-8")
    return site


def leave(output: Path, run_id: str, *, seed: int) -> None:
    """The result of a run of sixty products, and their items."""
    draw = random.Random(seed)  # noqa: S311  no secret
    names = [f"{run_id}-{draw.randbytes(12).hex()}" for _ in range(60)]
    for name in names:
        item = {"id": name, "geometry": {"type": "Point", "coordinates": [draw.random(), draw.random()]}}
        path = output / "products" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**item, "properties": {"datetime": "2026-11-25T00:00:00Z"}}), encoding="utf-8")
    products = [
        {"product_id": f"{n}.ard", "scene_id": n, "item": f"products/{n}.json", "assets": {"red": f"products/{n}.red.tif"}}
        for n in names
    ]
    refused = [{"scene_id": f"q{n}", "stage": "read", "error": "read", "message": draw.randbytes(60).hex()} for n in range(20)]
    counts = {"scenes_in": 80, "made": 60, "skipped": 0, "quarantined": 20}
    result = {
        "run_id": run_id, "pipeline": "ard", **counts, "products": products, "quarantine": refused, "stages": [],
        "output": str(output), "started": "2026-11-24T23:00:00+00:00", "ended": "2026-11-25T00:00:00+00:00",
    }  # fmt: skip
    report = output / "reports" / f"{run_id}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(result), encoding="utf-8")


def expected(output: Path, run_id: str, site: Site) -> dict[str, bytes]:
    """What must be at the other end, by flow."""
    result = json.loads((output / "reports" / f"{run_id}.json").read_bytes())
    read = lambda path: (output / path).read_bytes() if (output / path).is_file() else None  # noqa: E731
    flows = cut(result, read=read, site=site.site, namespace=site.metrics.namespace)
    return {f.value: json.dumps(b, sort_keys=True, ensure_ascii=False).encode() for f, b in flows.items() if f in ALLOWED}


def crossed() -> int:
    """Bytes that crossed the link so far, there and back."""
    device = f"{os.environ['SLOW_DEVICE']}:"
    return next(int(line.split()[9]) for line in Path("/proc/self/net/dev").read_text().splitlines() if line.split()[0] == device)


def main() -> None:
    folder, runs, seed, kills = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    output, site = folder / "out", site_of(folder)
    for number in range(runs):
        leave(output, f"run-{number:04d}", seed=seed + number)
    payload = {run: expected(output, run, site) for run in (f"run-{n:04d}" for n in range(runs))}
    server = ThreadedMotoServer(ip_address="0.0.0.0", port=PORT, verbose=False)  # noqa: S104  a network of its own
    server.start()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{PORT}", region_name="us-east-1")
    client.create_bucket(Bucket="there")
    draw, since, attempts = random.Random(seed), time.monotonic(), 0  # noqa: S311  as above
    words = [sys.executable, "-c", FORWARD, str(folder / "site.json"), str(output)]
    while True:
        attempts += 1
        with subprocess.Popen(words, env=os.environ) as process:
            try:
                code = process.wait(draw.uniform(2.0, 8.0) if attempts <= kills else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                continue
        break
    told: dict[str, Any] = {"code": code, "attempts": attempts, "seconds": time.monotonic() - since, "crossed": crossed()}
    told["payload"] = sum(len(body) for flows in payload.values() for body in flows.values())
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="there")
    there = {
        e["Key"]: client.get_object(Bucket="there", Key=e["Key"])["Body"].read() for p in pages for e in p.get("Contents", [])
    }
    wanted = sorted(body for flows in payload.values() for body in flows.values())
    told["equal"] = sorted(there.values()) == wanted
    told["receipts"] = len(list((output / "reports" / "forwarded").rglob("run-*.json")))
    server.stop()
    sys.stdout.write(json.dumps(told) + "\n")


main()
