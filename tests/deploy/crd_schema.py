"""The published schemas of the Spark Operator, with unknown fields refused."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "crds"
KEPT = "x-kubernetes-preserve-unknown-fields"


def closed(schema: Any) -> Any:
    """``schema`` with ``additionalProperties: false`` where the API server would drop unknown fields silently."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if (
        isinstance(schema.get("properties"), dict)
        and "type" in schema
        and KEPT not in schema
        and "additionalProperties" not in schema
    ):
        made["additionalProperties"] = False
    return made


@lru_cache(maxsize=2)
def crd_validator(kind: str) -> jsonschema.Draft7Validator:
    """A validator for ``SparkApplication`` or ``ScheduledSparkApplication``, or a skip."""
    path = FOLDER / f"sparkoperator.k8s.io_{kind.lower()}s.yaml"
    if not path.is_file():
        pytest.skip("the schemas of the Spark Operator (../shared/crds) are not beside this checkout")
    # In C: the schemas are 800 kB, which take the Python loader eight seconds.
    crd = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    made = closed(schema)
    made["properties"]["metadata"] = {"type": "object"}
    return jsonschema.Draft7Validator(made)
