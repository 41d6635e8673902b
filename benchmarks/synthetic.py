"""Answers of children that make no pixels: what a real child said once of one scene, said of every other scene.

Workers of ``benchmarks.driver`` import this as they start (``install``); everything between a worker and the ledger is the real
thing. Ids, days and digests differ from scene to scene as real ones do.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
TEMPLATE: Final = "SWATH_BENCH_TEMPLATE"
DAYS: Final = 28


def install() -> None:
    """Have this process answer by the template that the environment names."""
    from swath.engine.child import kept  # noqa: PLC0415

    template = json.loads(Path(os.environ[TEMPLATE]).read_text(encoding="utf-8"))
    own = hashlib.sha256

    def answer(request: Json, limits: Any) -> Json:
        del limits
        name = request.get("scene_id") or request["href"].rstrip("/").rsplit("/", 1)[-1]
        text = template["answers"][request["op"]].replace(template["scene_id"], name)
        day = int(own(name.encode()).hexdigest(), 16) % DAYS + 1
        year, month, _ = template["day"].split("-")
        for sign in "-/":
            text = text.replace(sign.join(template["day"].split("-")), sign.join((year, month, f"{day:02d}")))
        for number, digest in enumerate(template["digests"]):
            text = text.replace(digest, own(f"{name} {number}".encode()).hexdigest())
        found: Json = json.loads(text)
        return found

    kept.answer_json = answer
