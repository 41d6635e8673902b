"""The document: equal components give equal bytes."""

import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from swath import __version__
from swath.deploy.sbom.component import Component


def document(components: Iterable[Component], *, image: str, epoch: int | None = None) -> str:
    """CycloneDX 1.6 as JSON.

    Args:
        components: Components in any order.
        image: Image that contains them, for example ``registry/swath@sha256:...``.
        epoch: Time of the commit [s since 1970] (SOURCE_DATE_EPOCH); None leaves the time out.
    """
    parts = [c.plain() for c in sorted(components, key=lambda c: c.purl)]
    content = json.dumps([image, parts], sort_keys=True)
    metadata: dict[str, Any] = {
        "tools": {"components": [{"type": "application", "name": "swath", "version": __version__}]},
        "component": {"type": "container", "bom-ref": image, "name": image},
    }
    if epoch is not None:
        metadata["timestamp"] = f"{datetime.fromtimestamp(epoch, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=hashlib.sha256(content.encode()).digest()[:16], version=4)}",
        "version": 1,
        "metadata": metadata,
        "components": parts,
    }
    return json.dumps(made, indent=1) + "\n"
