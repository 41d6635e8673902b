"""CycloneDX bill of materials of a model: what it is, what it was trained on, how good it is, its files by digest."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swath import __version__
from swath.inference.manifest import Manifest

#: CycloneDX 1.6 (ECMA-424, first edition).
_SPEC = "1.6"
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 4122: URLs


def bill_of(directory: Path, manifest: Manifest, *, name: str, version: str, digest: str) -> dict[str, Any]:
    """The bill, as parsed JSON; the same model gives the same bill.

    Args:
        directory: The model.
        manifest: Manifest of the model.
        name: Registered name.
        version: Version in the registry.
        digest: Digest of the directory.
    """
    reference = f"swath-model:{digest}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": _SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, reference)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "swath", "version": __version__}]},
            "component": {
                "type": "machine-learning-model",
                "bom-ref": reference,
                "name": name,
                "version": version,
                "licenses": [{"license": {"name": manifest.licence}}],
                "properties": [{"name": "swath:digest", "value": digest}],
                "modelCard": _card(manifest),
            },
        },
        "components": [*_files(directory), *_data(manifest)],
    }


def _card(manifest: Manifest) -> dict[str, Any]:
    formats = ", ".join(manifest.layers)
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "classification",
            "architectureFamily": {"forest": "gradient boosted trees", "onnx": "neural network"}[manifest.kind],
            "inputs": [{"format": f"float32 (pixel, {len(manifest.bands)}): {formats}"}],
            "outputs": [{"format": f"probabilities of {', '.join(c.name for c in manifest.classes)}"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [{"type": n, "value": repr(v)} for n, v in sorted(manifest.metrics.items())],
        },
    }


def _files(directory: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = path.relative_to(directory).as_posix()
        yield {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}


def _data(manifest: Manifest) -> Iterator[dict[str, Any]]:
    samples = manifest.training.get("samples_sha256")
    if samples:
        yield {
            "type": "data",
            "bom-ref": "data:samples",
            "name": "training samples",
            "hashes": [{"alg": "SHA-256", "content": str(samples)}],
            "properties": [{"name": "swath:scene", "value": str(s)} for s in manifest.training.get("scenes", ())],
        }
