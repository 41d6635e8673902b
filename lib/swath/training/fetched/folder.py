"""The folder of a model that others published."""

from pathlib import Path

from swath.errors import ConfigError
from swath.inference.manifest import CARD_FILE, MANIFEST_FILE, Manifest

_CARD = """# {name}

{purpose}

Licence: {licence}. {attribution}

{told}

## Limits
{limits}
"""


def write_model(manifest: Manifest, weights: bytes, *, into: Path, purpose: str, limits: str) -> None:
    """Write manifest, weights and card; the same release gives the same bytes.

    Args:
        manifest: Its ``training`` holds ``attribution`` and where the weights came from.
        weights: Content of the file that the manifest names.
        into: A folder that is not there yet, or is empty.
        purpose: Purpose of the model.
        limits: Uses that the model is not fit for.

    Raises:
        ConfigError: The folder holds something.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        msg = f"{into} already exists; choose another folder (--to), or remove it"
        raise ConfigError(msg)
    into.mkdir(parents=True, exist_ok=True)
    told = {k: str(v) for k, v in sorted(manifest.training.items()) if k != "attribution"}
    card = _CARD.format(
        name=manifest.name,
        purpose=purpose,
        licence=manifest.licence,
        attribution=manifest.training["attribution"],
        told="\n".join(f"- {k}: {v}" for k, v in told.items()),
        limits=limits,
    )
    (into / manifest.weights).write_bytes(weights)
    (into / CARD_FILE).write_text(card, encoding="utf-8")
    (into / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
