"""Validate STAC objects against their schemas without a network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pystac
from pystac.errors import STACValidationError
from pystac.validation.schema_uri_map import DefaultSchemaUriMap
from pystac.validation.stac_validator import GetSchemaError, JsonSchemaSTACValidator

from swath.errors import ConfigError

#: Names a folder of extension schemas (``*.json``, each with its ``$id``).
SCHEMAS_VARIABLE = "SWATH_STAC_SCHEMAS"
_TYPES: Mapping[str, pystac.STACObjectType] = {
    "Feature": pystac.STACObjectType.ITEM,
    "Collection": pystac.STACObjectType.COLLECTION,
    "Catalog": pystac.STACObjectType.CATALOG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a schema forbids.

    Args:
        schema: Address of the schema.
        where: Path of the offending value, ``/properties/view:azimuth``.
        message: What the schema says.
    """

    schema: str
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was checked, what could not be, and what was found.

    Args:
        checked: Schemas that were applied.
        unchecked: Extensions declared by the object whose schema is not at hand.
        findings: Empty when the object is valid.
    """

    checked: tuple[str, ...]
    unchecked: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class StacValidator:
    """Applies the core schemas that pystac carries and those of a folder; never asks the network.

    Args:
        schemas: Folder of extension schemas; None for the core schemas alone.

    Raises:
        ConfigError: The folder is not there, or a file in it is not a schema.
    """

    def __init__(self, schemas: Path | None = None) -> None:
        self._offline = _OfflineValidator()
        self._offline.schema_cache |= _schemas_in(schemas) if schemas is not None else {}

    def validate(self, stac: Mapping[str, Any]) -> Validation:
        """Check one item, collection or catalogue.

        Raises:
            ConfigError: It is no STAC object at all.
        """
        kind = _TYPES.get(str(stac.get("type")))
        version = stac.get("stac_version")
        if kind is None or not isinstance(version, str):
            msg = f"not a STAC object: type {stac.get('type')!r}, stac_version {version!r}; give an item, collection or catalog"
            raise ConfigError(msg)
        core = DefaultSchemaUriMap().get_object_schema_uri(kind, version)
        declared = [core, *stac.get("stac_extensions", [])]
        checked = tuple(s for s in declared if s in self._offline.schema_cache)
        findings = [f for schema in checked for f in self._apply(stac, schema=schema, kind=kind)]
        unchecked = tuple(s for s in declared if s not in checked)
        return Validation(checked=checked, unchecked=unchecked, findings=tuple(findings))

    def _apply(self, stac: Mapping[str, Any], *, schema: str, kind: pystac.STACObjectType) -> list[Finding]:
        plain = json.loads(json.dumps(stac))
        try:
            self._offline.validate_extension(plain, kind, plain["stac_version"], schema)
        except STACValidationError as error:
            return [
                Finding(schema=schema, where="/" + "/".join(map(str, e.absolute_path)), message=e.message[:500])
                for e in error.source or ()
            ]
        return []


def schema_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder that ``SWATH_STAC_SCHEMAS`` names, or None."""
    named = environment.get(SCHEMAS_VARIABLE, "")
    return Path(named) if named else None


class _OfflineValidator(JsonSchemaSTACValidator):
    """pystac's validator, without its way to the network."""

    def _get_schema(self, schema_uri: str) -> dict[str, Any]:
        if schema_uri not in self.schema_cache:
            raise GetSchemaError(schema_uri, LookupError("this schema is not at hand, and the network is not asked"))
        return self.schema_cache[schema_uri]


def _schemas_in(folder: Path) -> dict[str, dict[str, Any]]:
    if not folder.is_dir():
        msg = f"no folder of STAC schemas at {folder}; set {SCHEMAS_VARIABLE} to one, or unset it"
        raise ConfigError(msg)
    found = {}
    for path in sorted(folder.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(schema, dict) or not {"$id", "$schema"} <= schema.keys():
            msg = f"{path} is not a JSON schema: it lacks $id or $schema"
            raise ConfigError(msg)
        found[str(schema["$id"]).rstrip("#")] = schema
    return found
